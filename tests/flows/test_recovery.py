"""Whatever dies, fails or comes twice: an accepted action is never lost, and never performed twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.errors import CallTimeout, RemoteFault
from libs.contracts.execution import Action, ActionState, SandboxRequest, SubmitRequest
from libs.contracts.message import new_id
from libs.contracts.subjects import SANDBOX, SUBMIT
from libs.contracts.trust import AuthorizeReply, AuthorizeRequest
from services.execution.connectors.slack import Slack
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from services.execution.memory import MemoryStore
from services.execution.router import TaskRouter
from services.execution.store import LEASE_SECONDS
from tests.flows.world import (
    OTHER_TENANT,
    REQUESTER,
    TENANT,
    ResourceRef,
    World,
    charge,
    email,
    item,
    notice,
    person,
    world,
)

pytestmark = pytest.mark.asyncio


async def after_the_lease(made: World) -> None:
    made.start()
    for _ in range(3):
        made.clock.advance(seconds=LEASE_SECONDS + 1)
        await made.settle()


class Hang:
    """Stops a connector before or after the wire until the process is dead."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def __call__(self, *_: Any) -> None:
        self.reached.set()
        await asyncio.Event().wait()


async def submit_until(made: World, reached: asyncio.Event, asked: Any) -> None:
    request = SubmitRequest(principal=REQUESTER, items=(asked,))
    await made.gateway.call(SUBMIT, request)
    await asyncio.wait_for(reached.wait(), 5)


# Death -------------------------------------------------------------------------------------------------------------------------


async def test_a_crash_between_dispatch_and_outcome_leaves_a_live_effect_unknown_and_never_repeats_it(
    world: World,
) -> None:
    world.operating.flags = {TENANT: {"live.slack": True}}
    world.wire.before = hang = Hang()
    asked = notice()
    await submit_until(world, hang.reached, asked)
    assert len(world.execution_store.dispatched) == 1
    await world.kill()
    world.wire.before = None
    await after_the_lease(world)
    action = await world.action(asked.action_id)
    assert (action.state, world.wire.sent) == (ActionState.UNKNOWN, [])
    assert len(world.execution_store.dispatched) == 1


async def test_a_crash_between_dispatch_and_outcome_repeats_a_sandbox_effect_that_was_never_kept() -> None:
    """A sandbox effect and its outcome commit together: after the crash there is exactly one message in the mailbox."""
    hang = Hang()

    class DiesOnce(Slack):
        async def perform(self, admitted: Any) -> Any:
            done = await super().perform(admitted)
            if not hang.reached.is_set():
                await hang()
            return done

    async with world(connectors=lambda sandbox, clock: [DiesOnce(sandbox, None, clock)]) as made:  # type: ignore[arg-type]
        asked = notice("once")
        await submit_until(made, hang.reached, asked)
        await made.kill()
        await after_the_lease(made)
        action = await made.action(asked.action_id)
        assert action.state is ActionState.SUCCEEDED, action.timeline
        mailbox = await made.gateway.call(SANDBOX, SandboxRequest(principal=REQUESTER))
        assert [message.request["body"] for message in mailbox.items] == [{"text": "once"}]
        assert len({d.grant_id for d in made.execution_store.dispatched}) == 2


async def test_a_crash_before_the_dispatch_is_taken_up_under_the_same_grant(world: World) -> None:
    decided = asyncio.Event()
    call, handler = world.trust_bus.call_handlers["trust.authorize.v1"]

    async def decides_and_never_answers(request: AuthorizeRequest) -> AuthorizeReply:
        await handler(request)
        decided.set()
        raise CallTimeout("never")

    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, decides_and_never_answers)
    asked = notice()
    await submit_until(world, decided, asked)
    await world.kill()
    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, handler)
    await after_the_lease(world)
    assert (await world.action(asked.action_id)).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1
    assert world.replies[0] == world.replies[1]


async def test_a_crash_right_after_acceptance_loses_nothing(world: World) -> None:
    await world.kill()
    asked = notice()
    accepting = asyncio.create_task(world.gateway.call(SUBMIT, SubmitRequest(principal=REQUESTER, items=(asked,))))
    await asyncio.sleep(0)
    world.start()
    await accepting
    await world.kill()
    await after_the_lease(world)
    assert (await world.action(asked.action_id)).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1


async def test_a_lease_that_is_held_is_not_taken(world: World) -> None:
    world.wire.before = hang = Hang()
    await submit_until(world, hang.reached, notice())
    world.clock.advance(seconds=LEASE_SECONDS - 1)
    assert await world.execution_store.claim("another replica", 10) == []


# Failing vendors -----------------------------------------------------------------------------------------------------------------


async def all_due(made: World, asked: Any) -> Action:
    action = await made.run(asked)
    for _ in range(10):
        made.clock.advance(minutes=2)
        await made.settle()
    return await made.action(action.action_id)


