"""Reads figures of the metric layer by their names, wherever they are computed, and what of each is disputed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from libs.contracts import subjects
from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.catalogue.roles import roles
from libs.contracts.claims import Contradiction, ContradictionsRequest, ContradictionState
from libs.contracts.errors import DealixError
from libs.contracts.executive import Dispute, RoomFigure
from libs.contracts.message import Page, Principal, PrincipalKind
from libs.contracts.metrics import CountedRequest, MetricGet, MetricValue
from libs.runtime.metrics import Metrics
from libs.runtime.plane import Runtime
from services.decision.executive.domain.figures import dispute, figure, open_ones, unread

MOST = 200


@dataclass(frozen=True)
class Disputes:
    """Open contradictions of the tenant. `found` is None where they could not be read."""

    found: tuple[Contradiction, ...] | None
    claims: bool


class Figures:
    """Figures for decision: its own plane's from its rows, the others' by a call."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._own = Metrics(runtime)

    def within_reach(self, name: str) -> bool:
        """Whether decision may ask for this metric."""
        call = subjects.METRICS[metrics()[name].plane]
        return self._runtime.plane in (call.plane, *call.callers)

    async def value(
        self, who: Principal, name: str, since: datetime | None = None, until: datetime | None = None
    ) -> MetricValue:
        """Raises as the metric layer does."""
        asked = MetricGet(principal=who, name=name, since=since, until=until)
        call = subjects.METRICS[metrics()[name].plane]
        if call.plane is self._runtime.plane:
            return await self._own.value(asked)
        return await self._runtime.bus.call(call, asked)

    async def shown(
        self, who: Principal, names: Iterable[str], disputes: Disputes, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[RoomFigure, ...]:  # fmt: skip
        """Each with what disputes it. One that can't be read says so, and takes no other with it."""
        return tuple(await asyncio.gather(*(self._shown(who, metrics()[one], disputes, since, until) for one in names)))

    async def _shown(
        self, who: Principal, rule: MetricRule, disputes: Disputes, since: datetime | None, until: datetime | None
    ) -> RoomFigure:
        try:
            value = await self.value(who, rule.name, since, until)
        except DealixError:
            now = self._runtime.now()
            return unread(rule, since or now, until or now, now)
        try:
            return figure(rule, value, await self._of(who, rule, value, disputes))
        except DealixError:
            return figure(rule, value, None)

    async def disputes(self, who: Principal) -> Disputes:
        """That there is a contradiction is said to everybody who sees the figure; what was claimed, to readers of evidence."""
        plane = Principal(
            id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=who.tenant_id, roles=("operator",)
        )  # fmt: skip
        claims = roles().reach(who.roles, who.scopes, "evidence") is not None
        found: list[Contradiction] = []
        try:
            for state in (ContradictionState.OPEN, ContradictionState.ACKNOWLEDGED):
                asked = ContradictionsRequest(principal=plane, state=state, page=Page(limit=MOST))
                found += (await self._runtime.bus.call(subjects.CONTRADICTIONS, asked)).items
        except DealixError:
            return Disputes(None, claims)
        return Disputes(open_ones(found), claims)

    async def _of(
        self, who: Principal, rule: MetricRule, value: MetricValue, disputes: Disputes
    ) -> tuple[Dispute, ...] | None:
        """What disputes a figure: contradictions about it, then about records that count in it. None where nobody could tell."""
        if disputes.found is None:
            return None
        about = [one for one in disputes.found if one.subject == f"metric:{rule.name}"]
        by_id = _records(disputes.found, rule.of)
        if by_id and (call := subjects.METRIC_COUNTED.get(rule.plane)) is not None:
            asked = CountedRequest(
                principal=who, name=rule.name, since=value.since, until=value.until, ids=tuple(by_id)[:500]
            )
            own = call.plane is self._runtime.plane
            reply = await (self._own.counted(asked) if own else self._runtime.bus.call(call, asked))
            about += [one for id in reply.ids for one in by_id[id]]
        return tuple(dispute(one, claims=disputes.claims) for one in about)


def _records(found: Collection[Contradiction], kinds: Collection[str]) -> dict[str, list[Contradiction]]:
    by_id: dict[str, list[Contradiction]] = {}
    for one in found:
        kind, _, id = one.subject.partition(":")
        if kind in kinds and id:
            by_id.setdefault(id, []).append(one)
    return by_id
