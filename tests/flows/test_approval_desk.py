"""Approvals at work: a clock in Saudi business time, many at once, edits, tokens, and what is said about undoing.

OWASP AISVS requirements are named where they are shown: C9.2.2 (complete canonical parameters), C9.2.3 (bound to parameters, requester
and context), C9.2.4 (single use), C9.2.5 (expiry), C9.2.6 (what can be undone is said, and tested), 9.4.3 (authorised anew at
execution), 9.7.2 (intent is checked when it runs).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.contracts.approvals import (
    BulkItem,
    BulkRequest,
    CompareRequest,
    EditGet,
    TokenRequest,
)
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    APPROVALS,
    APPROVE_BULK,
    COMPARE,
    EDIT,
    REJECT,
    REVISE,
    TOKEN,
)
from libs.contracts.trust import (
    Approval,
    ApprovalsRequest,
    ApprovalState,
    RejectRequest,
    ReviseRequest,
)
from libs.runtime.testing import Disturbance
from services.trust.ledger.domain.records import EntryFilter
from tests.flows.approving import CEO, MANAGER, OWNER, asked_for, refusal, set_rules, update, yes
from tests.flows.world import (
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    TENANT,
    World,
    about,
    email,
    email_payload,
    item,
    person,
)

pytestmark = pytest.mark.asyncio


# The clock ------------------------------------------------------------------------------------------------------------------------------


async def at(world: World, *day_and_time: int) -> None:
    """Move to a time in Riyadh of November 2026, and let clocks act."""
    day, hour, minute = (*day_and_time, 0)[:3]
    world.clock.at = datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=3)
    while await world.approving.tick():
        pass
    await world.settle()


async def steps(world: World, action: Action) -> list[str]:
    return [step.step for step in (await world.approval_of(action)).history if step.actor == "system:trust"]


async def test_a_request_that_nobody_answers_is_moved_up_queue_by_queue(world: World) -> None:
    """Sunday 09:00 with eight business hours: half is Sunday 13:00, all of it 17:00, one and a half Monday 13:00."""
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    assert asked.due_at == datetime(2026, 11, 22, 14, tzinfo=UTC)
    await at(world, 22, 12, 59)
    assert await steps(world, action) == []
    await at(world, 22, 13)
    assert await steps(world, action) == ["reminded"]
    await at(world, 22, 15, 24)
    assert await steps(world, action) == ["reminded", "warned"]
    assert (await world.approval_of(action)).role == "sales_manager"
    await at(world, 22, 17)
    moved = await world.approval_of(action)
    assert (moved.stage, moved.role, moved.state) == ("escalated", "ceo", ApprovalState.PENDING)
    queues = {
        role: (await world.gateway.call(APPROVALS, ApprovalsRequest(principal=OWNER, role=role))).items
        for role in ("sales_manager", "ceo")
    }
    assert [len(queues["sales_manager"]), len(queues["ceo"])] == [0, 1]
    assert await refusal(yes(world, moved, MANAGER)) == "not_your_queue"
    await at(world, 23, 12, 59)
    assert (await world.approval_of(action)).stage == "escalated"
    await at(world, 23, 13)
    assert (await world.approval_of(action)).stage == "breached"
    entries = await world.trust_store.ledger.entries(EntryFilter(TENANT, target=f"action:{action.action_id}"), 20)
    kinds = [entry.kind for entry in reversed(entries)]
    assert kinds[2:] == ["approval.reminded", "approval.warned", "approval.escalated", "approval.breached"]
    assert (await yes(world, moved, CEO)).state is ApprovalState.APPROVED
    assert world.wire.sent == []


async def test_a_weekend_does_not_count(world: World) -> None:
    await at(world, 26, 16)  # Thursday: one hour of the day is left
    action = await world.run(email(world.contact()))
    await at(world, 28, 23)  # Saturday
    assert await steps(world, action) == []
    await at(world, 29, 12)  # Sunday: the fourth of eight hours is over
    assert await steps(world, action) == ["reminded"]


async def test_an_action_that_cannot_wait_has_a_clock_that_never_stops(world: World) -> None:
    await set_rules(world, any_hour=("send_email",))
    await at(world, 26, 16)
    action = await world.run(email(world.contact()))
    await at(world, 27, 0)
    assert await steps(world, action) == ["reminded", "warned", "escalated"]


async def test_a_request_that_was_answered_has_no_clock_any_more(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(REJECT, RejectRequest(principal=APPROVER, approval_id=asked.approval_id, reason="no"))
    await at(world, 25, 12)
    assert await steps(world, action) == []
    assert (await world.approval_of(action)).role == "sales_manager"


async def test_two_replicas_reach_a_threshold_once(world: World) -> None:
    import asyncio

    action = await world.run(email(world.contact()))
    world.clock.advance(hours=4)
    await asyncio.gather(world.approving.tick(), world.approving.tick())
    assert await steps(world, action) == ["reminded"]


# Many at once (AISVS C9.2.2, C9.2.3) -------------------------------------------------------------------------------------------------------


async def letters(world: World, *changes: dict[str, Any]) -> list[Approval]:
    made = [
        email(world.contact(), **{"template": "intro", "template_version": "intro/3", "language": "ar", **c})
        for c in changes
    ]
    return [await asked_for(world, one) for one in made]


def ballot(*asked: Approval, **changes: Any) -> BulkRequest:
    chosen = [BulkItem(approval_id=a.approval_id, payload_hash=a.payload_hash, view_hash=a.view_hash) for a in asked]
    return BulkRequest(principal=APPROVER, items=tuple(chosen)).evolve(**changes)


async def test_requests_of_one_template_are_shown_by_what_differs_and_approved_each_for_its_own_hashes(
    world: World,
) -> None:
    asked = await letters(world, {}, {}, {})
    table = await world.gateway.call(
        COMPARE, CompareRequest(principal=APPROVER, approval_ids=tuple(a.approval_id for a in asked))
    )
    assert table.differing == ("to",)
    assert [row.values["to"] for row in table.rows] == [json.loads(a.payload)["to"] for a in asked]
    assert {**table.same, **table.rows[0].values} == json.loads(asked[0].payload), "nothing is left out (C9.2.2)"
    done = await world.gateway.call(APPROVE_BULK, ballot(*asked))
    assert {one.state for one in done.items} == {ApprovalState.APPROVED}
    await world.settle()
    assert len(world.wire.sent) == 3


async def test_one_stale_hash_among_many_approves_nothing(world: World) -> None:
    first, second = await letters(world, {}, {})
    wrong = ballot(first, second.evolve(view_hash=first.view_hash))
    assert await refusal(world.gateway.call(APPROVE_BULK, wrong)) == "bulk_refused"
    await world.settle()
    states = {(await world.gateway.call(APPROVALS, ApprovalsRequest(principal=OWNER))).items[n].state for n in (0, 1)}
    assert (states, world.wire.sent) == ({ApprovalState.PENDING}, [])


@pytest.mark.parametrize(
    "other", [{"template_version": "intro/4"}, {"template": "follow_up"}, {"language": "en"}, {"note": "x"}]
)
async def test_requests_of_different_templates_are_not_decided_together(world: World, other: dict[str, Any]) -> None:
    asked = await letters(world, {}, other)
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked))) == "not_alike"


async def test_requests_without_a_template_are_not_decided_together(world: World) -> None:
    asked = [await asked_for(world, email(world.contact())) for _ in range(2)]
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked))) == "not_alike"


async def test_many_at_once_is_no_way_around_separation_limits_or_tenants(world: World) -> None:
    asked = await letters(world, {"value_sar": "20"}, {"value_sar": "20"})
    requester = REQUESTER.evolve(roles=("approver",))
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked, principal=requester))) == "bulk_refused"
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked, principal=API_KEY))) == "forbidden"
    stranger = person(2, "owner", tenant=OTHER_TENANT)
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked, principal=stranger))) == "not_found"
    await set_rules(world, limits={"approver": Decimal(10)})
    assert await refusal(world.gateway.call(APPROVE_BULK, ballot(*asked))) == "bulk_refused"
    await world.settle()
    assert world.wire.sent == []


# An edit is one call ------------------------------------------------------------------------------------------------------------------------


def edit_of(asked: Approval, **changes: Any) -> ReviseRequest:
    payload = {**json.loads(asked.payload), **changes}
    return ReviseRequest(principal=person(4, "operator"), approval_id=asked.approval_id, payload=payload, expected_hash=asked.payload_hash)  # fmt: skip


async def test_an_edit_ends_one_request_and_begins_the_other_that_names_it(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    ended = await world.gateway.call(REVISE, edit_of(asked, subject="edited"))
    assert ended.replaced_by_action is not None
    await world.settle()
    fresh = await world.approval_of(await world.action(ended.replaced_by_action))
    assert (fresh.state, fresh.supersedes) == (ApprovalState.PENDING, asked.approval_id)
    assert json.loads(fresh.payload)["subject"] == "edited"
    assert (await world.approval_of(action)).superseded_by == fresh.approval_id
    assert await refusal(yes(world, fresh, person(4, "approver"))) == "self_approval"
    await yes(world, fresh, APPROVER)
    await world.settle()
    assert [sent["subject"] for sent in world.wire.payloads] == ["edited"]


async def test_a_failure_after_the_edit_loses_nothing(world: World) -> None:
    """The edit is on record with the end of the old request: however often execution fails to take it up, it comes again."""
    asked = await world.approval_of(await world.run(email(world.contact())))
    world.hub.disturb(EDIT, Disturbance.SILENT, times=2)
    ended = await world.gateway.call(REVISE, edit_of(asked, subject="edited"))
    await world.settle()
    world.hub.redeliver()
    await world.settle()
    assert ended.replaced_by_action is not None
    assert (await world.action(ended.replaced_by_action)).state is ActionState.AWAITING_APPROVAL


async def test_the_same_edit_again_changes_nothing_and_another_is_too_late(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    first = await world.gateway.call(REVISE, edit_of(asked, subject="edited"))
    again = await world.gateway.call(REVISE, edit_of(asked, subject="edited"))
    assert first.replaced_by_action == again.replaced_by_action
    assert await refusal(world.gateway.call(REVISE, edit_of(asked, subject="other"))) == "approval_not_pending"
    await world.settle()
    pending = await world.gateway.call(APPROVALS, ApprovalsRequest(principal=OWNER, state=ApprovalState.PENDING))
    assert len(pending.items) == 1


async def test_an_edit_is_told_to_execution_alone(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    await world.gateway.call(REVISE, edit_of(asked, subject="edited"))
    with pytest.raises(PermissionError):
        await world.gateway.call(EDIT, EditGet(tenant_id=TENANT, approval_id=asked.approval_id))


# The reference to an approval (AISVS C9.2.3, C9.2.4, 9.7.2) ---------------------------------------------------------------------------------


async def blocked_after_approval(world: World) -> tuple[Any, Approval]:
    """An approved message that quiet hours stopped: approved, and never sent."""
    world.operating.flags[TENANT] = {"live.email_smtp": True}
    contact = world.contact(consents=(world.consent("email"),))
    action = await world.run(email(contact))
    asked = await world.approval_of(action)
    world.clock.at = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)  # half past ten in the evening
    await yes(world, asked, APPROVER)
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.REFUSED
    world.clock.at = datetime(2026, 11, 23, 7, tzinfo=UTC)
    return contact, asked


async def token_of(world: World, asked: Approval, by: Principal = REQUESTER) -> str:
    reply = await world.gateway.call(TOKEN, TokenRequest(principal=by, approval_id=asked.approval_id))
    return reply.approval_token


def letter(contact: Any, token: str | None, **changes: Any) -> Any:
    return item("send_email", email_payload(contact, **changes), about(contact), approval_token=token)


async def test_a_token_lets_exactly_what_was_approved_run_once(world: World) -> None:
    contact, asked = await blocked_after_approval(world)
    token = await token_of(world, asked)
    done = await world.run(letter(contact, token))
    assert (done.state, done.approval_id, len(world.wire.sent)) == (ActionState.SUCCEEDED, asked.approval_id, 1)
    again = await world.run(letter(contact, token))
    assert (again.state, len(world.wire.sent)) == (ActionState.REFUSED, 1), "single use (C9.2.4)"


@pytest.mark.parametrize("changes", [{"subject": "swapped"}, {"to": "other@customer.example"}, {"body": "إيقاف"}])
async def test_a_token_opens_no_other_payload(world: World, changes: dict[str, str]) -> None:
    contact, asked = await blocked_after_approval(world)
    action = await world.run(letter(contact, await token_of(world, asked), **changes))
    assert action.state is ActionState.REFUSED
    assert "approval_token_unknown" in {r.code for r in action.reasons}
    assert world.wire.sent == []


async def test_a_token_is_nobody_elses(world: World) -> None:
    contact, asked = await blocked_after_approval(world)
    token = await token_of(world, asked)
    stolen = await world.run(letter(contact, token), by=person(7, "operator"))
    assert (stolen.state, world.wire.sent) == (ActionState.REFUSED, [])
    assert await refusal(token_of(world, asked, person(7, "operator"))) == "forbidden"
    assert await refusal(token_of(world, asked, person(1, "operator", tenant=OTHER_TENANT))) == "not_found"


async def test_a_token_is_decided_anew_when_it_is_used(world: World) -> None:
    """AISVS 9.4.3 and 9.7.2: what holds is looked at when it runs."""
    contact, asked = await blocked_after_approval(world)
    token = await token_of(world, asked)
    world.clock.at = datetime(2026, 11, 23, 19, tzinfo=UTC)
    action = await world.run(letter(contact, token))
    assert (action.state, world.wire.sent) == (ActionState.REFUSED, [])


async def test_a_token_ends_with_its_approval(world: World) -> None:
    """AISVS C9.2.5."""
    contact, asked = await blocked_after_approval(world)
    token = await token_of(world, asked)
    world.clock.at = asked.expires_at + timedelta(hours=1)
    assert world.clock().weekday() != 4
    action = await world.run(letter(contact, token))
    assert (action.state, world.wire.sent) == (ActionState.REFUSED, [])


async def test_an_approval_whose_action_ran_has_no_token_and_one_is_given_once(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    assert await refusal(token_of(world, asked)) == "no_approval_token"
    await world.approve(action)
    assert await refusal(token_of(world, asked)) == "no_approval_token"
    _, stopped = await blocked_after_approval(world)
    await token_of(world, stopped)
    assert await refusal(token_of(world, stopped)) == "no_approval_token"


# What is said about undoing it (AISVS C9.2.6) -------------------------------------------------------------------------------------------------


async def test_the_view_says_whether_it_can_be_undone_in_both_languages(world: World) -> None:
    once, again = await asked_for(world, email(world.contact())), await asked_for(world, update())
    assert once.view["compensation_en"] == "It cannot be undone."
    assert again.view["compensation_en"] == "It can be undone."
    assert once.view["compensation_ar"] != again.view["compensation_ar"]


async def test_every_field_that_messages_have_has_a_name_for_people(world: World) -> None:
    asked = await asked_for(world, email(world.contact(), account_name="شركة", template_version="intro/3", to_name="x"))
    assert [f["name"] for f in asked.view["fields"] if f["name"] in (f["label_en"], f["label_ar"])] == []
