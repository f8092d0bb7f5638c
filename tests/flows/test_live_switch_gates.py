"""No connector is switched live while a launch gate is open; switching off is never held up."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.catalogue.flags import FlagKind, flags
from libs.contracts.execution import Action, ActionState
from libs.contracts.launch import LiveAllowed
from libs.contracts.settling import Compensate
from libs.contracts.subjects import COMPENSATE, LIVE_ALLOWED, LIVE_SWITCHED
from libs.runtime.testing import Disturbance
from tests.flows.world import APPROVER, OTHER_TENANT, SECOND_APPROVER, TENANT, World, item, person

pytestmark = pytest.mark.asyncio
ADMIN = person(4, "admin")
OPEN = LiveAllowed(allowed=False, open=("restore_tested",))


def switch(value: Any = True, **payload: Any) -> Any:
    return item("live_flag_change", {"flag": "live.slack", "value": value, **payload})


def codes(action: Action) -> set[str]:
    return {reason.code for reason in action.reasons}


def switched(world: World) -> list[Any]:
    return [one for one in world.hub.published if one.event is LIVE_SWITCHED]


async def test_while_a_gate_is_open_nobody_is_even_asked(world: World) -> None:
    world.operating.gates = {TENANT: OPEN}
    refused = await world.run(switch(), ADMIN)
    assert (refused.state, refused.approval_id) == (ActionState.REFUSED, None)
    assert "go_live_gate_open" in codes(refused)
    assert all(reason.ar for reason in refused.reasons)
    assert switched(world) == []


async def test_a_gate_that_opens_after_the_approval_was_asked_for_holds_the_switch(world: World) -> None:
    parked = await world.run(switch(), ADMIN)
    assert parked.state is ActionState.AWAITING_APPROVAL
    world.operating.gates = {TENANT: OPEN}
    held = await world.approve(parked, APPROVER, SECOND_APPROVER)
    assert held.state is ActionState.REFUSED
    assert "go_live_gate_open" in codes(held)
    assert switched(world) == []


async def test_when_nobody_can_say_how_the_gates_stand_nothing_goes_live(world: World) -> None:
    world.hub.disturb(LIVE_ALLOWED, Disturbance.SILENT)
    refused = await world.run(switch(), ADMIN)
    assert refused.state is ActionState.REFUSED
    assert "go_live_unknown" in codes(refused)


@pytest.mark.parametrize("value", ["true", 1, None, "false", []])
async def test_whatever_is_not_plainly_off_counts_as_on(world: World, value: Any) -> None:
    world.operating.gates = {TENANT: OPEN}
    refused = await world.run(switch(value), ADMIN)
    assert "go_live_gate_open" in codes(refused)


async def test_off_is_never_held_up(world: World) -> None:
    world.operating.gates = {TENANT: OPEN}
    world.hub.disturb(LIVE_ALLOWED, Disturbance.SILENT)
    parked = await world.run(switch(False), ADMIN)
    assert parked.state is ActionState.AWAITING_APPROVAL, codes(parked)
    done = await world.approve(parked, APPROVER, SECOND_APPROVER)
    assert done.state is ActionState.SUCCEEDED
    assert switched(world), "and operating hears of it"


async def test_undoing_a_switch_off_is_a_switch_on(world: World) -> None:
    done = await world.approve(await world.run(switch(False), ADMIN), APPROVER, SECOND_APPROVER)
    world.operating.gates = {TENANT: OPEN}
    begun = await world.gateway.call(COMPENSATE, Compensate(principal=ADMIN, action_id=done.action_id))
    await world.settle()
    assert "go_live_gate_open" in codes(await world.action(begun.compensating_action_id))


async def test_another_tenants_gates_hold_nobody_else(world: World) -> None:
    world.operating.gates = {OTHER_TENANT: OPEN}
    parked = await world.run(switch(), ADMIN)
    assert parked.state is ActionState.AWAITING_APPROVAL


async def test_a_policy_says_so_for_every_live_flag(world: World) -> None:
    world.operating.gates = {TENANT: OPEN}
    for flag in flags().values():
        if flag.kind is FlagKind.LIVE:
            refused = await world.run(switch(flag=flag.name), ADMIN)
            assert "go_live_gate_open" in codes(refused), flag.name


async def test_without_anybody_to_ask_nothing_goes_live(world: World) -> None:
    world.authorizer.launch = None
    refused = await world.run(switch(), ADMIN)
    assert "go_live_unknown" in codes(refused)