async def test_a_vendor_that_cannot_be_reached_is_tried_three_times_under_a_grant_each(world: World) -> None:
    world.wire.fail_with = [VendorUnavailable("down", "down", "متوقف") for _ in range(9)]
    action = await all_due(world, notice())
    assert action.state is ActionState.FAILED
    assert len(world.wire.sent) == 3
    assert len({one.grant_id for one in world.wire.sent}) == 3


async def test_a_vendor_that_comes_back_gets_it_once_more(world: World) -> None:
    world.wire.fail_with = [VendorUnavailable("down", "down", "متوقف")]
    action = await all_due(world, notice())
    assert (action.state, action.attempt, len(world.wire.sent)) == (ActionState.SUCCEEDED, 2, 2)


async def test_a_vendor_that_says_no_is_not_asked_again(world: World) -> None:
    world.wire.fail_with = [VendorRejected("no", "no", "لا")]
    action = await all_due(world, notice())
    assert (action.state, len(world.wire.sent)) == (ActionState.FAILED, 1)


@pytest.mark.parametrize("error", [OutcomeUnknown("lost", "lost", "ضاع"), RuntimeError("a bug"), KeyError("x")])
async def test_an_outcome_that_nobody_knows_is_never_repeated(world: World, error: Exception) -> None:
    world.wire.fail_with = [error]
    action = await all_due(world, notice())
    assert (action.state, len(world.wire.sent)) == (ActionState.UNKNOWN, 1)


# Twice ---------------------------------------------------------------------------------------------------------------------------


async def test_the_same_submission_twice_is_one_action(world: World) -> None:
    asked = notice()
    first = await world.submit(asked)
    second = await world.submit(asked)
    assert [r.action_id for r in first] == [r.action_id for r in second]
    assert second[0].state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1


async def test_the_same_action_twice_in_one_batch_is_one_action(world: World) -> None:
    asked = notice()
    results = await world.submit(asked, asked, asked)
    assert {r.action_id for r in results} == {asked.action_id}
    assert len(world.wire.sent) == 1


async def test_the_same_key_and_body_is_the_first_action_again(world: World) -> None:
    first = await world.submit(notice("a", idempotency_key="k-1"))
    second = await world.submit(notice("a", idempotency_key="k-1"))
    assert first[0].action_id == second[0].action_id
    assert len(world.wire.sent) == 1


@pytest.mark.parametrize(
    "other",
    [
        notice("b", idempotency_key="k-1"),
        item("research", {"text": "a"}, idempotency_key="k-1"),
        notice("a", idempotency_key="k-1", resource=ResourceRef(type="lead", id="7")),
    ],
)
async def test_the_same_key_for_something_else_is_refused(world: World, other: Any) -> None:
    await world.submit(notice("a", idempotency_key="k-1"))
    (result,) = await world.submit(other)
    assert (result.state, result.error and result.error.code) == (None, "idempotency_mismatch")
    assert [s.payload for s in world.wire.sent] == [{"text": "a"}]


async def test_the_same_id_with_another_payload_is_refused(world: World) -> None:
    asked = notice("a")
    await world.submit(asked)
    (result,) = await world.submit(asked.evolve(payload={"text": "b"}))
    assert (result.state, result.error and result.error.code) == (None, "idempotency_mismatch")


async def test_keys_of_two_tenants_have_nothing_to_do_with_each_other(world: World) -> None:
    them = person(9, tenant=OTHER_TENANT)
    theirs = notice("b", idempotency_key="k-1", resource=ResourceRef(type="tenant", id=str(OTHER_TENANT)))
    first = await world.submit(notice("a", idempotency_key="k-1"))
    second = await world.submit(theirs, by=them)
    assert first[0].action_id != second[0].action_id
    assert [s.payload["text"] for s in world.wire.sent] == ["a", "b"]


async def test_every_event_twice_changes_nothing(world: World) -> None:
    done = await world.approve(await world.run(email(world.contact())))
    before = done
    for _ in range(2):
        world.hub.redeliver()
        await world.settle()
    assert await world.action(done.action_id) == before
    assert len(world.wire.sent) == 1
    assert world.hub.dead_letters == []


# Poison --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "poison",
    [
        notice("nul \x00 inside"),
        item("slack_notify", {"text": "x", "deep": [{"a": "\x00"}]}),
        item("slack_notify", {"text": "x", "\x00": 1}),
        notice(reason="\x00"),
        notice(run_id="\x00"),
        notice(idempotency_key="\x00"),
        notice(approval_token="\x00"),
        notice(resource=ResourceRef(type="tenant", id="\x00")),
        item("slack_notify", {"text": float("1e400") if False else 2**60}),
        item("slack_notify", {"text": "x" * 300_000}),
        item("teleport", {}),
    ],
)
async def test_what_cannot_be_stored_is_said_and_its_neighbours_are_carried_out(world: World, poison: Any) -> None:
    results = await world.submit(notice("before"), poison, notice("after"))
    assert [r.error is None for r in results] == [True, False, True]
    assert results[1].error is not None
    assert results[1].error.en
    assert results[1].error.ar
    assert sorted(s.payload["text"] for s in world.wire.sent) == ["after", "before"]


