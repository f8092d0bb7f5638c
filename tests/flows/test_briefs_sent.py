"""A brief leaves under a grant of its own, to a number that trust itself has on record, in the hours that its person set, and never else."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.briefs import BriefHours, BriefWaiting, Day, MakeBrief, OwnNumber, WhatsAppReply
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.subjects import APPROVAL_BRIEF, BRIEF_REPLY, BRIEF_WAITING, OWN_NUMBER
from libs.contracts.trust import ResourceRef
from tests.flows.world import AGENT, APPROVER, OTHER_TENANT, REQUESTER, TENANT, World, charge, email, item

pytestmark = pytest.mark.asyncio
MOBILE = "+966501234567"
SYSTEM = Principal(id="system:briefs", kind=PrincipalKind.SYSTEM, tenant_id=TENANT)
EVERY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The world's clock stands at 09:00 in Riyadh.
OPEN = BriefHours(opens_minute=8 * 60, closes_minute=20 * 60, days=EVERY)
LATER = BriefHours(opens_minute=10 * 60, closes_minute=20 * 60, days=EVERY)


async def own(world: World, number: str | None = MOBILE, hours: BriefHours | None = OPEN, tenant: Any = TENANT) -> None:
    await world.gateway.call(OWN_NUMBER, OwnNumber(tenant_id=tenant, person=APPROVER.id, number=number, hours=hours))


async def send(world: World, by: Principal = SYSTEM, **payload: Any) -> Action:
    wanted = {"to": MOBILE, "body": "موجز", "not_after": "2026-11-22T20:00:00+03:00", **payload}
    return await world.run(item("approval_brief_send", wanted, ResourceRef(type="user", id=str(new_id()))), by)


def codes(action: Action) -> set[str]:
    return {reason.code for reason in action.reasons}


async def test_a_brief_to_a_verified_number_in_its_hours_leaves_under_a_grant_of_its_own(world: World) -> None:
    await own(world)
    action = await send(world)
    assert action.state is ActionState.SUCCEEDED, action.reasons
    (sent,) = world.wire.sent
    assert (sent.connector, sent.operation) == ("whatsapp", "send_brief")
    assert action.grant_id is not None


@pytest.mark.parametrize(
    ("number", "hours", "code"),
    [
        (None, OPEN, "own_recipient_unknown"),
        ("+966509999999", OPEN, "own_recipient_unknown"),
        (MOBILE, None, "outside_own_hours"),
        (MOBILE, LATER, "outside_own_hours"),
    ],
)
async def test_an_unverified_number_or_other_hours_are_refused_by_what_trust_has_on_record(
    world: World, number: str | None, hours: BriefHours | None, code: str
) -> None:
    await own(world, number, hours)
    action = await send(world)
    assert (action.state, codes(action) & {code}) == (ActionState.REFUSED, {code})
    assert world.wire.sent == []


async def test_another_tenants_number_is_no_number_of_ours(world: World) -> None:
    await own(world, tenant=OTHER_TENANT)
    assert "own_recipient_unknown" in codes(await send(world))
    assert world.wire.sent == []


async def test_a_number_that_was_given_up_is_unknown_again(world: World) -> None:
    await own(world)
    await own(world, None)
    assert "own_recipient_unknown" in codes(await send(world))


@pytest.mark.parametrize("who", [REQUESTER, APPROVER, AGENT])
async def test_nobody_but_the_system_asks_for_a_brief_to_be_sent(world: World, who: Principal) -> None:
    await own(world)
    action = await send(world, by=who)
    assert action.state is ActionState.REFUSED
    assert world.wire.sent == []


async def test_what_waits_is_told_without_leaving_anything_and_a_brief_can_be_of_some_alone(world: World) -> None:
    first = await world.approval_of(await world.run(email(world.contact())))
    second = await world.approval_of(await world.run(email(world.contact())))
    await world.run(charge())
    waiting = await world.gateway.call(BRIEF_WAITING, BriefWaiting(principal=APPROVER))
    # What WhatsApp may not decide, a charge, is not among them.
    assert {one.approval_id for one in waiting.items} == {first.approval_id, second.approval_id}
    made = await world.gateway.call(
        APPROVAL_BRIEF, MakeBrief(principal=APPROVER, brief_id=new_id(), only=(second.approval_id,))
    )
    assert [one.approval_id for one in made.items] == [second.approval_id]
    assert made.left == 0


@pytest.mark.parametrize("said", ["1", "2 السعر غير صحيح", "ربما", "رفض"])
async def test_no_answer_of_ours_is_held_up_by_our_own_gate(world: World, said: str) -> None:
    await world.approval_of(await world.run(email(world.contact())))
    await world.gateway.call(APPROVAL_BRIEF, MakeBrief(principal=APPROVER, brief_id=new_id()))
    reply = WhatsAppReply(principal=APPROVER, message_id=f"wamid.{new_id()}", text=said)
    answer = (await world.gateway.call(BRIEF_REPLY, reply)).answer.ar
    await own(world)
    sent = await send(world, body=answer)
    assert sent.state is ActionState.SUCCEEDED, (answer, codes(sent))
