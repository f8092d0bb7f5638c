"""Two tenants that choose the same id for an action do not meet."""

from __future__ import annotations

from libs.contracts.execution import ActionState, SubmitRequest
from libs.contracts.message import new_id
from libs.contracts.subjects import SUBMIT
from libs.contracts.trust import ResourceRef
from tests.flows.world import OTHER_TENANT, REQUESTER, World, notice, person


async def test_the_same_id_in_two_tenants_is_two_actions_and_two_effects(world: World) -> None:
    stranger, action_id = person(7, "operator", tenant=OTHER_TENANT), new_id()
    asked = [
        (REQUESTER, notice("ours").evolve(action_id=action_id)),
        (
            stranger,
            notice("theirs").evolve(action_id=action_id, resource=ResourceRef(type="tenant", id=str(OTHER_TENANT))),
        ),
    ]
    for by, item in asked:
        (result,) = (await world.gateway.call(SUBMIT, SubmitRequest(principal=by, items=(item,)))).results
        assert (result.action_id, result.error) == (action_id, None)
    await world.settle()
    ended = [await world.action(action_id, by) for by, _ in asked]
    assert [(one.state, one.payload["text"]) for one in ended] == [
        (ActionState.SUCCEEDED, "ours"),
        (ActionState.SUCCEEDED, "theirs"),
    ]
    assert sorted(sent.payload["text"] for sent in world.wire.sent) == ["ours", "theirs"]
    assert await world.execution_store.backlog() == 0