class _Choking:
    """A store that cannot keep a batch with a certain text in it, as a database that refuses a value."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[Any]:
        async with self._store.unit(*tenants) as unit:
            yield _ChokingUnit(unit)


class _ChokingUnit:
    def __init__(self, unit: Any) -> None:
        self._unit = unit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def accept(self, jobs: Any, owner: str) -> Any:
        if any("poison" in job.payload for job in jobs):
            raise RuntimeError("cannot keep this")
        return await self._unit.accept(jobs, owner)


async def test_one_action_that_the_store_refuses_does_not_take_its_neighbours_down() -> None:
    async with world(over=_Choking) as made:
        texts = ["a", "b", "poison", "c"]
        requests = [SubmitRequest(principal=REQUESTER, items=(notice(text),)) for text in texts]
        answers = await asyncio.gather(
            *(made.gateway.call(SUBMIT, request) for request in requests), return_exceptions=True
        )
        await made.settle()
        assert [isinstance(answer, RemoteFault) for answer in answers] == [False, False, True, False]
        assert sorted(sent.payload["text"] for sent in made.wire.sent) == ["a", "b", "c"]


async def test_a_task_that_fails_does_not_take_its_neighbours_down() -> None:
    async def fails(_: Any, payload: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a bug in a plugin")

    router = TaskRouter()
    router.register("slack_notify")
    router.register("research", fails)
    async with world(router=router) as made:
        results = await made.submit(notice("before"), item("research", {}), notice("after"))
        states = [(await made.action(r.action_id)).state for r in results]
        assert states == [ActionState.SUCCEEDED, ActionState.UNKNOWN, ActionState.SUCCEEDED]


async def test_an_effect_whose_handler_is_gone_does_not_take_its_neighbours_down() -> None:
    router = TaskRouter()
    router.register("slack_notify")
    router.register("research")  # inside, and nobody who does it
    async with world(router=router) as made:
        results = await made.submit(notice("before"), item("research", {}), notice("after"))
        states = [(await made.action(r.action_id)).state for r in results]
        assert (states[0], states[2]) == (ActionState.SUCCEEDED, ActionState.SUCCEEDED)
        assert states[1] in (ActionState.MANUAL, ActionState.FAILED)


async def test_two_task_types_of_one_effect_each_get_their_own_handler() -> None:
    ran: list[str] = []

    def handler(name: str) -> Any:
        async def run(_: Any, payload: dict[str, Any]) -> dict[str, Any]:
            ran.append(name)
            return {}

        return run

    router = TaskRouter()
    router.register("research", handler("research"))
    router.register("market_scan", handler("market_scan"), effect="research")
    async with world(router=router) as made:
        await made.run(item("research", {}))
        await made.run(item("market_scan", {}))
    assert ran == ["research", "market_scan"]


async def test_a_batch_of_large_payloads_is_carried_out(world: World) -> None:
    """A hundred payloads near the limit do not fit into one message to trust; they are carried out all the same."""
    text = "x" * 200_000
    results = []
    for _ in range(3):
        results += await world.submit(*(notice(text) for _ in range(20)))
    waiting = [notice(text) for _ in range(60)]
    halves = [SubmitRequest(principal=REQUESTER, items=tuple(waiting[n : n + 20])) for n in (0, 20, 40)]
    await asyncio.gather(*(world.gateway.call(SUBMIT, half) for half in halves))
    await world.settle()
    assert {(await world.action(a.action_id)).state for a in waiting} == {ActionState.SUCCEEDED}
    assert len(world.wire.sent) == 120


async def test_an_evaluation_that_trust_cannot_read_does_not_keep_its_neighbours_waiting(world: World) -> None:
    """Trust fails on a batch because of one item: the batch is halved until the item stands alone."""
    call, handler = world.trust_bus.call_handlers["trust.authorize.v1"]

    async def chokes(request: AuthorizeRequest) -> AuthorizeReply:
        if any("poison" in evaluation.payload for evaluation in request.evaluations):
            raise RuntimeError("cannot digest this")
        reply: AuthorizeReply = await handler(request)
        return reply

    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, chokes)
    results = await world.submit(*(notice("poison" if n == 3 else f"n{n}") for n in range(8)))
    states = [(await world.action(r.action_id)).state for r in results]
    assert states == [ActionState.SUCCEEDED] * 3 + [ActionState.ACCEPTED] + [ActionState.SUCCEEDED] * 4
    assert len(world.wire.sent) == 7


async def test_an_id_that_another_tenant_has_at_work_is_refused_without_harm(world: World) -> None:
    mine = await world.run(charge())
    them = person(9, tenant=OTHER_TENANT)
    world.wire.before = Hang()
    theirs = charge(resource=ResourceRef(type="tenant", id=str(OTHER_TENANT))).evolve(action_id=mine.action_id)
    results = await world.submit(theirs, by=them)
    assert results[0].error is None  # ours is at rest: the id is free in their own space
    assert (await world.action(mine.action_id)).state is ActionState.AWAITING_APPROVAL


async def test_ids_are_made_in_time_order() -> None:
    assert new_id() < new_id()
