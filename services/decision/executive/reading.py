"""What several executive surfaces read and say alike: approvals that wait, and how sure and fresh a set of figures is."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from libs.contracts import subjects
from libs.contracts.errors import CallTimeout, DealixError
from libs.contracts.executive import PendingDecision, RoomFigure
from libs.contracts.message import Page, Principal, Provenance
from libs.contracts.trust import Approval, ApprovalsRequest, ApprovalState
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain.provenance import freshness_hours, local
from services.decision.executive.domain.risks import title_of
from services.decision.executive.rules import rules

VERSION = "executive-1"
PAGES = 5
"""Of more than a thousand approvals that wait the newest thousand are looked through."""
T = TypeVar("T")


async def unless(asked: Awaitable[T]) -> T | None:
    """What was asked for; None where it could not be read."""
    try:
        return await asked
    except DealixError:
        return None


class Approvals:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def pending(self, who: Principal) -> tuple[tuple[Approval, ...], bool]:
        """Approvals that wait, the first due first, and whether there may be more than was looked through. Raises as trust does."""
        found, cursor = list[Approval](), None
        for _ in range(PAGES):
            asked = ApprovalsRequest(principal=who, state=ApprovalState.PENDING, page=Page(limit=200, cursor=cursor))
            reply = await self._runtime.bus.call(subjects.APPROVALS, asked)
            found += reply.items
            cursor = reply.next_cursor
            if cursor is None:
                break
        return tuple(sorted(found, key=lambda one: (one.due_at, one.approval_id))), cursor is not None

    async def waiting(self, who: Principal) -> tuple[Approval, ...] | None:
        """The same; None where they could not be read."""
        found = await unless(self.pending(who))
        return None if found is None else found[0]


def decisions(waiting: tuple[Approval, ...], now: datetime) -> tuple[PendingDecision, ...]:
    """The first of what waits. `waiting` is in the order of its clocks."""
    return tuple(
        PendingDecision(
            approval_id=one.approval_id, title=title_of(one), risk=one.risk, role=one.role, value_sar=one.value_sar, due_at=one.due_at,
            late=now >= one.due_at,
        )
        for one in waiting[: rules().decisions]
    )  # fmt: skip


def origin(figures: tuple[RoomFigure, ...], now: datetime, by: str) -> Provenance:
    """As sure as the share of figures that have data and that nothing speaks against; as fresh as the newest of them.

    Raises CallTimeout when none could be read: a page about nothing is not shown.
    """
    read = [one for one in figures if not one.unread]
    if not read:
        raise CallTimeout("metrics")
    sure = [one for one in figures if one.value is not None and one.caution is None]
    return local(
        now=now, by=by, engine="rules", version=VERSION, confidence=len(sure) / len(figures),
        freshness=freshness_hours(now, [one.as_of for one in read]), sources=[f"metric:{one.metric}" for one in figures if one.value is not None],
        trace_id=telemetry.trace_id(),
    )  # fmt: skip
