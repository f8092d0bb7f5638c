"""The numbers that the executive room is made with, read and checked once."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from libs.contracts.executive import Level, Source
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class RoomRules(Message):
    """Bounds are ascending: a value at or above the n-th is of level n + 1."""

    likelihood: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)]
    amounts: Annotated[tuple[Decimal, ...], Field(min_length=4, max_length=4)]
    severity: dict[str, Level]
    deals_from: Level
    top: Annotated[int, Field(ge=1)]
    decisions: Annotated[int, Field(ge=1)]
    board: dict[str, Source]


@cache
def rules() -> RoomRules:
    """Raises pydantic.ValidationError when the file is wrong."""
    return RoomRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
