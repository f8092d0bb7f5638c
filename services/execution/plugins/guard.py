"""Where hooks meet the pipeline: what an objection does to an action.

A hook can hold back what trust granted and can't grant what trust did not: nothing here makes a decision wider.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from libs.contracts.catalogue.plugins import HookPoint
from libs.contracts.execution import ActionsSettled, ActionState, Settled
from libs.contracts.message import Plane, Reason, new_id
from libs.contracts.subjects import ACTIONS_SETTLED, AUDITED
from libs.contracts.trust import AuditRecorded, Decision, Outcome
from services.execution.domain.actions import Job
from services.execution.gate import Admitted
from services.execution.plugins.api import Seen
from services.execution.plugins.hooks import Failure, Hooks, Objection
from services.execution.store import Move, Store, Unit

log = logging.getLogger(__name__)

MAX_TRIES = 5
"""How often a hook that does not answer is asked about one action before the action fails."""
WAIT = (0.5, 1.0, 2.0, 5.0, 10.0)

Going = tuple[Job, Admitted, Decision]


class Guard:
    """Asks hooks about a batch. Without hooks it costs a look into a dictionary."""

    def __init__(self, hooks: Hooks, store: Store, now: Callable[[], datetime]) -> None:
        self._hooks = hooks
        self._store = store
        self._now = now

    async def before_authorize(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The actions that no hook objects to; the others are refused, or wait when a hook did not answer."""
        point = HookPoint.BEFORE_AUTHORIZE
        if not self._hooks.listens(point):
            return jobs
        objections = await asyncio.gather(*(self._hooks.objection(point, partial(seen, point, job)) for job in jobs))
        held = [(job, one) for job, one in zip(jobs, objections, strict=True) if one is not None]
        if held:
            async with self._store.unit(*sorted({job.tenant_id for job, _ in held})) as unit:
                moved = await unit.move([_move(job, one, None) for job, one in held])
                self._record(unit, [(job, one) for job, one in held if job.key in moved])
        return [job for job, one in zip(jobs, objections, strict=True) if one is None]

    async def before_dispatch(self, decided: Sequence[tuple[Job, Decision]], going: Sequence[Going]) -> list[Going]:
        """What of a decided batch may go on to its dispatch. Grants of what is held are closed as not sent, in one transaction with the
        actions' states."""
        after, before = HookPoint.AFTER_DECISION, HookPoint.BEFORE_DISPATCH
        if not (self._hooks.listens(after) or self._hooks.listens(before)):
            return list(going)
        # A decision that lets nothing go leaves nothing to hold back: its hooks hear it, and what they say changes nothing.
        rest = [(job, d) for job, d in decided if d.outcome is not Outcome.GRANTED]
        failures = await asyncio.gather(
            *(self._hooks.tell(after, partial(seen, after, job, d.outcome.value)) for job, d in rest)
        )
        objections = await asyncio.gather(*(self._first(job) for job, _, _ in going))
        held = [(one, why) for one, why in zip(going, objections, strict=True) if why is not None]
        if held:
            await self._hold(held)
        await self._report([(job, each) for (job, _), found in zip(rest, failures, strict=True) for each in found])
        return [one for one, why in zip(going, objections, strict=True) if why is None]

    async def _first(self, job: Job) -> Objection | None:
        granted = Outcome.GRANTED.value
        for point in (HookPoint.AFTER_DECISION, HookPoint.BEFORE_DISPATCH):
            found = await self._hooks.objection(point, partial(seen, point, job, granted))
            if found is not None:
                return found
        return None

    async def _hold(self, held: Sequence[tuple[Going, Objection]]) -> None:
        async with self._store.unit(*sorted({one[0].tenant_id for one, _ in held})) as unit:
            moved = await unit.move([_move(job, why, decision) for (job, _, decision), why in held])
            closed = [
                Settled(
                    tenant_id=job.tenant_id, action_id=job.action_id, attempt=job.attempt, action_type=job.action_type,
                    grant_id=admitted.claims.grant_id, outcome=ActionState.NOT_SENT, error=why.veto.code, at=self._now(),
                )
                for (job, admitted, _), why in held
            ]  # fmt: skip
            unit.emit(ACTIONS_SETTLED, ActionsSettled(items=tuple(closed)))
            self._record(unit, [(job, why) for (job, _, _), why in held if job.key in moved])

    async def after_outcome(self, ended: Sequence[tuple[Job, ActionState, str]]) -> None:
        """Tell hooks how actions ended, after that was committed. A failing hook is reported and changes nothing."""
        point = HookPoint.AFTER_OUTCOME
        if not self._hooks.listens(point):
            return
        found = await asyncio.gather(
            *(self._hooks.tell(point, partial(seen, point, j, s.value, e)) for j, s, e in ended)
        )
        await self._report(
            [(job, each) for (job, _, _), failures in zip(ended, found, strict=True) for each in failures]
        )

    async def _report(self, failures: Sequence[tuple[Job, Failure]]) -> None:
        if not failures:
            return
        async with self._store.unit(*sorted({job.tenant_id for job, _ in failures})) as unit:
            for job, one in failures:
                self._note(unit, job, "plugin.hook_failed", one.plugin, point=one.point.value, error=one.error)
        log.warning("hooks failed after the fact", extra={"ids": {"actions": len(failures)}})

    def _record(self, unit: Unit, held: Sequence[tuple[Job, Objection]]) -> None:
        for job, one in held:
            kind = "plugin.hook_failed" if one.failed else "plugin.vetoed"
            self._note(unit, job, kind, one.plugin, point=one.point.value, code=one.veto.code)

    def _note(self, unit: Unit, job: Job, kind: str, plugin: str, **data: str) -> None:
        entry = AuditRecorded(
            entry_id=new_id(), tenant_id=job.tenant_id, kind=kind, actor=f"plugin:{plugin}", target=f"action:{job.action_id}",
            at=self._now(), data=data, trace_id=job.trace_id,
        )  # fmt: skip
        unit.emit(AUDITED[Plane.EXECUTION], entry)


def seen(point: HookPoint, job: Job, outcome: str = "", error: str = "") -> Seen:
    """A fresh copy of what a hook may know of an action."""
    return Seen(
        point=point, tenant_id=job.tenant_id, action_id=job.action_id, action_type=job.action_type, effect=job.effect, attempt=job.attempt,
        resource_type=job.resource.type, resource_id=job.resource.id, reason=job.reason, payload=json.loads(job.payload), outcome=outcome,
        error=error,
    )  # fmt: skip


def _move(job: Job, why: Objection, decision: Decision | None) -> Move:
    """Refused by an objection; again later when a hook only did not answer, until that has lasted."""
    reason = Reason(code=why.veto.code, en=why.veto.en, ar=why.veto.ar)
    detail = f"plugin {why.plugin}: {why.veto.code}"
    if not why.failed:
        return Move(job, ActionState.REFUSED, detail, True, decision, error=why.veto.code, reasons=(reason,))
    if job.tries >= MAX_TRIES:
        return Move(job, ActionState.FAILED, detail, True, decision, error=why.veto.code, reasons=(reason,))
    # A granted attempt is over with its grant; one that trust has not decided yet goes on as it is.
    return Move(
        job, ActionState.ACCEPTED, detail, False, error=why.veto.code, waiting_for="plugin", reasons=(reason,),
        due_seconds=WAIT[min(job.tries, len(WAIT) - 1)], next_attempt=job.attempt + 1 if decision is not None else None,
    )  # fmt: skip
