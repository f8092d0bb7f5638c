"""One question to one provider, as an action like any other: accepted, decided by trust, admitted once, performed, settled.

It is carried by whoever asked, outside the line: an answer takes seconds, and a batch of messages is not to wait for it. What does not
end at once (trust is silent, the connector is paused or resting) is taken back, because whoever asked does not wait for days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.contracts.execution import Action, ActionItem, ActionState
from libs.contracts.message import Principal, PrincipalKind, Reason, new_id
from libs.contracts.trust import ResourceRef
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.execution.domain.actions import Job, read
from services.execution.models.calls import Calls, Question
from services.execution.models.domain.forms import Answer
from services.execution.router import TaskRouter
from services.execution.store import Store

ACTOR = "system:models"
MOST_SECONDS = 22.0
"""One question, its tries included: well within the lease under which its action is carried."""
_WAITS = frozenset({ActionState.ACCEPTED, ActionState.AWAITING_APPROVAL})
Carry = Callable[[Sequence[Job]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it: an answer, or the code of why there is none. `left` says that the question reached the provider."""

    action_id: UUID
    code: str = ""
    answer: Answer | None = None
    left: bool = False


class Asking:
    """`carry` moves a batch of accepted actions as far as it goes."""

    def __init__(self, runtime: Runtime, store: Store, router: TaskRouter, carry: Carry, calls: Calls) -> None:
        self._runtime = runtime
        self._store = store
        self._router = router
        self._carry = carry
        self._calls = calls

    async def ask(
        self, tenant: UUID, effect: str, provider: str, agent: str, body: bytes, facts: dict[str, Any], seconds: float
    ) -> Asked:
        """Ask, and wait for the end. `facts` are what trust decides on beside its own: which model, whether personal data is in it."""
        item = ActionItem(
            action_id=new_id(),
            action_type=effect,
            resource=ResourceRef(type="agent", id=agent),
            payload={"provider": provider, "agent": agent, "body_sha256": sha256(body).hexdigest(), **facts},
            reason="",
        )
        until = asyncio.get_running_loop().time() + min(seconds, MOST_SECONDS)
        question = Question(tenant, provider, body, until)
        self._calls.open(item.action_id, question)
        try:
            found = await self._through(tenant, item)
        finally:
            self._calls.close(item.action_id)
        if isinstance(found, Reason):
            return Asked(item.action_id, found.code)
        if found.state is ActionState.SUCCEEDED and question.answer is not None:
            return Asked(item.action_id, answer=question.answer, left=True)
        if found.state is ActionState.SUCCEEDED:
            code = "unreadable_answer" if question.unreadable else "sandbox"
            return Asked(item.action_id, code, left=bool(question.unreadable))
        left = found.state in (ActionState.FAILED, ActionState.UNKNOWN)
        return Asked(item.action_id, _why(found), left=left)

    async def _through(self, tenant: UUID, item: ActionItem) -> Action | Reason:
        who = Principal(id=ACTOR, kind=PrincipalKind.SYSTEM, tenant_id=tenant, name="models")
        job = read(item, who, self._router.registered, telemetry.headers(), telemetry.trace_id())
        if isinstance(job, Reason):
            return job
        async with self._store.unit(tenant) as unit:
            await unit.accept([job], self._runtime.instance)
        await self._carry([job])
        async with self._store.unit(tenant) as unit:
            found = await unit.action(tenant, item.action_id)
            if found is not None and found.state in _WAITS:
                await unit.end(tenant, item.action_id, ActionState.CANCELLED, "nobody waits for it")
        if found is None:
            raise RuntimeError(f"{item.action_id} was accepted and is not there")
        return found


def _why(found: Action) -> str:
    """A code of why an action came to nothing."""
    if found.state is ActionState.REFUSED and found.reasons:
        return found.reasons[0].code
    if found.state is ActionState.AWAITING_APPROVAL:
        return "needs_approval"
    if found.state is ActionState.ACCEPTED:
        return f"waits_for_{found.waiting_for or 'another_try'}"
    return (found.timeline[-1].detail if found.timeline else "") or found.state.value
