"""What is done can be undone where the catalogue knows how; what nobody knows is settled by a person, and tried again only then."""

from __future__ import annotations

import json

import pytest

from libs.contracts.catalogue.actions import effects
from libs.contracts.dead_letters import DeadLettersRequest, LetterCause, ReplayLetter
from libs.contracts.errors import DealixError
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Principal
from libs.contracts.settling import Compensate, Compensating, CompensationGet, KnownOutcome, SettleUnknown
from libs.contracts.subjects import AUTHORIZE, COMPENSATE, COMPENSATION, DEAD_LETTERS, REPLAY_LETTER, SETTLE_UNKNOWN
from libs.contracts.trust import AuthorizeRequest
from services.execution.errors import OutcomeUnknown
from tests.flows.world import (
    AGENT,
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    SECOND_APPROVER,
    TENANT,
    World,
    item,
    notice,
    person,
)

pytestmark = pytest.mark.asyncio
ADMIN = person(4, "admin")
STRANGER = person(9, "owner", tenant=OTHER_TENANT)


async def undo(made: World, action: Action, by: Principal = REQUESTER) -> Compensating:
    reply = await made.gateway.call(COMPENSATE, Compensate(principal=by, action_id=action.action_id))
    await made.settle()
    return reply


async def refused(made: World, action: Action, by: Principal = REQUESTER) -> DealixError:
    with pytest.raises(DealixError) as raised:
        await undo(made, action, by)
    return raised.value


async def unknown(made: World) -> Action:
    made.operating.flags = {TENANT: {"live.slack": True}}
    made.wire.fail_with = [OutcomeUnknown("lost", "Lost.", "انقطع.")]
    return await made.run(notice())


async def settle(made: World, action: Action, outcome: str, by: Principal = APPROVER) -> Action:
    found = await made.gateway.call(
        SETTLE_UNKNOWN,
        SettleUnknown(
            principal=by, action_id=action.action_id, outcome=KnownOutcome(outcome), evidence="Looked in the channel."
        ),
    )
    await made.settle()
    return found


# Undoing -----------------------------------------------------------------------------------------------------------------------


async def test_an_effect_is_undone_by_an_action_of_its_own_that_trust_decides(world: World) -> None:
    done = await world.run(item("tag", {"tag": "vip"}))
    asked = len(world.requests)
    begun = await undo(world, done)
    assert (begun.action_type, len(world.requests)) == ("untag", asked + 1)
    by = await world.action(begun.compensating_action_id)
    assert by.state is ActionState.SUCCEEDED
    assert (by.payload["compensates"], by.payload["original"]) == (str(done.action_id), {"tag": "vip"})
    after = await world.action(done.action_id)
    assert (after.state, after.timeline[-1].state) == (ActionState.COMPENSATED, "compensated")


async def test_what_undoing_would_do_is_seen_before_anybody_asks_for_it(world: World) -> None:
    done = await world.approve(await world.run(item("calendar_insert_event", {"title": "لقاء"})))
    ask = CompensationGet(principal=REQUESTER, action_id=done.action_id)
    plan = await world.gateway.call(COMPENSATION, ask)
    assert (plan.action_type, plan.refused, plan.begun) == ("calendar_delete_event", None, None)
    assert plan.payload["original"] == done.payload
    begun = await undo(world, done)
    asked = (await world.action(begun.compensating_action_id)).payload
    assert asked == plan.payload
    after = await world.gateway.call(COMPENSATION, ask)
    assert after.begun is not None and after.begun.compensating_action_id == begun.compensating_action_id


async def test_what_can_not_be_undone_says_so_before_anybody_asks_for_it(world: World) -> None:
    plan = await world.gateway.call(
        COMPENSATION, CompensationGet(principal=REQUESTER, action_id=(await world.run(notice())).action_id)
    )
    assert plan.refused is not None and plan.refused.code == "no_compensation" and plan.refused.ar
    waiting = await world.run(item("calendar_insert_event", {"title": "لقاء"}))
    plan = await world.gateway.call(COMPENSATION, CompensationGet(principal=REQUESTER, action_id=waiting.action_id))
    assert plan.refused is not None and plan.refused.code == "not_done"
    with pytest.raises(DealixError):
        await world.gateway.call(COMPENSATION, CompensationGet(principal=STRANGER, action_id=waiting.action_id))


async def test_until_what_undoes_it_is_approved_an_action_stays_done(world: World) -> None:
    done = await world.approve(await world.run(item("modify_lead_routing", {"to": "team-2"})))
    assert done.state is ActionState.SUCCEEDED
    begun = await undo(world, done)
    assert (await world.action(done.action_id)).state is ActionState.SUCCEEDED
    again = await undo(world, done)
    assert again.compensating_action_id == begun.compensating_action_id
    await world.approve(await world.action(begun.compensating_action_id))
    assert (await world.action(done.action_id)).state is ActionState.COMPENSATED
    assert (await undo(world, done)).compensating_action_id == begun.compensating_action_id


