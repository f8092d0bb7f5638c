"""Dead letters as people work with them: list, inspect, try again, change and submit anew, discard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from libs.contracts.dead_letters import (
    DeadLetter,
    DeadLetterDetail,
    DeadLetterGet,
    DeadLettersReply,
    DeadLettersRequest,
    DiscardLetter,
    LetterState,
    ReplayLetter,
    ResubmitLetter,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.execution import Action, ActionItem, SubmitReply, SubmitRequest
from libs.contracts.message import Principal, new_id
from libs.contracts.paging import before, page_of
from libs.runtime import telemetry
from services.execution.dead_letters.errors import LetterEnded, NotReplayable, NotResubmitted
from services.execution.dead_letters.store import Clocks
from services.execution.dead_letters.telling import tell, tell_closed
from services.execution.store import Store, Unit

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "member", "api_client"})
WORKERS = frozenset({"owner", "admin", "approver", "operator"})
"""Who may act on a dead letter. An agent may not: what it could not do, a person looks at."""
POLL_SECONDS = 60.0
BATCH = 100
Submit = Callable[[SubmitRequest], Awaitable[SubmitReply]]


class DeadLetters:
    def __init__(self, store: Store, submit: Submit, wake: asyncio.Event, now: Callable[[], datetime]) -> None:
        self._store = store
        self._submit = submit
        self._wake = wake
        self._now = now

    async def page(self, request: DeadLettersRequest) -> DeadLettersReply:
        """Dead letters of the tenant, the newest first."""
        _require(request.principal, READERS)
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._store.unit(tenant) as unit:
            found = await unit.letters.page(tenant, request.state, before(request.page), limit + 1)
        items, more = page_of(found, limit, lambda one: one.dead_letter_id)
        return DeadLettersReply(items=items, next_cursor=more)

    async def show(self, request: DeadLetterGet) -> DeadLetterDetail:
        """Raises NotFound, for another tenant's letter as well."""
        _require(request.principal, READERS)
        tenant = request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            letter = await unit.letters.get(tenant, request.dead_letter_id)
            if letter is None:
                raise NotFound
            return DeadLetterDetail(letter=letter, action=await _action(unit, letter))

    async def replay(self, request: ReplayLetter) -> Action:
        """Raises NotFound, LetterEnded, NotReplayable."""
        who = request.principal
        _require(who, WORKERS)
        async with self._store.unit(who.tenant_id) as unit:
            letter = await _open(unit, who, request.dead_letter_id)
            trace_id, headers = telemetry.trace_id(), telemetry.headers()
            if not await unit.letters.reopen(
                who.tenant_id, letter.action_id, f"replayed by {who.id}", trace_id, headers
            ):
                raise NotReplayable((await _action(unit, letter)).state.value)
            ended = await unit.letters.end(letter, LetterState.REPLAYED, who.id)
            tell_closed(unit, "replayed", ended, await _left(unit, ended), self._now(), who.id)
            found = await _action(unit, letter)
        self._wake.set()
        return found

    async def resubmit(self, request: ResubmitLetter) -> DeadLetter:
        """Submit the letter's action anew, changed. The new action's id is kept first, so that asking again submits nothing twice.

        Raises NotFound, LetterEnded, NotResubmitted with the reason why it was not accepted.
        """
        who = request.principal
        _require(who, WORKERS)
        async with self._store.unit(who.tenant_id) as unit:
            letter = await _open(unit, who, request.dead_letter_id)
            action = await _action(unit, letter)
            if letter.new_action_id is None:
                letter = await unit.letters.end(letter, LetterState.OPEN, who.id, new_action_id=new_id())
        assert letter.new_action_id is not None
        item = ActionItem(
            action_id=letter.new_action_id,
            action_type=action.action_type,
            resource=action.resource,
            payload=action.payload if request.payload is None else request.payload,
            reason=request.reason or f"dead letter {letter.dead_letter_id}",
        )
        (result,) = (await self._submit(SubmitRequest(principal=who, items=(item,)))).results
        if result.error is not None:
            raise NotResubmitted(result.error.code, result.error.en, result.error.ar)
        async with self._store.unit(who.tenant_id) as unit:
            letter = await _open(unit, who, request.dead_letter_id)
            ended = await unit.letters.end(letter, LetterState.RESUBMITTED, who.id)
            left, new = await _left(unit, ended), str(ended.new_action_id)
            tell_closed(unit, "resubmitted", ended, left, self._now(), who.id, new_action_id=new)
        return ended

    async def discard(self, request: DiscardLetter) -> DeadLetter:
        """Raises NotFound, LetterEnded."""
        who = request.principal
        _require(who, WORKERS)
        async with self._store.unit(who.tenant_id) as unit:
            letter = await _open(unit, who, request.dead_letter_id)
            ended = await unit.letters.end(letter, LetterState.DISCARDED, who.id, request.reason)
            # The reason is a person's free text: it stays with the letter, where it can be erased.
            tell_closed(unit, "discarded", ended, await _left(unit, ended), self._now(), who.id)
        return ended


class Ages:
    """Says again, day after day, that a letter is still open."""

    def __init__(self, store: Store, clocks: Clocks, now: Callable[[], datetime]) -> None:
        self._store = store
        self._clocks = clocks
        self._now = now

    async def run(self) -> None:
        while True:
            await self.run_once()
            await asyncio.sleep(POLL_SECONDS)

    async def run_once(self) -> None:
        for tenant, letter_id in await self._clocks.due(BATCH):
            async with self._store.unit(tenant) as unit:
                letter = await unit.letters.get(tenant, letter_id)
                if letter is not None and letter.state is LetterState.OPEN:
                    tell(unit, "aged", [letter], self._now())


async def _open(unit: Unit, who: Principal, letter_id: UUID) -> DeadLetter:
    letter = await unit.letters.get(who.tenant_id, letter_id, lock=True)
    if letter is None:
        raise NotFound
    if letter.state is not LetterState.OPEN:
        raise LetterEnded(letter.state.value)
    return letter


async def _left(unit: Unit, ended: DeadLetter) -> int:
    return await unit.letters.still_open(ended.tenant_id, ended.connector, ended.error.code)


async def _action(unit: Unit, letter: DeadLetter) -> Action:
    found = await unit.action(letter.tenant_id, letter.action_id)
    if found is None:
        raise NotFound
    return found


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if principal.kind.value == "agent" or not roles & set(principal.roles):
        raise Forbidden
