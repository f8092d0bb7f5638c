"""What every backend of flows promises; run over the in-memory one here and over PostgreSQL among the live tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.execution import ActionState
from libs.contracts.flows import FlowStatus
from libs.contracts.message import Principal, new_id
from services.execution.domain.actions import Job
from services.execution.flows.backend import ExecutionBackend, Lease, Saved
from services.execution.flows.domain.definition import Definition
from services.execution.flows.domain.moving import advance, begin
from services.execution.flows.domain.run import Run, Signal, Transition
from services.execution.flows.errors import SignalIdTaken
from tests.unit.execution.flows.declared import definitions
from tests.unit.execution.store_promises import job

ALL = definitions()
MANY = 100_000


def definition(name: str) -> Definition:
    found = ALL.newest(name)
    assert found is not None
    return found


class FlowBackendPromises:
    """Fixtures of the subclass: `backend`; `refusal`, the error of row security; `later`, which lets all leases end."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    async def started(self, backend: ExecutionBackend, tenant: UUID, name: str = "waits") -> UUID:
        who = Principal(id="user:1", kind="user", tenant_id=tenant, roles=("operator",))
        async with backend.unit(tenant) as unit:
            made = begin(definition(name), who, new_id(), {}, await unit.now())
            assert await unit.add([made]) == {made.run.key}
        return made.run.flow_id

    async def lease(self, backend: ExecutionBackend, flow_id: UUID, owner: str = "replica-1") -> Lease | None:
        claimed = await backend.claim(owner, MANY)
        return next((one for one in claimed if one.flow_id == flow_id), None)

    async def held(self, backend: ExecutionBackend, flow_id: UUID, owner: str = "replica-1") -> Lease:
        found = await self.lease(backend, flow_id, owner)
        assert found is not None
        return found

    async def turn(self, backend: ExecutionBackend, lease: Lease, *, keep: bool = False) -> Transition | None:
        """One turn as the engine makes it; None when the lease is somebody else's."""
        async with backend.unit(lease.tenant_id) as unit:
            runs = await unit.held([lease])
            if not runs:
                return None
            now = await unit.now()
            facts = await unit.facts(runs, now)
            made = advance(definition(runs[0].flow), runs[0], facts[lease.key])
            await unit.save([Saved(made, keep)], now)
            jobs = [_job(made.run, one.action_id) for one in made.submissions]
            if jobs:
                await unit.actions.accept(jobs, "replica-1")
        return made

    async def run(self, backend: ExecutionBackend, tenant: UUID, flow_id: UUID) -> Run:
        async with backend.unit(tenant) as unit:
            found = await unit.run(tenant, flow_id)
        assert found is not None
        return found

    async def test_a_new_flow_is_due_and_leased_to_one(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        claims = await asyncio.gather(*(backend.claim(f"replica-{n}", MANY) for n in range(3)))
        assert sum(one.flow_id == flow_id for claimed in claims for one in claimed) == 1

    async def test_the_same_flow_is_added_once(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        async with backend.unit(tenant) as unit:
            run = await unit.run(tenant, flow_id)
            assert run is not None
            assert await unit.add([Transition(run)]) == set()
            assert len(await unit.revisions(tenant, flow_id, 0, 10)) == 1

    async def test_two_tenants_may_choose_the_same_id_and_move_together(
        self, backend: ExecutionBackend, tenant: UUID
    ) -> None:
        other, flow_id = new_id(), new_id()
        people = [Principal(id="user:1", kind="user", tenant_id=one, roles=("operator",)) for one in (tenant, other)]
        async with backend.unit(tenant) as unit:
            first = begin(definition("waits"), people[0], flow_id, {}, await unit.now())
            assert await unit.add([first]) == {(tenant, flow_id)}
        async with backend.unit(tenant, other) as unit:
            both = [begin(definition("waits"), who, flow_id, {}, await unit.now()) for who in people]
            assert await unit.add(both) == {(other, flow_id)}
            assert len(await unit.revisions(tenant, flow_id, 0, 10)) == 1
            assert len(await unit.revisions(other, flow_id, 0, 10)) == 1
        leases = [one for one in await backend.claim("replica-1", MANY) if one.flow_id == flow_id]
        async with backend.unit(tenant, other) as unit:
            runs = await unit.held(leases)
            assert {run.key for run in runs} == {(tenant, flow_id), (other, flow_id)}
            assert set(await unit.facts(runs, await unit.now())) == {run.key for run in runs}

    async def test_a_turn_and_its_actions_commit_together_or_not_at_all(
        self, backend: ExecutionBackend, tenant: UUID
    ) -> None:
        flow_id = await self.started(backend, tenant)
        lease = await self.held(backend, flow_id)
        with pytest.raises(ZeroDivisionError):
            async with backend.unit(tenant) as unit:
                (run,) = await unit.held([lease])
                now = await unit.now()
                made = advance(definition("waits"), run, (await unit.facts([run], now))[run.key])
                await unit.save([Saved(made)], now)
                await unit.actions.accept([_job(run, made.submissions[0].action_id)], "replica-1")
                raise ZeroDivisionError
        async with backend.unit(tenant) as unit:
            assert await unit.actions.action(tenant, made.submissions[0].action_id) is None
            assert len(await unit.revisions(tenant, flow_id, 0, 10)) == 1
        assert (await self.turn(backend, lease)) is not None

    async def test_a_zombies_turn_is_refused(
        self, backend: ExecutionBackend, tenant: UUID, later: Callable[[], Awaitable[None]]
    ) -> None:
        flow_id = await self.started(backend, tenant)
        zombie = await self.held(backend, flow_id, "replica-1")
        await later()
        heir = await self.held(backend, flow_id, "replica-2")
        assert heir.epoch > zombie.epoch
        assert await backend.heartbeat("replica-1", [zombie]) == set()
        assert await self.turn(backend, zombie) is None
        assert await self.turn(backend, heir) is not None

    async def test_a_heartbeat_keeps_the_lease(
        self, backend: ExecutionBackend, tenant: UUID, later: Callable[[], Awaitable[None]]
    ) -> None:
        flow_id = await self.started(backend, tenant)
        lease = await self.held(backend, flow_id)
        await later()
        assert await backend.heartbeat("replica-1", [lease]) == {flow_id}
        assert await self.lease(backend, flow_id, "replica-2") is None

    async def test_a_command_fences_whoever_has_the_flow_in_hand(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        lease = await self.held(backend, flow_id)
        async with backend.unit(tenant) as unit:
            assert await unit.take(tenant, flow_id) is not None
        assert await self.turn(backend, lease) is None

    async def test_a_settled_action_makes_its_flow_due(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        made = await self.turn(backend, await self.held(backend, flow_id))
        assert made is not None
        assert await self.lease(backend, flow_id) is None
        async with backend.unit(tenant) as unit:
            await unit.actions.end(tenant, made.submissions[0].action_id, ActionState.CANCELLED, "test")
        lease = await self.held(backend, flow_id)
        failed = await self.turn(backend, lease)
        assert failed is not None and failed.run.status is FlowStatus.FAILED

    async def test_a_signal_is_kept_once_and_wakes_its_flow(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        await self.turn(backend, await self.held(backend, flow_id))
        signal = Signal(new_id(), "replied", {"text": "نعم"}, "user:1")
        for expected in (True, False):
            async with backend.unit(tenant) as unit:
                assert await unit.add_signal(tenant, flow_id, signal) is expected
        with pytest.raises(SignalIdTaken):
            async with backend.unit(tenant) as unit:
                await unit.add_signal(tenant, flow_id, Signal(signal.signal_id, "replied", {"text": "other"}, "user:1"))
        await self.held(backend, flow_id)
        async with backend.unit(tenant) as unit:
            run = await unit.run(tenant, flow_id)
            assert run is not None
            facts = (await unit.facts([run], await unit.now()))[run.key]
        assert [(one.name, one.payload) for one in facts.signals] == [("replied", {"text": "نعم"})]

    async def test_a_signal_that_comes_during_a_turn_is_not_lost(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant)
        lease = await self.held(backend, flow_id)
        async with backend.unit(tenant) as unit:
            await unit.add_signal(tenant, flow_id, Signal(new_id(), "replied", {"text": "early"}, "user:1"))
        await self.turn(backend, lease)
        assert await self.lease(backend, flow_id) is not None

    async def test_other_tenants_see_and_change_nothing(
        self, backend: ExecutionBackend, tenant: UUID, refusal: type[Exception]
    ) -> None:
        flow_id = await self.started(backend, tenant)
        other = new_id()
        async with backend.unit(other) as unit:
            assert await unit.get(tenant, flow_id) is None
            assert await unit.revisions(tenant, flow_id, 0, 10) == []
            assert await unit.flows(tenant, None, None, None, 10) == []
        with pytest.raises(refusal):
            async with backend.unit(other) as unit:
                await unit.add_signal(tenant, flow_id, Signal(new_id(), "replied", {}, "user:1"))

    async def test_lists_filter_and_go_backwards(self, backend: ExecutionBackend, tenant: UUID) -> None:
        ids = [await self.started(backend, tenant, name) for name in ("waits", "two_acts", "waits")]
        async with backend.unit(tenant) as unit:
            every = await unit.flows(tenant, None, None, None, 10)
            assert [one.flow_id for one in every] == ids[::-1]
            assert [one.flow_id for one in await unit.flows(tenant, "waits", FlowStatus.RUNNING, ids[2], 10)] == ids[:1]
            assert await unit.flows(tenant, "waits", FlowStatus.FAILED, None, 10) == []

    async def test_a_contacts_open_flows_are_found_by_name(self, backend: ExecutionBackend, tenant: UUID) -> None:
        who = Principal(id="user:1", kind="user", tenant_id=tenant, roles=("operator",))
        contact = new_id()
        given = {"contact_id": str(contact), "letter": {}}
        async with backend.unit(tenant) as unit:
            made = begin(definition("mail"), who, new_id(), given, await unit.now())
            await unit.add([made])
            assert await unit.about(tenant, "mail", contact_id=str(contact)) == [made.run.flow_id]
            assert await unit.about(tenant, "waits", contact_id=str(contact)) == []
            assert await unit.about(tenant, "mail", contact_id=str(new_id())) == []
            assert await unit.about(tenant, "mail", contact_id=str(contact), deal_id="d-1") == []

    async def test_an_ended_flow_can_be_made_due_again(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant, "loops")
        await self.turn(backend, await self.held(backend, flow_id))
        assert await self.lease(backend, flow_id) is None
        run = await self.run(backend, tenant, flow_id)
        async with backend.unit(tenant) as unit:
            await unit.revive(run)
        assert await self.lease(backend, flow_id) is not None

    async def test_live_versions_are_known_until_their_flows_end(self, backend: ExecutionBackend, tenant: UUID) -> None:
        flow_id = await self.started(backend, tenant, "loops")
        assert ("loops", 1) in await backend.live()
        made = await self.turn(backend, await self.held(backend, flow_id))
        assert made is not None and made.run.status is FlowStatus.COMPLETED
        assert ("loops", 1) not in await backend.live()


def _job(run: Run, action_id: UUID, **changes: Any) -> Job:
    return job(run.tenant_id, action_id=action_id, run_id=f"flow:{run.flow_id}", **changes)
