"""The in-memory bus keeps the promises of the real one, and refuses what the servers would refuse."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from libs.contracts.data import ContactsChanged
from libs.contracts.errors import CallTimeout, Forbidden, RemoteFault
from libs.contracts.message import Plane, new_id
from libs.contracts.operating import FlagsReply, FlagsRequest, HealthReported
from libs.contracts.subjects import CONTACTS_CHANGED, FLAGS, HEALTH
from libs.runtime.database import SessionWork
from libs.runtime.testing import Disturbance, FakeClock, MemoryHub, NoTables, RefusedByServer

pytestmark = pytest.mark.asyncio
TENANT = new_id()


async def _flags(_: FlagsRequest) -> FlagsReply:
    return FlagsReply(flags={"live.email_smtp": True}, version=3)


def _changed() -> ContactsChanged:
    return ContactsChanged(tenant_id=TENANT, contact_ids=(new_id(),), version=1, at=datetime(2026, 11, 22, tzinfo=UTC))


async def test_a_call_is_answered_by_the_plane_that_serves_it() -> None:
    hub = MemoryHub()
    hub.bus(Plane.OPERATING).serve(FLAGS, _flags)
    trust = hub.bus(Plane.TRUST)
    await hub.start()
    assert (await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT))).flags == {"live.email_smtp": True}


async def test_a_caller_that_the_subject_does_not_name_is_refused_before_the_handler_runs() -> None:
    hub = MemoryHub()
    hub.bus(Plane.OPERATING).serve(FLAGS, _flags)
    data = hub.bus(Plane.DATA)
    await hub.start()
    with pytest.raises(RefusedByServer):
        await data.call(FLAGS, FlagsRequest(tenant_id=TENANT))
    assert hub.calls == []


async def test_a_call_that_nobody_serves_times_out() -> None:
    hub = MemoryHub()
    trust = hub.bus(Plane.TRUST)
    await hub.start()
    with pytest.raises(CallTimeout):
        await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT))


async def test_a_refusal_reaches_the_caller_as_a_fault_with_both_languages() -> None:
    async def refuse(_: FlagsRequest) -> FlagsReply:
        raise Forbidden

    hub = MemoryHub()
    hub.bus(Plane.OPERATING).serve(FLAGS, refuse)
    trust = hub.bus(Plane.TRUST)
    await hub.start()
    with pytest.raises(RemoteFault) as raised:
        await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT))
    assert (raised.value.status, bool(raised.value.en), bool(raised.value.ar)) == (403, True, True)


async def test_a_slow_handler_is_not_waited_for_and_still_ends() -> None:
    ended, release = asyncio.Event(), asyncio.Event()

    async def slow(_: FlagsRequest) -> FlagsReply:
        await release.wait()
        ended.set()
        return FlagsReply(flags={}, version=0)

    hub = MemoryHub()
    hub.bus(Plane.OPERATING).serve(FLAGS, slow)
    trust = hub.bus(Plane.TRUST)
    await hub.start()
    with pytest.raises(CallTimeout):
        await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT), timeout=0.01)
    release.set()
    await hub.settle()
    assert ended.is_set()


@pytest.mark.parametrize(
    ("disturbance", "runs"), [(Disturbance.SILENT, 0), (Disturbance.REPLY_LOST, 1), (Disturbance.GARBLED, 1)]
)
async def test_a_disturbed_call_times_out_and_the_next_one_does_not(disturbance: Disturbance, runs: int) -> None:
    seen: list[FlagsRequest] = []

    async def note(request: FlagsRequest) -> FlagsReply:
        seen.append(request)
        return FlagsReply(flags={}, version=0)

    hub = MemoryHub()
    hub.bus(Plane.OPERATING).serve(FLAGS, note)
    trust = hub.bus(Plane.TRUST)
    await hub.start()
    hub.disturb(FLAGS, disturbance, times=1)
    with pytest.raises(CallTimeout):
        await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT))
    assert len(seen) == runs
    await trust.call(FLAGS, FlagsRequest(tenant_id=TENANT))
    assert len(seen) == runs + 1


async def test_an_event_delivered_twice_is_handled_once() -> None:
    handled: list[ContactsChanged] = []

    async def note(_: SessionWork, event: ContactsChanged) -> None:
        handled.append(event)

    hub = MemoryHub()
    hub.bus(Plane.TRUST).on(CONTACTS_CHANGED, note)
    data = hub.bus(Plane.DATA)
    await hub.start()
    event = _changed()
    async with data.database.work(TENANT) as work:
        work.emit(CONTACTS_CHANGED, event)
    await hub.settle()
    hub.redeliver()
    await hub.settle()
    assert handled == [event]


async def test_a_failed_unit_of_work_publishes_nothing() -> None:
    hub = MemoryHub()
    data = hub.bus(Plane.DATA)
    await hub.start()

    async def fail() -> None:
        async with data.database.work(TENANT) as work:
            work.emit(CONTACTS_CHANGED, _changed())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert hub.published == []


async def test_a_plane_cannot_publish_another_planes_event() -> None:
    hub = MemoryHub()
    execution = hub.bus(Plane.EXECUTION)
    await hub.start()
    with pytest.raises(RefusedByServer):
        async with execution.database.work(TENANT) as work:
            work.emit(CONTACTS_CHANGED, _changed())
    assert hub.published == []


async def test_an_event_waits_for_a_consumer_that_is_down() -> None:
    handled: list[ContactsChanged] = []

    async def note(_: SessionWork, event: ContactsChanged) -> None:
        handled.append(event)

    hub = MemoryHub()
    trust, data = hub.bus(Plane.TRUST), hub.bus(Plane.DATA)
    trust.on(CONTACTS_CHANGED, note)
    await data.start()
    async with data.database.work(TENANT) as work:
        work.emit(CONTACTS_CHANGED, _changed())
    await hub.settle()
    assert handled == []
    await trust.start()
    await hub.settle()
    assert len(handled) == 1


async def test_an_event_that_keeps_failing_becomes_a_dead_letter_and_can_be_replayed() -> None:
    broken = True
    tries = 0

    async def fail(work: SessionWork, _: ContactsChanged) -> None:
        nonlocal tries
        tries += 1
        if broken:
            await work.batch()

    hub = MemoryHub()
    hub.bus(Plane.TRUST).on(CONTACTS_CHANGED, fail)
    data = hub.bus(Plane.DATA)
    await hub.start()
    async with data.database.work(TENANT) as work:
        work.emit(CONTACTS_CHANGED, _changed())
    await hub.settle()
    assert tries == 5
    letter = hub.dead_letters[0]
    assert (letter.error, letter.attempts, letter.consumer) == (NoTables.__name__, 5, Plane.TRUST)
    broken = False
    hub.replay(letter)
    await hub.settle()
    assert hub.dead_letters == []
    assert tries == 6


async def test_a_signal_reaches_its_consumer_and_is_lost_without_one() -> None:
    heard: list[HealthReported] = []

    async def hear(message: HealthReported) -> None:
        heard.append(message)

    hub = MemoryHub()
    operating, data = hub.bus(Plane.OPERATING), hub.bus(Plane.DATA)
    operating.on_signal(HEALTH, hear)
    await data.start()
    report = HealthReported(plane=Plane.DATA, instance="a", version="1", at=FakeClock()(), healthy=True)
    await data.signal(HEALTH, report)
    await operating.start()
    await data.signal(HEALTH, report)
    await hub.settle()
    assert heard == [report]


async def test_the_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    before = clock()
    assert clock() == before
    assert (clock.advance(hours=48) - before).total_seconds() == 48 * 3600
