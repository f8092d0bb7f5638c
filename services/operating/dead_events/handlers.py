"""Dead events as people deal with them: list, look, hand over once more, close."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.dead_events import (
    DeadEvent,
    DeadEventDetail,
    DeadEventGet,
    DeadEventsReply,
    DeadEventsRequest,
    DeadEventState,
    DiscardEvent,
    ReplayEvent,
    TakeEvent,
)
from libs.contracts.errors import Conflict, Forbidden, NotFound
from libs.contracts.message import PLATFORM, Principal, new_id
from libs.contracts.paging import before
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.dead_events import DeadEventReader, Retaking
from libs.runtime.plane import Runtime
from services.operating.dead_events.store import DeadEventRows, mine, text_of

log = logging.getLogger(__name__)

READERS = frozenset({"owner", "admin", "operator", "approver", "auditor", "compliance_officer", "member", "api_client"})
WORKERS = frozenset({"owner", "admin", "operator"})
"""Who may act on them: people and keys, never agents."""
FORGET_SECONDS = 3600.0


class NotOpen(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "dead_event_ended", "Somebody has dealt with this event already.", "سبق التعامل مع هذه الرسالة."
        )


class SystemsOwn(Forbidden):
    """An event of several tenants, or of nobody who can be read, is not one tenant's to close."""

    def __init__(self) -> None:
        super().__init__(
            "systems_event", "This event is not your tenant's alone: it can be handed over again, not closed.",
            "هذه الرسالة لا تخص منشأتك وحدها: يمكن إعادة تسليمها ولا يمكن إغلاقها.",
        )  # fmt: skip


class Forgotten(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "dead_event_forgotten", "Its contents were kept for 90 days and are gone.", "حُفظ محتواها 90 يومًا ثم مُحي."
        )


class DeadEvents:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._own = Retaking(runtime.bus, runtime.database)

    async def keep(self, subject: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what a plane gave up on; an alarm in the log, without a word of what it says."""
        async with self._database.batch() as work:
            fresh = await DeadEventRows(work).keep(subject, headers, body)
        if fresh:
            log.error("an event that no plane can take waits for a person", extra={"ids": {"event": subject}})

    async def page(self, request: DeadEventsRequest) -> DeadEventsReply:
        """The tenant's own and the system's, the newest first."""
        who, limit = _one_of(request.principal, READERS), request.page.limit
        async with self._database.batch() as work:
            found = await DeadEventRows(work).page(who.tenant_id, request.state, before(request.page), limit + 1)
        more = len(found) > limit
        items = tuple(_seen(one, who) for one in found[:limit])
        return DeadEventsReply(items=items, next_cursor=str(found[limit - 1].dead_event_id) if more else None)

    async def show(self, request: DeadEventGet) -> DeadEventDetail:
        """With what it says, where it is the tenant's alone. Raises NotFound, for another tenant's as well."""
        who = _one_of(request.principal, READERS)
        async with self._database.batch() as work:
            event, body = await _found(work, who, request.dead_event_id)
        shown = body is not None and _owns(event, who)
        return DeadEventDetail(event=_seen(event, who), body=text_of(body) if shown and body else None, shown=shown)

    async def replay(self, request: ReplayEvent) -> DeadEvent:
        """Hand it to its plane once more; closed once that has taken it.

        Raises NotFound, NotOpen, Forgotten, and what the plane says: unreadable still, or failing still.
        """
        who = _one_of(request.principal, WORKERS)
        async with self._database.batch() as work:
            event, body = await _open(work, who, request.dead_event_id)
        if body is None:
            raise Forgotten
        asked = TakeEvent(subject=event.subject, message_id=event.message_id, body=base64.b64encode(body).decode())
        if event.plane is self._runtime.plane:
            await self._own.take(asked)
        else:
            await self._runtime.bus.call(subjects.TAKE_EVENT[event.plane], asked)
        return await self._end(who, event, DeadEventState.REPLAYED)

    async def discard(self, request: DiscardEvent) -> DeadEvent:
        """Raises NotFound, NotOpen, SystemsOwn."""
        who = _one_of(request.principal, WORKERS)
        async with self._database.batch() as work:
            event, _ = await _open(work, who, request.dead_event_id)
        if not _owns(event, who):
            raise SystemsOwn
        return await self._end(who, event, DeadEventState.DISCARDED, request.reason)

    async def _end(self, who: Principal, event: DeadEvent, state: DeadEventState, note: str = "") -> DeadEvent:
        async with self._database.batch(who.tenant_id) as work:
            await DeadEventRows(work).end(event.dead_event_id, state, who.id, note)
            work.emit(
                subjects.AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(), tenant_id=who.tenant_id, kind=f"dead_event.{state.value}", actor=who.id,
                    target=f"event:{event.dead_event_id}", at=self._runtime.now(),
                    data={"plane": event.plane.value, "subject": event.subject, "error": event.error}, trace_id=telemetry.trace_id(),
                ),
            )  # fmt: skip
            ended, _ = await _found(work, who, event.dead_event_id)
        return _seen(ended, who)

    async def forgetting(self) -> None:
        while True:
            async with self._database.batch() as work:
                await DeadEventRows(work).forget()
            await asyncio.sleep(FORGET_SECONDS)

    async def waiting(self) -> float:
        async with self._database.batch() as work:
            return await DeadEventRows(work).waiting()


def serve_dead_events(runtime: Runtime) -> None:
    """Keep what planes give up on, and answer about it."""
    desk = DeadEvents(runtime)
    runtime.bus.serve(subjects.DEAD_EVENTS, desk.page)
    runtime.bus.serve(subjects.DEAD_EVENT, desk.show)
    runtime.bus.serve(subjects.REPLAY_EVENT, desk.replay)
    runtime.bus.serve(subjects.DISCARD_EVENT, desk.discard)
    runtime.loop("dead events", DeadEventReader(runtime.bus, desk.keep).run)
    runtime.loop("forgetting dead events", desk.forgetting)
    runtime.gauges["dealix_dead_events_open"] = desk.waiting


async def _open(work: BatchWork, who: Principal, dead_event_id: UUID) -> tuple[DeadEvent, bytes | None]:
    event, body = await _found(work, who, dead_event_id, lock=True)
    if event.state is not DeadEventState.OPEN:
        raise NotOpen
    return event, body


async def _found(
    work: BatchWork, who: Principal, dead_event_id: UUID, *, lock: bool = False
) -> tuple[DeadEvent, bytes | None]:
    found = await DeadEventRows(work).get(dead_event_id, lock=lock)
    if found is None or (len(found[0].tenant_ids) == 1 and not _owns(found[0], who)):
        raise NotFound
    return found


def _owns(event: DeadEvent, who: Principal) -> bool:
    return who.tenant_id == PLATFORM or mine(event, who.tenant_id)


def _seen(event: DeadEvent, who: Principal) -> DeadEvent:
    """Nobody learns from an event which other tenants there are."""
    if _owns(event, who):
        return event
    kept = tuple(one for one in event.tenant_ids if one == who.tenant_id)
    shown: DeadEvent = event.evolve(tenant_ids=kept, note="", ended_by=None)
    return shown


def _one_of(who: Principal, roles: frozenset[str]) -> Principal:
    if who.kind.value == "agent" or not roles & set(who.roles):
        raise Forbidden
    return who
