"""Metrics over time as people ask for them; each stretch is the metric layer's own value."""

from __future__ import annotations

import asyncio
from datetime import datetime

from libs.contracts import subjects
from libs.contracts.analytics import Analytics, AnalyticsRequest, Trend
from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.errors import DealixError
from libs.contracts.message import Principal
from libs.contracts.metrics import SeriesReply, SeriesRequest
from libs.runtime.metrics import Metrics
from libs.runtime.plane import Runtime
from services.decision.executive.domain.figures import UNREADABLE, caution, dispute
from services.decision.executive.domain.periods import back
from services.decision.executive.errors import NoTrend
from services.decision.executive.figures import Disputes, Figures
from services.decision.memos.domain.made import rules as memo_rules


class AnalyticsDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._figures = Figures(runtime)

    async def trends(self, request: AnalyticsRequest) -> Analytics:
        """Each metric stretch by stretch; one that can't be read says so. Raises NoTrend."""
        who, now = request.principal, self._runtime.now()
        rules = [_rule(name) for name in dict.fromkeys(request.names or _usual())]
        edges = back(now, request.by, request.stretches)
        disputes = await self._figures.disputes(who)
        found = await asyncio.gather(*(self._trend(who, rule, edges, disputes) for rule in rules))
        return Analytics(by=request.by, since=edges[0], until=edges[-1], as_of=now, trends=tuple(found))

    async def _trend(self, who: Principal, rule: MetricRule, edges: tuple[datetime, ...], disputes: Disputes) -> Trend:
        said = rule.model_dump(include={"unit", "en", "ar", "definition_en", "definition_ar"})
        try:
            points = (await self._series(SeriesRequest(principal=who, name=rule.name, edges=edges), rule)).points
        except DealixError:
            return Trend(metric=rule.name, **said, points=(), change=None, why=UNREADABLE)
        before, last = points[-3].value, points[-2].value
        about = None
        if disputes.found is not None:
            named = [one for one in disputes.found if one.subject == f"metric:{rule.name}"]
            about = tuple(dispute(one, claims=False) for one in named)
        return Trend(
            metric=rule.name, **said, points=points, change=None if before is None or last is None else last - before, caution=caution(about),
        )  # fmt: skip

    async def _series(self, request: SeriesRequest, rule: MetricRule) -> SeriesReply:
        call = subjects.METRIC_SERIES[rule.plane]
        if call.plane is self._runtime.plane:
            return await Metrics(self._runtime).series(request)
        return await self._runtime.bus.call(call, request)


def _usual() -> list[str]:
    return [name for name in memo_rules()["kpis"] if metrics()[name].period]


def _rule(name: str) -> MetricRule:
    rule = metrics().get(name)
    if rule is None or not rule.period or rule.plane not in subjects.METRIC_SERIES:
        raise NoTrend(name)
    return rule
