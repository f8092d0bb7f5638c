"""Messages of lineage: what a thing came from and what it caused. Each plane answers from its own rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Principal

MOST_NODES = 200


class LineageWay(StrEnum):
    CAME_FROM = "came_from"
    CAUSED = "caused"


class LineageNode(Message):
    """A thing by its kind (a name of the catalogue) and its id."""

    kind: Annotated[str, Field(max_length=30)]
    id: Annotated[str, Field(max_length=60)]


class LineageEdge(Message):
    """`effect` came from `cause`; `how` is a name of the catalogue."""

    cause: LineageNode
    effect: LineageNode
    how: str
    at: datetime | None = None


class LineageTitle(Message):
    """What people call a thing, in both languages."""

    node: LineageNode
    en: str
    ar: str


class LineageRequest(Message):
    """One step from `nodes` in one direction."""

    principal: Principal
    nodes: Annotated[tuple[LineageNode, ...], Field(min_length=1, max_length=MOST_NODES)]
    way: LineageWay


class LineageReply(Message):
    """The plane's edges at `nodes`, and titles of those of them that it keeps. `cut` says that there are more edges."""

    edges: tuple[LineageEdge, ...]
    titles: tuple[LineageTitle, ...]
    cut: bool = False
