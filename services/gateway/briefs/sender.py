"""Has briefs and answers sent: looks whose request waits, makes the brief, and hands it to execution as an action.

The gateway sends nothing: it alone knows which number is whose, so it asks. Trust decides on its own record of verified numbers and hours,
grants once, and the connector does not send after the hours' end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.briefs import BriefWaiting, MakeBrief, OwnNumber
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, SubmitRequest
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.subjects import APPROVAL_BRIEF, BRIEF_WAITING, OWN_NUMBER, SUBMIT
from libs.contracts.trust import ResourceRef
from libs.runtime.bus import Bus
from services.gateway.briefs.domain import Kind, Outgoing, Recipient, Rules, State, chosen
from services.gateway.domain.keyring import Keyring
from services.gateway.store import Store

log = logging.getLogger(__name__)

TASK = "approval_brief_send"
POLL_SECONDS = 5.0
TENANTS = 20


class BriefSender:
    def __init__(self, store: Store, keyring: Keyring, bus: Bus, now: Callable[[], datetime]) -> None:
        self._store = store
        self._keyring = keyring
        self._bus = bus
        self._now = now

    async def run(self) -> None:
        """Take turns for ever."""
        while True:
            tenants = await self._store.brief_turns(TENANTS)
            for tenant in tenants:
                try:
                    await self.turn(tenant)
                except DealixError as error:
                    # A plane is silent: what waits goes on waiting.
                    log.warning("briefs wait: %s", error.code, extra={"ids": {"tenant": str(tenant)}})
            if len(tenants) < TENANTS:
                await asyncio.sleep(POLL_SECONDS)

    async def turn(self, tenant: UUID) -> None:
        """One look at one tenant: make what is new, send what may go."""
        async with self._store.unit(tenant) as unit:
            rules, waiting = await unit.briefs.rules(), await unit.briefs.waiting()
            people: dict[UUID, Recipient] = {}
            for number in await unit.briefs.numbers():
                user = await unit.user(number.user_id)
                if user is not None and not user.disabled and not user.must_change:
                    people[user.user_id] = Recipient(user, number, await unit.briefs.hours(user.user_id))
        if not rules.enabled:
            return
        busy = {one.user_id for one in waiting if one.kind is Kind.BRIEF}
        for person in people.values():
            if person.user.user_id not in busy and person.open(self._now()):
                waiting += await self._new(tenant, rules, person)
        for one in waiting:
            await self._send(rules, one, people.get(one.user_id))

    async def _new(self, tenant: UUID, rules: Rules, person: Recipient) -> list[Outgoing]:
        """A brief for a person whose decision is waited for; none where there is nothing new to tell."""
        try:
            reply = await self._bus.call(BRIEF_WAITING, BriefWaiting(principal=person.user.principal()))
        except DealixError as error:
            if error.retryable or error.status >= 500:
                raise
            return []  # no approver any more
        async with self._store.unit(tenant) as unit:
            now = await unit.now()
            told, newest = await unit.briefs.told(person.user.user_id)
            about = chosen(rules, reply.items, told, newest, now)
            if not about:
                return []
            made = Outgoing(tenant, new_id(), person.user.user_id, Kind.BRIEF, "", about, now)
            return [made] if await unit.briefs.add(made) else []

    async def _send(self, rules: Rules, one: Outgoing, person: Recipient | None) -> None:
        now = self._now()
        if person is None:
            return await self._end(one, State.DROPPED, "no_number")
        if not person.open(now) or person.hours is None:
            return None
        text, about = one.text, one.approvals
        if one.kind is Kind.BRIEF:
            brief = await self._bus.call(
                APPROVAL_BRIEF,
                MakeBrief(principal=person.user.principal(), brief_id=one.message_id, only=one.approvals),
            )
            if not brief.items:
                return await self._end(one, State.DROPPED, "nothing_left")
            # What did not fit is told in the next one.
            text, about = brief.text, tuple(item.approval_id for item in brief.items)
        number = self._keyring.open("number", person.number.number).decode()
        payload: dict[str, Any] = {"to": number, "body": text, "not_after": person.hours.end_of(now).isoformat()}
        if not person.in_window(now):
            payload |= {"template": rules.template, "language": rules.language}
        own = OwnNumber(tenant_id=one.tenant_id, person=person.user.actor, number=number, hours=person.hours)
        await self._bus.call(OWN_NUMBER, own)
        who = Principal(id="system:briefs", kind=PrincipalKind.SYSTEM, tenant_id=one.tenant_id, name="briefs")
        # The action has the message's id: asked again after a crash, it is the same action.
        item = ActionItem(
            action_id=one.message_id,
            action_type=TASK,
            resource=ResourceRef(type="user", id=str(person.user.user_id)),
            payload=payload,
        )
        (result,) = (await self._bus.call(SUBMIT, SubmitRequest(principal=who, items=(item,)))).results
        if result.error is not None and result.error.code != "idempotency_mismatch":
            return await self._end(one, State.DROPPED, result.error.code)
        return await self._end(one, State.SENT, "", about)

    async def _end(self, one: Outgoing, state: State, detail: str, about: tuple[UUID, ...] | None = None) -> None:
        async with self._store.unit(one.tenant_id) as unit:
            await unit.briefs.end(one.message_id, state, detail, one.approvals if about is None else about)
