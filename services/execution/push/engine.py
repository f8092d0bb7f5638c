"""Carries the ledger out: reads on from each subscription's cursor, makes deliveries, has each tried as a governed action, and hears how
it went.

Nothing is sent from here. A try is an action like any other: trust decides it and grants it once, the gate admits it, the connector signs
and sends. Whoever dies half-way is followed by another replica: the cursor moves in the transaction that keeps the deliveries, and a try's
action has the id that is on record before it is asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from libs.contracts.catalogue.webhook_events import wanted
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, ActionState, SubmitReply, SubmitRequest
from libs.contracts.message import Plane, Principal, PrincipalKind, Reason, new_id
from libs.contracts.push import (
    DeliveryState,
    FeedReply,
    FeedRequest,
    Replaying,
    Subscription,
    SubscriptionDisabled,
    SubscriptionKind,
    SubscriptionState,
)
from libs.contracts.subjects import AUDITED, LEDGER_FEED, SUBSCRIPTION_DISABLED
from libs.contracts.trust import AuditRecorded, LedgerEntry, ResourceRef
from libs.runtime.plane import Runtime
from services.execution.push.domain.batches import Batch, batches
from services.execution.push.domain.forms import body, content
from services.execution.push.domain.reasons import reason_of
from services.execution.push.domain.schedule import SIDE_BY_SIDE, TRIES, Line, wait
from services.execution.push.store import Made, PushRows, Sent, Turns

log = logging.getLogger(__name__)

TASK = "webhook_deliver"
ACTOR = "system:push"
CLAIMED = 10
LOOK_SECONDS, SENDING_SECONDS, IDLE_SECONDS = 2.0, 0.3, 30.0
"""How soon a subscription is looked at again: one that has caught up, one with messages on their way, one that is not active."""
MOST_WAITING = 500
"""Deliveries of one webhook that wait; beyond, the rest stays in the ledger and the cursor where it is."""
_OPEN = frozenset({ActionState.ACCEPTED, ActionState.GRANTED, ActionState.DISPATCHED})
Submit = Callable[[SubmitRequest], Awaitable[SubmitReply]]


@dataclass(frozen=True, slots=True)
class _Try:
    delivery_id: UUID
    action_id: UUID
    message_id: str
    content: Any


class Push:
    def __init__(self, runtime: Runtime, submit: Submit) -> None:
        self._runtime = runtime
        self._submit = submit
        self._chance = SystemRandom().random
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Take turns for ever."""
        while True:
            self.wake.clear()
            if await self.round() < CLAIMED:
                try:
                    async with asyncio.timeout(SENDING_SECONDS):
                        await self.wake.wait()
                except TimeoutError:
                    continue

    async def round(self) -> int:
        """Look at what is due. Returns how many subscriptions there were."""
        async with self._runtime.database.batch() as work:
            claimed = await Turns(work.connection).claim(CLAIMED)
        await asyncio.gather(*(self._turn(tenant, subscription) for tenant, subscription in claimed))
        return len(claimed)

    async def _turn(self, tenant: UUID, subscription_id: UUID) -> None:
        seconds: float | None = LOOK_SECONDS
        try:
            seconds = await self.turn(tenant, subscription_id)
        except DealixError as error:
            # Trust is silent or busy: what waits goes on waiting.
            log.warning("a subscription waits: %s", error.code, extra={"ids": {"subscription": str(subscription_id)}})
        except Exception:
            # One subscription's trouble is not the others'.
            log.exception("a subscription's turn failed", extra={"ids": {"subscription": str(subscription_id)}})
        async with self._runtime.database.batch() as work:
            await Turns(work.connection).done(subscription_id, seconds)

    async def turn(self, tenant: UUID, subscription_id: UUID) -> float | None:
        """One look at one subscription. Returns when the next is due, in seconds; None when there is none."""
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            one = await rows.get(subscription_id)
            if one is None:
                return None
            for sent in await rows.sent(subscription_id):
                await self._hear(work.emit, rows, one, sent)
        if one.state is SubscriptionState.ENDED:
            return None
        if one.state is SubscriptionState.ACTIVE:
            await self._read_on(tenant, one)
            await self._replay(tenant, one)
            await self._resubmit(tenant, one)
            await self._try(tenant, one)
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            sending = await rows.sent(subscription_id)
        if any(sent.state != ActionState.AWAITING_APPROVAL.value for sent in sending):
            return SENDING_SECONDS
        return LOOK_SECONDS if one.state is SubscriptionState.ACTIVE else IDLE_SECONDS

    # -- how tries ended -----------------------------------------------------------------------------------------------------

    async def _hear(self, emit: Callable[..., object], rows: PushRows, one: Subscription, sent: Sent) -> None:
        """Take in how one try stands."""
        if sent.state is None or ActionState(sent.state) in _OPEN:
            return
        state = ActionState(sent.state)
        if state is ActionState.AWAITING_APPROVAL:
            await rows.wait(sent.delivery_id)
            return
        now, line = self._runtime.now(), await rows.line(one.subscription_id)
        if state is ActionState.SUCCEEDED:
            await rows.ended(sent, DeliveryState.DELIVERED, state.value, None, None)
            await rows.keep_line(one.subscription_id, line.succeeded(), None)
            return
        error = reason_of(sent.error, state)
        after = line.failed(error.code, sent.started_at, now, most=one.disable_after, chance=self._chance())
        given_up = one.kind is SubscriptionKind.WEBHOOK and sent.attempts >= TRIES
        due = now + wait(sent.attempts, self._chance())
        ended = DeliveryState.FAILED if given_up else DeliveryState.PENDING
        await rows.ended(sent, ended, state.value, error, None if given_up else due)
        await rows.keep_line(one.subscription_id, after, error)
        if after.disabled and not line.disabled:
            self._disabled(emit, one, after, error)

    def _disabled(self, emit: Callable[..., object], one: Subscription, line: Line, error: Reason) -> None:
        """Tell the ledger and the people: nothing is tried any more until somebody resumes it."""
        now, host = self._runtime.now(), urlsplit(one.url).hostname or ""
        emit(
            SUBSCRIPTION_DISABLED,
            SubscriptionDisabled(
                tenant_id=one.tenant_id, subscription_id=one.subscription_id, host=host, kind=one.kind, failures=line.failures,
                reason=error, at=now,
            ),
        )  # fmt: skip
        emit(
            AUDITED[Plane.EXECUTION],
            AuditRecorded(
                entry_id=new_id(), tenant_id=one.tenant_id, kind="subscription.disabled", actor=ACTOR,
                target=f"subscription:{one.subscription_id}", at=now, data={"failures": line.failures, "code": error.code, "host": host},
            ),
        )  # fmt: skip

    # -- what is new -----------------------------------------------------------------------------------------------------------

    async def _feed(self, tenant: UUID, first: int) -> FeedReply:
        return await self._runtime.bus.call(LEDGER_FEED, FeedRequest(tenant_id=tenant, first=first))

    async def _room(self, tenant: UUID, one: Subscription) -> bool:
        async with self._runtime.database.batch(tenant) as work:
            waiting = await PushRows(work.connection, tenant).open(one.subscription_id)
        return waiting < (1 if one.kind is SubscriptionKind.SIEM else MOST_WAITING)

    async def _read_on(self, tenant: UUID, one: Subscription) -> None:
        """Make deliveries of what the ledger has beyond the cursor."""
        if not await self._room(tenant, one):
            return
        feed = await self._feed(tenant, one.cursor)
        if feed.next <= one.cursor:
            return
        made, after = self._made(one, feed.items, feed.next, None)
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            if await rows.advance(one.subscription_id, one.cursor, after):
                await rows.queue(one.subscription_id, made)

    async def _replay(self, tenant: UUID, one: Subscription) -> None:
        """Go on with a range that somebody asked for again."""
        async with self._runtime.database.batch(tenant) as work:
            asked = await PushRows(work.connection, tenant).replay(one.subscription_id)
        if asked is None or not await self._room(tenant, one):
            return
        feed = await self._feed(tenant, asked.next_seq)
        inside = [entry for entry in feed.items if (entry.seq or 0) <= asked.last_seq]
        end = asked.last_seq + 1
        # A page without a step forward: the log ends before the range does.
        made, after = self._made(one, inside, min(feed.next, end) if feed.next > asked.next_seq else end, asked)
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            if await rows.advance_replay(asked, after, len(made)):
                await rows.queue(one.subscription_id, made)

    def _made(
        self, one: Subscription, entries: Sequence[LedgerEntry], after: int, replay: Replaying | None
    ) -> tuple[list[Made], int]:
        """Deliveries of a page, and where the cursor stands after them: a SIEM gets one batch at a time, a webhook all of them."""
        chosen = [entry for entry in entries if wanted(entry.kind, one.event_types)]
        if one.kind is SubscriptionKind.WEBHOOK:
            made = [self._delivery(one, Batch((entry,)), replay) for entry in chosen]
            return made, after
        cut = batches(chosen)
        if not cut:
            return [], after
        # The first batch alone: what follows it is read again once it has arrived.
        first = cut[0]
        return [self._delivery(one, first, replay)], after if len(cut) == 1 else first.last + 1

    def _delivery(self, one: Subscription, batch: Batch, replay: Replaying | None) -> Made:
        single = batch.entries[0]
        siem = one.kind is SubscriptionKind.SIEM
        return Made(
            delivery_id=new_id(),
            # A repetition of the same entries has the same id: a receiver that has seen them knows it.
            message_id=f"trail_{one.subscription_id.hex}_{batch.first}_{batch.last}"
            if siem
            else f"evt_{single.entry_id.hex}",
            event_type="ledger.trail" if siem else single.kind,
            first_seq=batch.first,
            last_seq=batch.last,
            entries=len(batch.entries),
            content=content(one.form, batch.entries),
            replay_id=replay.replay_id if replay else None,
        )

    # -- trying ----------------------------------------------------------------------------------------------------------------

    async def _try(self, tenant: UUID, one: Subscription) -> None:
        """Begin as many tries as there is room for: on record first, then asked for."""
        siem = one.kind is SubscriptionKind.SIEM
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            sending = len(await rows.sent(one.subscription_id))
            line = await rows.line(one.subscription_id)
            room = line.room(sending, self._runtime.now(), most=1 if siem else SIDE_BY_SIDE)
            tries = []
            for due in await rows.due(one.subscription_id, room, in_order=siem) if room else ():
                made = _Try(due.delivery.delivery_id, new_id(), due.delivery.message_id, due.content)
                await rows.start(made.delivery_id, made.action_id)
                tries.append(made)
        await self._ask(tenant, one, tries)

    async def _resubmit(self, tenant: UUID, one: Subscription) -> None:
        """Ask again for tries whose asking was lost: the same id is the same action."""
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            lost = [sent for sent in await rows.sent(one.subscription_id) if sent.state is None]
            tries = []
            for sent in lost:
                found = await rows.delivery(one.subscription_id, sent.delivery_id)
                if found is not None:
                    tries.append(_Try(sent.delivery_id, sent.action_id, found.message_id, sent.content))
        await self._ask(tenant, one, tries)

    async def _ask(self, tenant: UUID, one: Subscription, tries: Sequence[_Try]) -> None:
        if not tries:
            return
        who = Principal(id=ACTOR, kind=PrincipalKind.SYSTEM, tenant_id=tenant, name="push")
        reply = await self._submit(SubmitRequest(principal=who, items=tuple(_item(one, each) for each in tries)))
        refused = {result.action_id: result.error for result in reply.results if result.error is not None}
        if refused:
            async with self._runtime.database.batch(tenant) as work:
                rows = PushRows(work.connection, tenant)
                for each in tries:
                    if (error := refused.get(each.action_id)) is not None:
                        await rows.refuse(each.delivery_id, error)


def _item(one: Subscription, each: _Try) -> ActionItem:
    """The action of one try. What it says is named by its digest: whoever may read actions may not read the ledger for that."""
    said = body(one.form, each.content)
    return ActionItem(
        action_id=each.action_id,
        action_type=TASK,
        resource=ResourceRef(type="subscription", id=str(one.subscription_id)),
        payload={
            "delivery_id": str(each.delivery_id),
            "message_id": each.message_id,
            "form": one.form.value,
            "host": urlsplit(one.url).hostname or "",
            "url_sha256": sha256(one.url.encode()).hexdigest(),
            "body_sha256": sha256(said).hexdigest(),
        },
        reason="",
    )
