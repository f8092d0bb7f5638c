"""Undoing what was done, and settling what nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.dead_letters import LetterCause
from libs.contracts.errors import DealixError, Forbidden, NotFound
from libs.contracts.execution import Action, ActionItem, ActionState, SubmitReply, SubmitRequest
from libs.contracts.message import PrincipalKind, Reason, TenantId, new_id
from libs.contracts.settling import (
    Compensate,
    Compensating,
    CompensationGet,
    CompensationPlan,
    OutcomeSettled,
    SettleUnknown,
)
from libs.contracts.subjects import OUTCOME_SETTLED
from services.execution.dead_letters.domain import Arrival
from services.execution.dead_letters.telling import tell
from services.execution.settling.domain import MARK, undoing
from services.execution.settling.errors import NoCompensation, NotAPerson, NotDone, NotUndone, NotUnknown
from services.execution.store import Store, Unit

SUBMITTERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
SETTLERS = frozenset({"owner", "admin", "approver", "operator"})
ENDED_WITHOUT = frozenset(
    {
        ActionState.REFUSED, ActionState.FAILED, ActionState.NOT_SENT, ActionState.EXPIRED, ActionState.CANCELLED, ActionState.DRAFTED,
    }
)  # fmt: skip
"""States of the undoing action after which undoing may be begun anew."""
Submit = Callable[[SubmitRequest], Awaitable[SubmitReply]]
NEVER_LEFT = Reason(
    code="not_sent_after_all",
    en="The outcome was unknown; it turned out that nothing was sent.",
    ar="كانت النتيجة غير معروفة، ثم تبيّن أنه لم يُرسل شيء.",
)


class Settling:
    def __init__(self, store: Store, submit: Submit, now: Callable[[], datetime]) -> None:
        self._store = store
        self._submit = submit
        self._now = now

    async def compensate(self, request: Compensate) -> Compensating:
        """Submit the action that undoes another. Asking again while that one is under way shows the same one.

        Raises NotFound, Forbidden, NoCompensation, NotDone, NotUndone.
        """
        who, tenant = request.principal, request.principal.tenant_id
        if who.kind is PrincipalKind.AGENT or not SUBMITTERS & set(who.roles):
            raise Forbidden
        async with self._store.unit(tenant) as unit:
            action = await _action(unit, tenant, request.action_id)
            (job,) = await unit.jobs([(tenant, request.action_id, 0, 0)])
            effect = effects().get(job.effect)
            if effect is None or effect.compensation is None:
                raise NoCompensation(action.action_type)
            before = await unit.compensations.of(tenant, request.action_id)
            begun = await unit.action(tenant, before) if before is not None else None
            if begun is not None and begun.state not in ENDED_WITHOUT:
                return _shown(action, begun)
            if action.state is not ActionState.SUCCEEDED:
                raise NotDone(action.state.value)
            # Kept before it is submitted: asking again after a crash in between goes on with the same action.
            undoing_id = before if before is not None and begun is None else new_id()
            await unit.compensations.keep(tenant, request.action_id, undoing_id)
        item = ActionItem(
            action_id=undoing_id,
            action_type=effect.compensation,
            resource=action.resource,
            payload=undoing(action, effect),
            reason=request.reason or f"undoes {action.action_id}",
            run_id=f"{MARK}{action.action_id}",
        )
        (result,) = (await self._submit(SubmitRequest(principal=who, items=(item,)))).results
        if result.error is not None or result.state is None:
            error = result.error or NEVER_LEFT
            raise NotUndone(error.code, error.en, error.ar)
        return Compensating(
            action_id=action.action_id,
            compensating_action_id=undoing_id,
            action_type=effect.compensation,
            state=result.state,
        )

    async def plan(self, request: CompensationGet) -> CompensationPlan:
        """What undoing an action would do, before anybody asks for it. Changes nothing. Raises NotFound, Forbidden."""
        who, tenant = request.principal, request.principal.tenant_id
        if who.kind is PrincipalKind.AGENT:
            raise Forbidden
        async with self._store.unit(tenant) as unit:
            action = await _action(unit, tenant, request.action_id)
            (job,) = await unit.jobs([(tenant, request.action_id, 0, 0)])
            before = await unit.compensations.of(tenant, request.action_id)
            begun = await unit.action(tenant, before) if before is not None else None
        effect = effects().get(job.effect)
        if effect is None or effect.compensation is None:
            return CompensationPlan(action=action, refused=_reason(NoCompensation(action.action_type)))
        made = CompensationPlan(action=action, action_type=effect.compensation, payload=undoing(action, effect))
        if begun is not None and begun.state not in ENDED_WITHOUT:
            made = made.evolve(begun=_shown(action, begun))
        elif action.state is not ActionState.SUCCEEDED:
            made = made.evolve(refused=_reason(NotDone(action.state.value)))
        return made

    async def settle(self, request: SettleUnknown) -> Action:
        """End an unknown outcome by a person's word. What was not sent can then be tried again, as a dead letter.

        Raises NotFound, NotAPerson, Forbidden, NotUnknown.
        """
        who, tenant = request.principal, request.principal.tenant_id
        if who.kind is not PrincipalKind.USER:
            raise NotAPerson
        if not SETTLERS & set(who.roles):
            raise Forbidden
        outcome = ActionState(request.outcome.value)
        async with self._store.unit(tenant) as unit:
            action = await _action(unit, tenant, request.action_id)
            grant = await unit.compensations.settle(tenant, request.action_id, outcome.value, f"settled by {who.id}")
            if grant is None:
                raise NotUnknown(action.state.value)
            unit.emit(
                OUTCOME_SETTLED,
                OutcomeSettled(
                    tenant_id=tenant, action_id=request.action_id, grant_id=grant, outcome=outcome, settled_by=who.id,
                    evidence=request.evidence, at=self._now(),
                ),
            )  # fmt: skip
            if outcome is ActionState.NOT_SENT:
                await never_left(unit, tenant, action, self._now())
            return await _action(unit, tenant, request.action_id)


async def never_left(unit: Unit, tenant: TenantId, action: Action, now: datetime) -> None:
    """An unknown outcome that was no effect becomes a dead letter: a person may try it again."""
    (job,) = await unit.jobs([(tenant, action.action_id, 0, 0)])
    effect = effects().get(job.effect)
    arrival = Arrival(job, effect.connector if effect else "none", LetterCause.NOT_SENT, NEVER_LEFT)
    tell(unit, "arrived", await unit.letters.arrive([arrival]), now)


async def _action(unit: Unit, tenant: TenantId, action_id: UUID) -> Action:
    found = await unit.action(tenant, action_id)
    if found is None:
        raise NotFound
    return found


def _reason(error: DealixError) -> Reason:
    return Reason(code=error.code, en=error.en, ar=error.ar)


def _shown(action: Action, begun: Action) -> Compensating:
    return Compensating(
        action_id=action.action_id,
        compensating_action_id=begun.action_id,
        action_type=begun.action_type,
        state=begun.state,
    )
