"""A reply from WhatsApp decides exactly what its message showed, by somebody who may, once; anything else decides nothing.

OWASP AISVS C9.2.2 (complete parameters shown), C9.2.3 (bound to parameters, requester and context), C9.2.4 (single use) and C9.2.5
(expiry) are shown here for this channel.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts.approvals import SetRules, TrustRules
from libs.contracts.briefs import ApprovalBrief, BriefAnswer, MakeBrief, ReplyOutcome, WhatsAppReply
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Principal, new_id
from libs.contracts.subjects import APPROVAL, APPROVAL_BRIEF, BRIEF_REPLY, REVISE, SET_RULES
from libs.contracts.trust import Approval, ApprovalRequest, ApprovalState, ReviseRequest
from services.trust.ledger.domain.records import EntryFilter
from tests.flows.world import (
    AGENT,
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    SECOND_APPROVER,
    TENANT,
    World,
    charge,
    email,
    item,
    person,
)

pytestmark = pytest.mark.asyncio
NOTHING = (ReplyOutcome.UNCLEAR, ReplyOutcome.REFUSED)


async def waiting(world: World, **fields: Any) -> tuple[Action, Approval]:
    action = await world.run(email(world.contact(), **fields))
    assert action.state is ActionState.AWAITING_APPROVAL
    return action, await world.approval_of(action)


async def brief(world: World, who: Principal = APPROVER) -> ApprovalBrief:
    return await world.gateway.call(APPROVAL_BRIEF, MakeBrief(principal=who, brief_id=new_id()))


async def reply(world: World, text: str, who: Principal = APPROVER, message: str = "") -> BriefAnswer:
    request = WhatsAppReply(principal=who, message_id=message or f"wamid.{new_id()}", text=text)
    answer = await world.gateway.call(BRIEF_REPLY, request)
    assert answer.answer.ar
    assert answer.answer.en
    return answer


async def look(world: World, asked: Approval) -> Approval:
    return await world.gateway.call(APPROVAL, ApprovalRequest(principal=APPROVER, approval_id=asked.approval_id))


async def state(world: World, asked: Approval) -> ApprovalState:
    return (await look(world, asked)).state


# What decides nothing ----------------------------------------------------------------------------------------------------------


async def test_a_reply_without_a_brief_decides_nothing(world: World) -> None:
    _, asked = await waiting(world)
    answer = await reply(world, "1")
    assert (answer.outcome, answer.code) == (ReplyOutcome.UNCLEAR, "no_open_brief")
    assert await state(world, asked) is ApprovalState.PENDING


@pytest.mark.parametrize(
    "text",
    ["", "👍", "نعم", "ok", "yes please", "3", "0", "1-3", "2-1", "موافق", "موافق ZZZ", "موافق {code} لكن نصفه", "1 لكن بعد غد",
     "رفض {code}", "2", "غير موافق {code}", "لا", "1\n2", "approve", "11"],
)  # fmt: skip
async def test_what_is_not_clear_decides_nothing_and_says_what_to_write(world: World, text: str) -> None:
    _, asked = await waiting(world)
    shown = await brief(world)
    code = shown.items[0].code
    answer = await reply(world, text.format(code=code))
    assert answer.outcome is ReplyOutcome.UNCLEAR
    assert code in answer.answer.ar
    assert await state(world, asked) is ApprovalState.PENDING
    await world.settle()
    assert world.wire.sent == []


async def test_a_number_alone_decides_nothing_when_several_were_shown(world: World) -> None:
    asked = [(await waiting(world))[1], (await waiting(world))[1]]
    assert len((await brief(world)).items) == 2
    assert (await reply(world, "1")).outcome is ReplyOutcome.UNCLEAR
    assert [await state(world, one) for one in asked] == [ApprovalState.PENDING] * 2


@pytest.mark.parametrize("who", [AGENT, API_KEY])
async def test_only_people_reply(world: World, who: Principal) -> None:
    _, asked = await waiting(world)
    await brief(world)
    with pytest.raises(RemoteFault) as raised:
        await reply(world, "1", who)
    assert raised.value.status == 403
    assert await state(world, asked) is ApprovalState.PENDING


async def test_another_persons_brief_gives_no_right(world: World) -> None:
    _, asked = await waiting(world)
    code = (await brief(world)).items[0].code
    answer = await reply(world, f"موافق {code}", SECOND_APPROVER)
    assert (answer.outcome, answer.code) == (ReplyOutcome.UNCLEAR, "no_open_brief")
    assert await state(world, asked) is ApprovalState.PENDING


async def test_a_person_of_another_tenant_decides_nothing(world: World) -> None:
    _, asked = await waiting(world)
    code = (await brief(world)).items[0].code
    stranger = person(2, "approver", tenant=OTHER_TENANT)
    assert (await reply(world, f"موافق {code}", stranger)).outcome is ReplyOutcome.UNCLEAR
    assert await state(world, asked) is ApprovalState.PENDING


async def test_somebody_without_the_role_gets_no_brief_and_decides_nothing(world: World) -> None:
    _, asked = await waiting(world)
    with pytest.raises(RemoteFault):
        await brief(world, person(9, "member"))
    await brief(world, person(9, "approver"))
    # Between brief and reply the role was taken away: what counts is what the person may do now.
    answer = await reply(world, "1", person(9, "member"))
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "forbidden")
    answer = await reply(world, "2 لا نريده", person(9, "member"))
    assert answer.outcome is ReplyOutcome.REFUSED
    assert await state(world, asked) is ApprovalState.PENDING


async def test_what_was_edited_since_is_not_approved(world: World) -> None:
    """C9.2.3: the reply names what was shown, and that request has ended."""
    _, asked = await waiting(world)
    await brief(world)
    edited = ReviseRequest(
        principal=SECOND_APPROVER,
        approval_id=asked.approval_id,
        payload={"body": "آخر"},
        expected_hash=asked.payload_hash,
    )
    await world.gateway.call(REVISE, edited)
    answer = await reply(world, "1")
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "approval_not_pending")
    await world.settle()
    assert world.wire.sent == []


@pytest.mark.parametrize("field", ["view_hash", "payload_hash"])
async def test_a_brief_over_another_view_or_payload_approves_nothing(world: World, field: str) -> None:
    _, asked = await waiting(world)
    shown = await brief(world)
    async with world.trust_store.unit(TENANT) as unit:
        stale = shown.items[0].evolve(code="QQQ", **{field: "0" * 64})
        later = shown.made_at + timedelta(seconds=1)
        await unit.desk.keep_brief(shown.evolve(brief_id=new_id(), items=(stale,), made_at=later))
    answer = await reply(world, "1")
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "stale_hash")
    assert await state(world, asked) is ApprovalState.PENDING


async def test_a_brief_holds_for_a_day(world: World) -> None:
    """C9.2.5."""
    _, asked = await waiting(world)
    code = (await brief(world)).items[0].code
    world.clock.advance(hours=24, seconds=1)
    assert (await reply(world, f"موافق {code}")).code == "no_open_brief"
    assert await state(world, asked) is not ApprovalState.APPROVED


async def test_above_the_limit_nothing_is_approved(world: World) -> None:
    owner = person(3, "owner")
    await world.gateway.call(SET_RULES, SetRules(
        principal=owner, rules=TrustRules(limits={"approver": 1000}, quorum_above_sar=None), expected_version=0))  # fmt: skip
    wanted = item("crm_update", {"value_sar": "5000.00", "name": "x"}, reason="تحديث")
    action = await world.run(wanted)
    asked = await world.approval_of(action)
    assert (await brief(world)).items == ()
    # The limit was lowered after the brief: the vote is checked again.
    for_owner = await brief(world, owner)
    async with world.trust_store.unit(TENANT) as unit:
        await unit.desk.keep_brief(for_owner.evolve(brief_id=new_id(), person=APPROVER.id))
    answer = await reply(world, "1")
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "over_limit")
    assert await state(world, asked) is ApprovalState.PENDING


async def test_who_asks_is_neither_shown_nor_heard(world: World) -> None:
    """An own request needs a sign-in again, which a number is not."""
    action = await world.run(email(world.contact()), by=SECOND_APPROVER)
    asked = await world.approval_of(action)
    assert (await brief(world, SECOND_APPROVER)).items == ()
    theirs = await brief(world)
    async with world.trust_store.unit(TENANT) as unit:
        await unit.desk.keep_brief(theirs.evolve(brief_id=new_id(), person=SECOND_APPROVER.id))
    answer = await reply(world, "1", SECOND_APPROVER)
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "self_approval")
    assert await state(world, asked) is ApprovalState.PENDING


async def test_what_needs_two_people_or_does_not_fit_whole_is_left_to_the_console(world: World) -> None:
    """C9.2.2: nothing is cut off."""
    await world.run(charge())
    _, long = await waiting(world, body="معكم شركة أفق. " + "كلمة " * 400 + "لإيقاف الرسائل: رد بكلمة إيقاف.")
    shown = await brief(world)
    assert (shown.items, shown.left) == ((), 2)
    async with world.trust_store.unit(TENANT) as unit:
        forged = {"number": 1, "code": "QQQ", "approval_id": long.approval_id, "payload_hash": long.payload_hash,
                  "view_hash": long.view_hash}  # fmt: skip
        await unit.desk.keep_brief(shown.evolve(brief_id=new_id(), items=(forged,), left=0))
    answer = await reply(world, "موافق QQQ")
    assert (answer.outcome, answer.code) == (ReplyOutcome.REFUSED, "only_in_console")


async def test_the_same_message_again_does_nothing(world: World) -> None:
    """C9.2.4: a captured or redelivered webhook repeats the answer, not the vote."""
    first, _ = await waiting(world)
    await brief(world)
    assert (await reply(world, "1", message="wamid.1")).outcome is ReplyOutcome.APPROVED
    await world.settle()
    _, second = await waiting(world)
    await brief(world)
    again = await reply(world, "1", message="wamid.1")
    assert (again.outcome, again.repeated) == (ReplyOutcome.APPROVED, True)
    assert await state(world, second) is ApprovalState.PENDING
    assert [sent.action_id for sent in world.wire.sent] == [first.action_id]


# What decides ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["1", "١", " 1. ", "1-1", "١-١", "موافق {code}", "أوافق {code}", "approve {lower}", "\u200fموافق {code}"]
)
async def test_a_clear_reply_approves_exactly_what_was_shown_and_it_is_sent_once(world: World, text: str) -> None:
    action, asked = await waiting(world)
    shown = await brief(world)
    code = shown.items[0].code
    assert (shown.items[0].payload_hash, shown.items[0].view_hash) == (asked.payload_hash, asked.view_hash)
    answer = await reply(world, text.format(code=code, lower=code.lower()))
    assert (answer.outcome, answer.approval_id) == (ReplyOutcome.APPROVED, asked.approval_id)
    await world.settle()
    assert [sent.action_id for sent in world.wire.sent] == [action.action_id]
    entries = await world.trust_store.ledger.entries(EntryFilter(TENANT, kind="approval.approved"), 10)
    assert len(entries) == 1
    assert b'"channel":"whatsapp"' in (entries[0].body or b"")


async def test_a_rejection_says_why(world: World) -> None:
    _, asked = await waiting(world)
    code = (await brief(world)).items[0].code
    answer = await reply(world, f"رفض {code} السعر قديم")
    assert answer.outcome is ReplyOutcome.REJECTED
    closed = await look(world, asked)
    assert closed.state is ApprovalState.REJECTED
    assert closed.history[-1].note == "السعر قديم"
    await world.settle()
    assert world.wire.sent == []


async def test_a_brief_shows_everything_that_the_view_says(world: World) -> None:
    _, asked = await waiting(world)
    text = (await brief(world)).text
    assert len(text) <= 1024
    for field in asked.view["fields"]:
        assert str(field["value"]) in text
    for part in ("title_ar", "compensation_ar", "if_nobody_answers_ar", "payload_sha256", "requested_by"):
        assert str(asked.view[part]) in text


async def test_the_same_brief_is_made_once(world: World) -> None:
    await waiting(world)
    request = MakeBrief(principal=APPROVER, brief_id=new_id())
    assert await world.gateway.call(APPROVAL_BRIEF, request) == await world.gateway.call(APPROVAL_BRIEF, request)
    with pytest.raises(RemoteFault):
        await world.gateway.call(APPROVAL_BRIEF, request.evolve(principal=SECOND_APPROVER))


async def test_the_requester_never_sees_their_own(world: World) -> None:
    await waiting(world)
    with pytest.raises(RemoteFault):
        await brief(world, REQUESTER)
