"""Starts and turns that commit together: what each of them may still expect for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import pytest

from libs.contracts.errors import Busy, DealixError
from libs.contracts.flows import Flow, FlowStatus, FlowToStart, StartFlow, StartFlows
from libs.contracts.message import Plane, Principal, new_id
from libs.runtime.testing import FakeClock, MemoryHub
from services.execution.flows.app import Flows, carry
from services.execution.flows.backend import ExecutionBackend, FlowUnit, Key, Saved
from services.execution.flows.domain.run import Transition
from services.execution.flows.handlers import FlowDesk
from services.execution.flows.memory import MemoryBackend
from services.execution.memory import MemoryStore
from services.execution.router import catalogue_router
from tests.unit.execution.flows.declared import definitions


class Broken(Exception):
    pass


class Unit:
    """A unit whose storage can't take one flow, whatever else is in the batch."""

    def __init__(self, unit: FlowUnit, poison: UUID) -> None:
        self._unit = unit
        self._poison = poison

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        if any(one.run.flow_id == self._poison for one in made):
            raise Broken
        return await self._unit.add(made)

    async def save(self, saved: Sequence[Saved], now: datetime) -> None:
        if any(one.made.run.flow_id == self._poison for one in saved):
            raise Broken
        await self._unit.save(saved, now)


class Counted:
    """A backend that counts its units of work."""

    def __init__(self) -> None:
        clock, database = FakeClock(), MemoryHub().bus(Plane.EXECUTION).database
        self._inner = MemoryBackend(database, MemoryStore(database, now=clock), clock)
        self.units = 0
        self.poison = new_id()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[FlowUnit]:
        self.units += 1
        async with self._inner.unit(*tenants) as unit:
            yield cast(FlowUnit, Unit(unit, self.poison))


@pytest.fixture
def backend() -> Counted:
    return Counted()


@pytest.fixture
def flows(backend: Counted) -> Flows:
    bus, carried = MemoryHub().bus(Plane.EXECUTION), cast(ExecutionBackend, backend)
    return carry(carried, bus, catalogue_router(), "replica-1", lambda _: None, definitions())


@pytest.fixture
def desk(backend: Counted, flows: Flows) -> FlowDesk:
    return FlowDesk(cast(ExecutionBackend, backend), flows.definitions, flows.engine)


def person() -> Principal:
    return Principal(id="user:1", kind="user", tenant_id=new_id(), roles=("operator",))


def asked(flow: str = "branches", flow_id: UUID | None = None, by: Principal | None = None, **given: Any) -> StartFlow:
    return StartFlow(principal=by or person(), flow_id=flow_id or new_id(), flow=flow, input=given or {"word": "left"})


async def outcomes(desk: FlowDesk, *starts: StartFlow) -> list[Flow | BaseException]:
    return await asyncio.gather(*(desk.start(one) for one in starts), return_exceptions=True)


async def kept(backend: Counted, start: StartFlow) -> bool:
    tenant = start.principal.tenant_id
    async with backend.unit(tenant) as unit:
        return await unit.get(tenant, start.flow_id) is not None


async def status(backend: Counted, start: StartFlow) -> FlowStatus:
    tenant = start.principal.tenant_id
    async with backend.unit(tenant) as unit:
        found = await unit.get(tenant, start.flow_id)
    assert found is not None
    return found.status


async def test_starts_that_arrive_together_are_kept_in_one_transaction(backend: Counted, desk: FlowDesk) -> None:
    starts = [asked() for _ in range(50)]
    found = await outcomes(desk, *starts)
    assert backend.units == 1
    assert [one.flow_id for one in found if isinstance(one, Flow)] == [one.flow_id for one in starts]
    assert all([await kept(backend, one) for one in starts])


async def test_a_start_that_cant_be_kept_takes_no_other_down(backend: Counted, desk: FlowDesk) -> None:
    starts = [asked() for _ in range(20)]
    starts[7] = asked(flow_id=backend.poison)
    found = await outcomes(desk, *starts)
    assert isinstance(found[7], Broken)
    assert [isinstance(one, Flow) for one in found] == [n != 7 for n in range(20)]
    assert [await kept(backend, one) for one in starts] == [n != 7 for n in range(20)]


async def test_a_start_with_bad_input_is_refused_alone(backend: Counted, desk: FlowDesk) -> None:
    good, bad = asked(), asked(word=["not", "a", "word"])
    found = await outcomes(desk, good, bad)
    assert isinstance(found[0], Flow) and isinstance(found[1], DealixError)
    assert found[1].code == "invalid_payload"
    assert not await kept(backend, bad)


async def test_one_id_twice_in_a_batch_is_one_flow_and_another_input_is_refused(
    backend: Counted, desk: FlowDesk
) -> None:
    first = asked()
    found = await outcomes(desk, first, first, first.evolve(input={"word": "right"}))
    assert isinstance(found[0], Flow) and isinstance(found[1], Flow) and isinstance(found[2], DealixError)
    assert (found[0].flow_id, found[0].seq) == (found[1].flow_id, found[1].seq)
    assert found[2].code == "flow_id_taken"
    async with backend.unit(first.principal.tenant_id) as unit:
        assert len(await unit.revisions(first.principal.tenant_id, first.flow_id, 0, 10)) == 1


