"""The risk heat map as people ask for it: every cell with its count, and the risks of what they opened."""

from __future__ import annotations

import asyncio
from collections import Counter

from libs.contracts.executive import Risk, Source
from libs.contracts.message import Provenance
from libs.contracts.risk_map import HeatCell, RiskMap, RiskMapRequest
from libs.runtime import telemetry
from libs.runtime.metrics import BadCursor
from libs.runtime.plane import Runtime
from services.decision.domain.provenance import freshness_hours, local
from services.decision.executive.figures import Figures
from services.decision.executive.reading import VERSION, Approvals
from services.decision.executive.risks import Risks, Scored

LEVELS = (1, 2, 3, 4, 5)


class RiskMapDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._figures = Figures(runtime)
        self._risks = Risks(runtime)
        self._approvals = Approvals(runtime)

    async def map(self, request: RiskMapRequest) -> RiskMap:
        """Scored now. Raises BadCursor."""
        who, page = request.principal, request.page
        begin = _offset(page.cursor)
        disputes, waiting = await asyncio.gather(self._figures.disputes(who), self._approvals.waiting(who))
        scored = await self._risks.score(who, disputes, waiting)
        chosen = [one for one in scored.risks if _asked(one, request)]
        end = begin + page.limit
        return RiskMap(
            cells=cells(scored.risks), total=len(scored.risks), items=tuple(chosen[begin:end]), not_scored=scored.missing,
            next_cursor=str(end) if len(chosen) > end else None, scored_at=self._runtime.now(), provenance=self._origin(scored),
        )  # fmt: skip

    def _origin(self, scored: Scored) -> Provenance:
        """As sure as the share of sources that could be scored; as fresh as the newest risk, or as the look that found none."""
        now = self._runtime.now()
        silent = {one.source for one in scored.missing}
        told = [one.value for one in Source if one not in silent]
        seen = [min(now, one.observed_at) for one in scored.risks] or [now]
        return local(
            now=now, by="risk_heatmap", engine="rules", version=VERSION, confidence=len(told) / len(Source), freshness=freshness_hours(now, seen),
            sources=told, trace_id=telemetry.trace_id(),
        )  # fmt: skip


def cells(found: tuple[Risk, ...]) -> tuple[HeatCell, ...]:
    """All 25, the worst corner first."""
    counted = Counter((one.likelihood_level, one.impact_level) for one in found)
    return tuple(
        HeatCell.model_validate(
            {"likelihood": likely, "impact": impact, "score": likely * impact, "count": counted[likely, impact]}  # type: ignore[index]  # levels are these five
        )
        for likely in reversed(LEVELS)
        for impact in reversed(LEVELS)
    )


def _asked(one: Risk, request: RiskMapRequest) -> bool:
    return (
        request.likelihood in (None, one.likelihood_level)
        and request.impact in (None, one.impact_level)
        and request.source in (None, one.source)
    )


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    if not cursor.isdecimal():
        raise BadCursor
    return int(cursor)
