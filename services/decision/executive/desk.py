"""The executive room as people ask for it: read part by part, so that a part that fails takes only itself along."""

from __future__ import annotations

import asyncio

from libs.contracts import subjects
from libs.contracts.claims import Contradiction, ContradictionState
from libs.contracts.executive import ExecutiveRoom, ExecutiveRoomRequest, OpenContradiction, RoomFigure
from libs.runtime.plane import Runtime
from services.decision.executive.analytics import AnalyticsDesk
from services.decision.executive.board import BoardDesk
from services.decision.executive.figures import Figures
from services.decision.executive.plan import Planning
from services.decision.executive.reading import Approvals, decisions, origin, unless
from services.decision.executive.risk_map import RiskMapDesk
from services.decision.executive.risks import Risks
from services.decision.executive.rules import rules
from services.decision.memos.domain.made import rules as memo_rules

WAITING, CONTRADICTED = "approvals_waiting", "contradictions_open"


class ExecutiveDesk:
    def __init__(self, runtime: Runtime) -> None:
        rules()  # a wrong file stops the start
        self._runtime = runtime
        self._figures = Figures(runtime)
        self._risks = Risks(runtime)
        self._planning = Planning(runtime)
        self._approvals = Approvals(runtime)

    async def room(self, request: ExecutiveRoomRequest) -> ExecutiveRoom:
        """Figures, risks, decisions, contradictions and plan as of now. Raises CallTimeout when no figure could be read at all."""
        who, now = request.principal, self._runtime.now()
        disputes, waiting = await asyncio.gather(self._figures.disputes(who), self._approvals.waiting(who))
        names = [*dict.fromkeys((*memo_rules()["kpis"], WAITING, CONTRADICTED))]
        kpis, scored, plan = await asyncio.gather(
            self._figures.shown(who, names, disputes),
            self._risks.score(who, disputes, waiting),
            unless(self._planning.read(who)),
        )
        by_name = {one.metric: one for one in kpis}
        top = scored.risks[: rules().top]
        silent = [name for name, found in (("contradictions", disputes.found), ("decisions", waiting), ("plan", plan)) if found is None]  # fmt: skip
        return ExecutiveRoom(
            tenant_id=who.tenant_id, provenance=origin(kpis, now, "executive_room"), kpis=kpis, as_of=now,
            risks=tuple(one.title.en for one in top), risks_ar=tuple(one.title.ar for one in top), top_risks=top, not_scored=scored.missing,
            pending_decisions=_count(by_name[WAITING], waiting), contradictions=_count(by_name[CONTRADICTED], disputes.found),
            decisions=decisions(waiting or (), now), open_contradictions=_contradictions(disputes.found or ()), plan=plan,
            silent=tuple(silent),
        )  # fmt: skip


def _count(one: RoomFigure, listed: tuple[object, ...] | None) -> int | None:
    """A count of the metric layer; of what never was there the layer has no data, and the list says how many there are: none."""
    if one.value is not None:
        return int(one.value)
    return None if listed is None or one.unread else len(listed)


def _contradictions(found: tuple[Contradiction, ...]) -> tuple[OpenContradiction, ...]:
    order = tuple(rules().severity)
    placed = sorted(found, key=lambda one: (-order.index(one.severity) if one.severity in order else -len(order), one.opened_at))  # fmt: skip
    return tuple(
        OpenContradiction(
            contradiction_id=one.contradiction_id, subject=one.subject, kind=one.kind.value, severity=one.severity, opened_at=one.opened_at,
            acknowledged=one.state is ContradictionState.ACKNOWLEDGED,
        )
        for one in placed
    )  # fmt: skip


def serve_executive(runtime: Runtime) -> None:
    """Answer what executives look at."""
    runtime.bus.serve(subjects.EXECUTIVE_ROOM, ExecutiveDesk(runtime).room)
    runtime.bus.serve(subjects.BOARD_PACK, BoardDesk(runtime).pack)
    runtime.bus.serve(subjects.RISK_MAP, RiskMapDesk(runtime).map)
    runtime.bus.serve(subjects.ANALYTICS, AnalyticsDesk(runtime).trends)
