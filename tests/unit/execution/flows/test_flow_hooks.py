"""Hooks hear of every transition that was committed, of none that was not, and can't hold a flow."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.plugins import HookPoint, HookTerms
from libs.contracts.flows import FlowStatus
from libs.contracts.message import Plane, Principal, new_id
from libs.runtime.testing import FakeClock, MemoryHub
from services.execution.flows.backend import LEASE_SECONDS
from services.execution.flows.domain.moving import begin
from services.execution.flows.memory import MemoryBackend
from services.execution.memory import MemoryStore
from services.execution.plugins.api import FlowSeen, Hook, Veto
from services.execution.plugins.flow_hooks import hearing
from services.execution.plugins.hooks import Hooks, Registered
from tests.unit.execution.flows.backend_promises import FlowBackendPromises, definition

pytestmark = pytest.mark.asyncio


class Here:
    async def call(self, hook: Hook, seen: Any, seconds: float) -> object:
        return await hook(seen)


class Hearing:
    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.heard: list[FlowSeen] = []

    async def __call__(self, seen: FlowSeen) -> Any:
        self.heard.append(seen)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Stand:
    """A backend in memory with one hook around it."""

    def __init__(self, hook: Hook) -> None:
        clock = FakeClock()
        self.hub = MemoryHub()
        database = self.hub.bus(Plane.EXECUTION).database
        inner = MemoryBackend(database, MemoryStore(database, now=clock), clock)
        hooks = Hooks((Registered("webinar", HookPoint.ON_FLOW_TRANSITION, HookTerms(), hook, Here()),))
        self.backend = hearing(inner, hooks, clock)


async def moved(stand: Stand, tenant: UUID) -> UUID:
    promises = FlowBackendPromises()
    flow_id = await promises.started(stand.backend, tenant)
    await promises.turn(stand.backend, await promises.held(stand.backend, flow_id))
    return flow_id


async def test_every_committed_transition_is_told_once_and_in_order() -> None:
    hook, tenant = Hearing(), new_id()
    stand = Stand(hook)
    flow_id = await moved(stand, tenant)
    assert {(one.tenant_id, one.flow_id, one.flow) for one in hook.heard} == {(tenant, flow_id, "waits")}
    async with stand.backend.unit(tenant) as unit:
        kept = await unit.revisions(tenant, flow_id, 0, 100)
    assert [(one.seq, one.note) for one in hook.heard] == [(one.seq, one.note) for one in kept]
    assert len(kept) >= 2


async def test_what_is_not_committed_is_not_told() -> None:
    hook, tenant = Hearing(), new_id()
    stand = Stand(hook)
    who = Principal(id="user:1", kind="user", tenant_id=tenant, roles=("operator",))
    with pytest.raises(OSError):
        async with stand.backend.unit(tenant) as unit:
            made = begin(definition("waits"), who, new_id(), {}, await unit.now())
            assert await unit.add([made])
            raise OSError("the database is away")
    assert hook.heard == []


@pytest.mark.parametrize("answer", [Veto("no", "No.", "لا."), RuntimeError("boom"), True])
async def test_whatever_a_hook_answers_the_flow_goes_on(answer: Any) -> None:
    tenant = new_id()
    stand = Stand(Hearing(answer))
    flow_id = await moved(stand, tenant)
    run = await FlowBackendPromises().run(stand.backend, tenant, flow_id)
    assert run.status is FlowStatus.RUNNING


async def test_without_a_hook_there_is_nothing_around_the_backend() -> None:
    clock = FakeClock()
    database = MemoryHub().bus(Plane.EXECUTION).database
    inner = MemoryBackend(database, MemoryStore(database, now=clock), clock)
    assert hearing(inner, Hooks(), clock) is inner


class TestToldBackend(FlowBackendPromises):
    """With a hook around it, a backend keeps every promise."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def backend(self, clock: FakeClock) -> Any:
        database = MemoryHub().bus(Plane.EXECUTION).database
        inner = MemoryBackend(database, MemoryStore(database, now=clock), clock)
        listening = Registered("webinar", HookPoint.ON_FLOW_TRANSITION, HookTerms(), Hearing(), Here())
        return hearing(inner, Hooks((listening,)), clock)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return PermissionError

    @pytest.fixture
    def later(self, clock: FakeClock) -> Any:
        async def ends() -> None:
            clock.advance(seconds=LEASE_SECONDS + 1)

        return ends
