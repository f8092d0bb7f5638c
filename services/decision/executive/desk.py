"""The executive room as people ask for it: read part by part, so that a part that fails takes only itself along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from libs.contracts import subjects
from libs.contracts.claims import Contradiction, ContradictionState
from libs.contracts.errors import CallTimeout, DealixError
from libs.contracts.executive import (
    ExecutiveRoom,
    ExecutiveRoomRequest,
    OpenContradiction,
    PendingDecision,
    RoomFigure,
)
from libs.contracts.message import Page, Principal, Provenance
from libs.contracts.trust import Approval, ApprovalsRequest, ApprovalState
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain.provenance import freshness_hours, local
from services.decision.executive.domain.risks import title_of
from services.decision.executive.figures import Figures
from services.decision.executive.plan import Planning
from services.decision.executive.risks import Risks
from services.decision.executive.rules import rules
from services.decision.memos.domain.made import rules as memo_rules

VERSION = "executive-1"
WAITING, CONTRADICTED = "approvals_waiting", "contradictions_open"
MOST = 200
T = TypeVar("T")


class ExecutiveDesk:
    def __init__(self, runtime: Runtime) -> None:
        rules()  # a wrong file stops the start
        self._runtime = runtime
        self._figures = Figures(runtime)
        self._risks = Risks(runtime)
        self._planning = Planning(runtime)

    async def room(self, request: ExecutiveRoomRequest) -> ExecutiveRoom:
        """Figures, risks, decisions, contradictions and plan as of now. Raises CallTimeout when no figure could be read at all."""
        who, now = request.principal, self._runtime.now()
        disputes, waiting = await asyncio.gather(self._figures.disputes(who), self._waiting(who))
        names = [*dict.fromkeys((*memo_rules()["kpis"], WAITING, CONTRADICTED))]
        kpis, scored, plan = await asyncio.gather(
            self._figures.shown(who, names, disputes),
            self._risks.score(who, disputes, waiting),
            _unless(self._planning.read(who)),
        )
        by_name = {one.metric: one for one in kpis}
        top = scored.risks[: rules().top]
        silent = [name for name, found in (("contradictions", disputes.found), ("decisions", waiting), ("plan", plan)) if found is None]  # fmt: skip
        return ExecutiveRoom(
            tenant_id=who.tenant_id, provenance=_origin(kpis, now), kpis=kpis, as_of=now,
            risks=tuple(one.title.en for one in top), risks_ar=tuple(one.title.ar for one in top), top_risks=top, not_scored=scored.missing,
            pending_decisions=_count(by_name[WAITING], waiting), contradictions=_count(by_name[CONTRADICTED], disputes.found),
            decisions=_decisions(waiting or (), now), open_contradictions=_contradictions(disputes.found or ()), plan=plan,
            silent=tuple(silent),
        )  # fmt: skip

    async def _waiting(self, who: Principal) -> tuple[Approval, ...] | None:
        asked = ApprovalsRequest(principal=who, state=ApprovalState.PENDING, page=Page(limit=MOST))
        found = await _unless(self._runtime.bus.call(subjects.APPROVALS, asked))
        return None if found is None else found.items


async def _unless(asked: Awaitable[T]) -> T | None:
    """What was asked for; None where it could not be read."""
    try:
        return await asked
    except DealixError:
        return None


def _count(one: RoomFigure, listed: tuple[object, ...] | None) -> int | None:
    """A count of the metric layer; of what never was there the layer has no data, and the list says how many there are: none."""
    if one.value is not None:
        return int(one.value)
    return None if listed is None or one.unread else len(listed)


def _decisions(waiting: tuple[Approval, ...], now: datetime) -> tuple[PendingDecision, ...]:
    first = sorted(waiting, key=lambda one: (one.due_at, one.approval_id))[: rules().decisions]
    return tuple(
        PendingDecision(
            approval_id=one.approval_id, title=title_of(one), risk=one.risk, role=one.role, value_sar=one.value_sar, due_at=one.due_at,
            late=now >= one.due_at,
        )
        for one in first
    )  # fmt: skip


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


def _origin(kpis: tuple[RoomFigure, ...], now: datetime) -> Provenance:
    """As sure as the share of figures that have data and that nothing speaks against; as fresh as the newest of them.

    Raises CallTimeout when none could be read: a room about nothing is not shown.
    """
    read = [one for one in kpis if not one.unread]
    if not read:
        raise CallTimeout("metrics")
    sure = [one for one in kpis if one.value is not None and one.caution is None]
    return local(
        now=now, by="executive_room", engine="rules", version=VERSION, confidence=len(sure) / len(kpis),
        freshness=freshness_hours(now, [one.as_of for one in read]), sources=[f"metric:{one.metric}" for one in kpis if one.value is not None],
        trace_id=telemetry.trace_id(),
    )  # fmt: skip


def serve_executive(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.EXECUTIVE_ROOM, ExecutiveDesk(runtime).room)