async def test_a_switch_is_undone_the_other_way_round(world: World) -> None:
    asked = await world.run(item("live_flag_change", {"flag": "live.slack", "value": False}), ADMIN)
    done = await world.approve(asked, APPROVER, SECOND_APPROVER)
    assert done.state is ActionState.SUCCEEDED
    begun = await undo(world, done, ADMIN)
    assert (await world.action(begun.compensating_action_id)).payload == {"flag": "live.slack", "value": True}


async def test_what_nothing_undoes_is_refused_in_both_languages_and_changes_nothing(world: World) -> None:
    done = await world.run(notice())
    error = await refused(world, done)
    assert (error.code, error.status) == ("no_compensation", 409)
    assert error.ar != error.en
    assert error.ar
    assert (await world.action(done.action_id)).state is ActionState.SUCCEEDED


async def test_what_was_not_done_is_not_undone(world: World) -> None:
    waiting = await world.run(item("modify_lead_routing", {"to": "team-2"}))
    assert (await refused(world, waiting)).code == "not_done"


async def test_nobody_undoes_another_tenants_action_and_no_agent_undoes_any(world: World) -> None:
    done = await world.run(item("tag", {"tag": "vip"}))
    assert (await refused(world, done, STRANGER)).status == 404
    assert (await refused(world, done, AGENT)).status == 403
    assert (await refused(world, done, person(5, "auditor"))).status == 403


async def test_a_run_id_alone_compensates_nothing(world: World) -> None:
    """Anybody may write one."""
    done = await world.run(item("tag", {"tag": "vip"}))
    await world.run(item("untag", {"tag": "x"}, run_id=f"compensates:{done.action_id}"))
    assert (await world.action(done.action_id)).state is ActionState.SUCCEEDED


async def test_every_compensation_of_the_catalogue_exists_and_is_not_blocked() -> None:
    named = {e.name: e.compensation for e in effects().values() if e.compensation}
    assert len(named) >= 12
    for name, by in named.items():
        undoing = effects()[by]
        assert not undoing.blocked, name
        assert undoing.connector == effects()[name].connector, name


# Settling ----------------------------------------------------------------------------------------------------------------------


async def test_an_unknown_outcome_that_a_person_settles_as_done_is_done_and_never_sent_again(world: World) -> None:
    action = await unknown(world)
    settled = await settle(world, action, "succeeded")
    assert (settled.state, len(world.wire.sent)) == (ActionState.SUCCEEDED, 1)
    assert [e["data"]["evidence"] for e in told(world)] == ["Looked in the channel."]
    with pytest.raises(DealixError) as raised:
        await settle(world, action, "not_sent")
    assert raised.value.code == "not_unknown"


async def test_what_a_person_found_not_sent_can_be_tried_again_and_trust_allows_it(world: World) -> None:
    action = await unknown(world)
    await settle(world, action, "not_sent")
    (letter,) = (await world.gateway.call(DEAD_LETTERS, DeadLettersRequest(principal=REQUESTER))).items
    assert (letter.cause, letter.action_id) == (LetterCause.NOT_SENT, action.action_id)
    await world.gateway.call(REPLAY_LETTER, ReplayLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id))
    await world.settle()
    after = await world.action(action.action_id)
    assert (after.state, after.attempt, len(world.wire.sent)) == (ActionState.SUCCEEDED, 2, 2)


async def test_while_the_outcome_is_unknown_trust_lets_no_other_attempt_go(world: World) -> None:
    action = await unknown(world)
    async with world.execution_store.unit(TENANT) as unit:
        (job,) = await unit.jobs([(TENANT, action.action_id, 0, 0)])
        assert not await unit.letters.reopen(TENANT, action.action_id, "again", "", {})
    job.attempt = 2
    reply = await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(job.evaluation(),)))
    assert [r.code for r in reply.decisions[0].reasons] == ["previous_attempt_open"]


@pytest.mark.parametrize("who", [API_KEY, AGENT, person(5, "auditor"), person(6, "member")])
async def test_only_a_person_with_the_role_settles(world: World, who: Principal) -> None:
    action = await unknown(world)
    with pytest.raises(DealixError) as raised:
        await settle(world, action, "not_sent", who)
    assert raised.value.status == 403
    assert (await world.action(action.action_id)).state is ActionState.UNKNOWN
    assert told(world) == []


async def test_what_is_known_is_not_settled(world: World) -> None:
    done = await world.run(notice())
    with pytest.raises(DealixError) as raised:
        await settle(world, done, "not_sent")
    assert raised.value.code == "not_unknown"


def told(made: World) -> list[dict[str, dict[str, str]]]:
    """What trust put on record of people's words."""
    return [
        {"data": json.loads(one.body)} for one in made.hub.published if one.event.subject.endswith("outcome_settled.v1")
    ]
