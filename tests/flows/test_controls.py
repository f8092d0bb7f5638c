"""A stop stops: before anything is dispatched, whoever ordered it, and when nobody can tell whether it was ordered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState, CancelAction, ControlRow
from libs.contracts.message import PLATFORM
from libs.contracts.subjects import APPROVE, CANCEL, EXECUTION_CONTROL
from libs.contracts.trust import AuthorizeReply, AuthorizeRequest
from services.execution.memory import MemoryStore
from tests.flows.world import (
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    TENANT,
    ResourceRef,
    World,
    email,
    item,
    notice,
    person,
    vote,
    world,
)

pytestmark = pytest.mark.asyncio


async def order(
    made: World, paused: bool, version: int, *, tenant: UUID = PLATFORM, scope: str = "all", target: str = "*"
) -> bool:
    row = ControlRow(tenant_id=tenant, scope=scope, target=target, paused=paused, version=version)
    return (await made.operating_bus.call(EXECUTION_CONTROL, row)).acknowledged


async def wait_and_settle(made: World) -> None:
    made.clock.advance(seconds=60)
    await made.settle()


async def test_an_emergency_stop_holds_everything_and_lets_go_of_it_when_it_ends(world: World) -> None:
    assert await order(world, True, 1)
    results = await world.submit(notice("a"), item("research", {}), notice("b"))
    for _ in range(3):
        await wait_and_settle(world)
    actions = [await world.action(r.action_id) for r in results]
    assert {(a.state, a.waiting_for) for a in actions} == {(ActionState.ACCEPTED, "control")}
    assert (world.wire.sent, world.execution_store.dispatched, world.requests) == ([], (), [])
    await order(world, False, 2)
    await wait_and_settle(world)
    assert {(await world.action(r.action_id)).state for r in results} == {ActionState.SUCCEEDED}
    assert len(world.wire.sent) == 2


@pytest.mark.parametrize(
    ("scope", "target"),
    [("tenant", str(TENANT)), ("connector", "slack"), ("action_type", "slack_notify"), ("all", "*")],
)
@pytest.mark.parametrize("owner", [PLATFORM, TENANT])
async def test_a_pause_holds_what_it_names(world: World, owner: UUID, scope: str, target: str) -> None:
    await order(world, True, 1, tenant=owner, scope=scope, target=target)
    action = await world.run(notice())
    assert (action.state, action.waiting_for, world.wire.sent) == (ActionState.ACCEPTED, "control", [])


@pytest.mark.parametrize(
    ("owner", "scope", "target"),
    [
        (PLATFORM, "connector", "whatsapp"),
        (PLATFORM, "action_type", "send_email"),
        (PLATFORM, "tenant", str(OTHER_TENANT)),
        (OTHER_TENANT, "all", "*"),
        (OTHER_TENANT, "tenant", str(TENANT)),
    ],
)
async def test_a_pause_holds_nothing_else_and_no_tenant_pauses_another(
    world: World, owner: UUID, scope: str, target: str
) -> None:
    await order(world, True, 1, tenant=owner, scope=scope, target=target)
    assert (await world.run(notice())).state is ActionState.SUCCEEDED


async def test_a_paused_tenant_does_not_hold_its_neighbours_in_the_same_batch(world: World) -> None:
    await order(world, True, 1, tenant=TENANT)
    them = person(9, tenant=OTHER_TENANT)
    theirs = notice("theirs", resource=ResourceRef(type="tenant", id=str(OTHER_TENANT)))
    await asyncio.gather(world.submit(notice("ours")), world.submit(theirs, by=them))
    await world.settle()
    assert [s.payload["text"] for s in world.wire.sent] == ["theirs"]


async def test_a_stop_that_comes_between_the_grant_and_the_dispatch_still_stops(world: World) -> None:
    """The control row that counts is read in the dispatch transaction; the grant goes unused and is closed as such."""
    stop_now = asyncio.Event()

    def note(_: AuthorizeRequest, reply: AuthorizeReply) -> AuthorizeReply:
        stop_now.set()
        return reply

    call, handler = world.trust_bus.call_handlers["trust.authorize.v1"]

    async def authorize(request: AuthorizeRequest) -> AuthorizeReply:
        reply: AuthorizeReply = await handler(request)
        await order(world, True, 1)
        return reply

    world.tamper = note
    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, authorize)
    action = await world.run(notice())
    assert stop_now.is_set()
    assert (action.state, action.waiting_for, world.wire.sent) == (ActionState.ACCEPTED, "control", [])
    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, handler)
    await order(world, False, 2)
    await wait_and_settle(world)
    assert (await world.action(action.action_id)).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1
    first, second = world.execution_store.dispatched
    assert first.grant_id != second.grant_id == world.wire.sent[0].grant_id


async def test_an_older_order_does_not_undo_a_newer_one(world: World) -> None:
    await order(world, True, 5)
    assert await order(world, False, 4)
    assert (await world.run(notice())).state is ActionState.ACCEPTED
    assert world.wire.sent == []


class _Unreadable:
    """A store whose control rows cannot be read from some read on."""

    def __init__(self, store: MemoryStore, reads: int) -> None:
        self._store = store
        self.reads = reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[Any]:
        async with self._store.unit(*tenants) as unit:
            yield _UnreadableUnit(unit, self)


class _UnreadableUnit:
    def __init__(self, unit: Any, store: _Unreadable) -> None:
        self._unit = unit
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def paused(self, tenants: Any) -> Any:
        self._store.reads -= 1
        if self._store.reads < 0:
            raise OSError("the control rows cannot be read")
        return await self._unit.paused(tenants)


@pytest.mark.parametrize("readable", [0, 1])
async def test_when_the_control_row_cannot_be_read_nothing_is_dispatched(readable: int) -> None:
    """Neither when the first look fails, nor when only the one in the dispatch transaction does."""
    async with world(over=lambda store: _Unreadable(store, readable)) as made:
        results = await made.submit(notice())
        assert (made.wire.sent, made.execution_store.dispatched) == ([], ())
        assert (await made.action(results[0].action_id)).state is ActionState.ACCEPTED


# Cancelling --------------------------------------------------------------------------------------------------------------------


async def test_a_cancelled_action_is_not_sent_by_a_later_approval(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(CANCEL, CancelAction(principal=REQUESTER, action_id=action.action_id))
    await world.gateway.call(APPROVE, vote(asked, APPROVER))
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.CANCELLED
    assert world.wire.sent == []


async def test_an_action_that_was_cancelled_while_trust_decided_is_not_sent(world: World) -> None:
    call, handler = world.trust_bus.call_handlers["trust.authorize.v1"]

    async def authorize(request: AuthorizeRequest) -> AuthorizeReply:
        reply: AuthorizeReply = await handler(request)
        cancel = CancelAction(principal=REQUESTER, action_id=request.evaluations[0].action_id)
        await world.gateway.call(CANCEL, cancel)
        return reply

    world.trust_bus.call_handlers["trust.authorize.v1"] = (call, authorize)
    action = await world.run(notice())
    assert (action.state, world.wire.sent) == (ActionState.CANCELLED, [])


async def test_what_was_sent_cannot_be_cancelled(world: World) -> None:
    action = await world.run(notice())
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(CANCEL, CancelAction(principal=REQUESTER, action_id=action.action_id))
    assert (raised.value.code, raised.value.status) == ("not_cancellable", 409)


async def test_another_tenants_action_cannot_be_cancelled(world: World) -> None:
    action = await world.run(email(world.contact()))
    stranger = person(9, "owner", tenant=OTHER_TENANT)
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(CANCEL, CancelAction(principal=stranger, action_id=action.action_id))
    assert raised.value.status == 404
    assert (await world.action(action.action_id)).state is ActionState.AWAITING_APPROVAL


async def test_who_proposes_a_policy_takes_the_proposal_back_and_nothing_else(world: World) -> None:
    async def attached(_: object) -> bool:
        return True

    world.authorizer.attached = attached
    officer = person(61, "compliance_officer")
    proposal = await world.run(item("policy_activate", {"version": "0" * 64}), by=officer)
    theirs = await world.run(email(world.contact()))
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(CANCEL, CancelAction(principal=officer, action_id=theirs.action_id))
    assert raised.value.status == 403
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(CANCEL, CancelAction(principal=person(62, "member"), action_id=proposal.action_id))
    assert raised.value.status == 403
    assert proposal.state is ActionState.AWAITING_APPROVAL
    await world.gateway.call(CANCEL, CancelAction(principal=officer, action_id=proposal.action_id))
    assert (await world.action(proposal.action_id)).state is ActionState.CANCELLED
