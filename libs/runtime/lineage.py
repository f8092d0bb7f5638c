"""Lineage of a plane's own rows: each way that one thing comes from another is a statement, and one handler asks them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from libs.contracts.catalogue.lineage import lineage
from libs.contracts.lineage import LineageEdge, LineageNode, LineageReply, LineageRequest, LineageTitle, LineageWay
from libs.contracts.message import Text
from libs.runtime.database import Database

MOST_EDGES = 100
"""Of one relation in one step. A file has a million rows; a page of lineage shows the first of them and says that there are more."""
UUIDS = "any($2::text[]::uuid[])"


@dataclass(frozen=True)
class Relation:
    """`select` gives cause, effect and at (ids as text) of tenant $1; `by_cause` and `by_effect` narrow it to the ids in $2."""

    cause: str
    effect: str
    how: str
    select: str
    by_cause: str
    by_effect: str


class Lineage:
    """Answers a plane's lineage call. `titles` maps a kind to a statement giving id, en and ar for the ids in $2 of tenant $1; where what
    people call a thing is not in its row, `named` makes the title of the row that the statement gives."""

    def __init__(
        self,
        database: Database,
        relations: Sequence[Relation],
        titles: Mapping[str, str],
        named: Mapping[str, Callable[[Any], Text]] = MappingProxyType({}),
    ) -> None:
        catalogue = lineage()
        for one in relations:
            if not {one.cause, one.effect} <= catalogue.kinds.keys() or one.how not in catalogue.hows:
                raise ValueError(f"{one.cause} {one.how} {one.effect} is not in the catalogue")
        self._database = database
        self._relations = tuple(relations)
        self._titles = dict(titles)
        self._named = dict(named)

    async def step(self, request: LineageRequest) -> LineageReply:
        """One step, within the asking tenant. Ids that no kind can have are passed over."""
        tenant, kinds = request.principal.tenant_id, lineage().kinds
        asked: dict[str, list[str]] = defaultdict(list)
        for node in request.nodes:
            if node.kind in kinds and kinds[node.kind].fits(node.id):
                asked[node.kind].append(node.id)
        edges: list[LineageEdge] = []
        titles: list[LineageTitle] = []
        cut = False
        forward = request.way is LineageWay.CAUSED
        async with self._database.batch(tenant) as work:
            for one in self._relations:
                if not (ids := asked.get(one.cause if forward else one.effect)):
                    continue
                narrowed = one.by_cause if forward else one.by_effect
                rows = await work.connection.fetch(
                    f"{one.select} and {narrowed} limit {MOST_EDGES + 1}", tenant, ids
                )  # the statements are the plane's own constants
                cut = cut or len(rows) > MOST_EDGES
                edges += [
                    LineageEdge(
                        cause=LineageNode(kind=one.cause, id=row["cause"]), effect=LineageNode(kind=one.effect, id=row["effect"]),
                        how=one.how, at=row["at"],
                    )
                    for row in rows[:MOST_EDGES]
                ]  # fmt: skip
            for kind, statement in self._titles.items():
                if ids := asked.get(kind):
                    rows = await work.connection.fetch(statement, tenant, ids)
                    titles += [_title(kind, row, self._named.get(kind)) for row in rows]
        return LineageReply(edges=tuple(edges), titles=tuple(titles), cut=cut)


def _title(kind: str, row: Any, named: Callable[[Any], Text] | None) -> LineageTitle:
    text = named(row) if named is not None else Text(en=row["en"] or "", ar=row["ar"] or "")
    return LineageTitle(node=LineageNode(kind=kind, id=row["id"]), en=text.en, ar=text.ar)