async def test_two_tenants_may_choose_the_same_id_in_one_batch(backend: Counted, desk: FlowDesk) -> None:
    one, other = asked(word="left"), asked(word="right")
    other = other.evolve(flow_id=one.flow_id)
    found = await outcomes(desk, one, other)
    assert [f.state["word"] for f in found if isinstance(f, Flow)] == ["left", "right"]
    assert {f.tenant_id for f in found if isinstance(f, Flow)} == {one.principal.tenant_id, other.principal.tenant_id}


async def test_a_start_that_comes_as_a_batch_ends_is_not_left_in_line(desk: FlowDesk) -> None:
    async def one_after_another() -> int:
        return sum([isinstance(await desk.start(asked()), Flow) for _ in range(3)])

    async with asyncio.timeout(20):
        assert await asyncio.gather(*(one_after_another() for _ in range(64))) == [3] * 64


async def test_whoever_stops_waiting_leaves_the_others_answered(backend: Counted, desk: FlowDesk) -> None:
    gone = asyncio.create_task(desk.start(asked()))
    await asyncio.sleep(0)
    stays = asyncio.create_task(desk.start(asked()))
    gone.cancel()
    assert isinstance(await stays, Flow)


async def test_of_many_in_one_request_each_is_kept_or_refused_by_itself(backend: Counted, desk: FlowDesk) -> None:
    who, same = person(), new_id()
    wanted = [FlowToStart(flow_id=new_id(), flow="branches", input={"word": str(n)}) for n in range(150)]
    wanted[2] = wanted[2].evolve(flow="nowhere")
    wanted[4] = wanted[4].evolve(flow_id=backend.poison)
    wanted[6], wanted[7] = wanted[6].evolve(flow_id=same), wanted[7].evolve(flow_id=same)
    results = (await desk.start_many(StartFlows(principal=who, items=tuple(wanted)))).results
    assert [one.flow_id for one in results] == [one.flow_id for one in wanted]
    refused = {at: one.error.code for at, one in enumerate(results) if one.error is not None}
    assert refused == {2: "unknown_flow", 4: "flow_not_kept", 7: "flow_id_taken"}
    assert [one.status is None for one in results] == [at in refused for at in range(150)]
    async with backend.unit(who.tenant_id) as unit:
        stored = {one.flow_id for one in await unit.flows(who.tenant_id, None, None, None, 1000)}
    assert stored == {one.flow_id for one in results if one.status is not None}


async def test_whoever_asks_again_as_soon_as_it_is_answered_is_answered_again(desk: FlowDesk) -> None:
    async def one_after_another() -> None:
        who = person()
        for _ in range(20):
            many = tuple(FlowToStart(flow_id=new_id(), flow="branches", input={}) for _ in range(50))
            await desk.start_many(StartFlows(principal=who, items=many))

    async with asyncio.timeout(20):
        await asyncio.gather(*(one_after_another() for _ in range(4)))


async def test_a_tenants_backlog_has_an_end(desk: FlowDesk) -> None:
    who = person()
    many = tuple(FlowToStart(flow_id=new_id(), flow="branches", input={}) for _ in range(1000))
    asked_for = StartFlows(principal=who, items=many)
    found = await asyncio.gather(*(desk.start_many(asked_for) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(one, Busy) for one in found) == 2


async def test_flows_that_are_due_together_move_in_one_transaction(
    backend: Counted, desk: FlowDesk, flows: Flows
) -> None:
    starts = [asked() for _ in range(30)]
    await outcomes(desk, *starts)
    backend.units = 0
    assert await flows.engine.tick() == 30
    assert backend.units == 1
    assert {await status(backend, one) for one in starts} == {FlowStatus.COMPLETED}


async def test_a_flow_that_cant_be_written_holds_no_other_back(backend: Counted, desk: FlowDesk, flows: Flows) -> None:
    starts = [asked() for _ in range(30)]
    await outcomes(desk, *starts)
    backend.poison = starts[11].flow_id
    await flows.engine.tick()
    stuck = [n for n, one in enumerate(starts) if await status(backend, one) is not FlowStatus.COMPLETED]
    assert stuck == [11]


async def test_a_flow_whose_turn_breaks_holds_no_other_back(
    backend: Counted, desk: FlowDesk, flows: Flows, caplog: pytest.LogCaptureFixture
) -> None:
    starts = [asked() for _ in range(5)]
    await outcomes(desk, *starts)
    async with backend.unit(starts[2].principal.tenant_id) as unit:
        run = await unit.run(starts[2].principal.tenant_id, starts[2].flow_id)
        assert run is not None
        run.tokens[0].at = "no such step"  # a step that no version has: nothing can move from it
        await unit.save([Saved(Transition(run, again=True))], await unit.now())
    backend.units = 0
    await flows.engine.tick()
    assert backend.units == 1
    stuck = [n for n, one in enumerate(starts) if await status(backend, one) is not FlowStatus.COMPLETED]
    assert stuck == [2]
    assert "a flow could not be moved" in caplog.text
