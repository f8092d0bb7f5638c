"""Lineage across planes: the steps that each plane answers, joined into what a thing came from and what it caused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from libs.contracts.lineage import (
    MOST_NODES,
    LineageEdge,
    LineageNode,
    LineageReply,
    LineageTitle,
    LineageWay,
)
from libs.contracts.message import Message, Plane

DEPTH = 10
"""Longer than the longest way there is, from a file to an entry in the ledger."""
MOST = 600
"""Things in one direction; beyond that a person reads a table of the kind instead."""

Ask = Callable[[Plane, tuple[LineageNode, ...], LineageWay], Awaitable[LineageReply | None]]
"""One step of one plane; None when it does not answer."""


class LineageStep(Message):
    """A thing on the way, `distance` steps from where it began; `how` it is joined and to what."""

    kind: str
    id: str
    en: str
    ar: str
    distance: int
    how: str
    joined_to: LineageNode
    at: datetime | None = None


class LineageWalk(Message):
    """One direction. `counts` by kind; `cut` when there is more than is shown; `silent` names planes that did not answer."""

    steps: tuple[LineageStep, ...]
    counts: dict[str, int]
    cut: bool
    silent: tuple[str, ...]


async def walk(
    start: LineageNode, way: LineageWay, ask: Ask, planes: Iterable[Plane], also: Iterable[LineageNode] = ()
) -> tuple[LineageWalk, LineageTitle | None]:
    """Go from `start`, and from what is `also` meant with it, as far as it leads. The walk, and the title of `start`, None when nobody knows it."""
    asked = tuple(planes)
    distance: dict[LineageNode, int] = {start: 0} | dict.fromkeys(also, 0)
    joined: dict[LineageNode, LineageEdge] = {}
    titles: dict[LineageNode, LineageTitle] = {}
    frontier: list[LineageNode] = list(distance)
    cut, silent = False, set[str]()
    for depth in range(1, DEPTH + 2):
        pages = [tuple(frontier[at : at + MOST_NODES]) for at in range(0, len(frontier), MOST_NODES)]
        turns = [(plane, page) for page in pages for plane in asked]
        replies = await asyncio.gather(*(ask(plane, page, way) for plane, page in turns))
        frontier = []
        for (plane, _), reply in zip(turns, replies, strict=True):
            if reply is None:
                silent.add(plane.value)
                continue
            cut = cut or reply.cut
            titles |= {title.node: title for title in reply.titles}
            for edge in reply.edges:
                node = edge.effect if way is LineageWay.CAUSED else edge.cause
                if node in distance:
                    continue
                if len(distance) > MOST:
                    cut = True
                    continue
                distance[node], joined[node] = depth, edge
                frontier.append(node)
        if not frontier:
            break
    steps = tuple(_step(node, far, joined[node], titles.get(node), way) for node, far in distance.items() if far)
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.kind] = counts.get(step.kind, 0) + 1
    return LineageWalk(steps=steps, counts=counts, cut=cut, silent=tuple(sorted(silent))), titles.get(start)


def _step(node: LineageNode, far: int, edge: LineageEdge, title: LineageTitle | None, way: LineageWay) -> LineageStep:
    return LineageStep(
        kind=node.kind, id=node.id, en=title.en if title else "", ar=title.ar if title else "", distance=far, how=edge.how,
        joined_to=edge.cause if way is LineageWay.CAUSED else edge.effect, at=edge.at,
    )  # fmt: skip
