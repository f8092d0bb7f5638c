"""Approvals as an organisation needs them: limits, two people, lent rights, a clock in Saudi business time, many at once, edits, tokens.

OWASP AISVS requirements are named where they are shown: C9.2.1 (high-impact actions wait for a person), C9.2.2 (complete canonical
parameters), C9.2.3 (bound to parameters, requester and context), C9.2.4 (single use), C9.2.5 (expiry), C9.2.6 (what can be undone is
said, and tested), 9.4.3 (authorised anew at execution), 9.6.3 (least privilege of approvers), 9.7.2 (intent is checked when it runs).
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
    DelegateRequest,
    EditGet,
    EndDelegation,
    RulesRequest,
    SetRules,
    TokenRequest,
    TrustRules,
)
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Principal, new_id
from libs.contracts.subjects import (
    APPROVAL,
    APPROVALS,
    APPROVE,
    APPROVE_BULK,
    COMPARE,
    DELEGATE,
    EDIT,
    END_DELEGATION,
    REJECT,
    REVISE,
    RULES,
    SET_RULES,
    TOKEN,
)
from libs.contracts.trust import (
    Approval,
    ApprovalRequest,
    ApprovalsRequest,
    ApprovalState,
    RejectRequest,
    ReviseRequest,
)
from libs.runtime.testing import Disturbance
from services.trust.ledger.domain.records import EntryFilter
from tests.flows.world import (
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    SECOND_APPROVER,
    TENANT,
    World,
    about,
    charge,
    email,
    email_payload,
    item,
    person,
    vote,
)

pytestmark = pytest.mark.asyncio

OWNER = SECOND_APPROVER
MANAGER = person(5, "approver").evolve(business_role="sales_manager")
CEO = person(6, "approver").evolve(business_role="ceo")


async def refusal(awaited: Any) -> str:
    with pytest.raises(RemoteFault) as raised:
        await awaited
    assert raised.value.ar
    return raised.value.code


async def set_rules(world: World, **changes: Any) -> None:
    was = await world.gateway.call(RULES, RulesRequest(principal=OWNER))
    rules = was.rules.evolve(**changes)
    await world.gateway.call(SET_RULES, SetRules(principal=OWNER, rules=rules, expected_version=was.version))


async def asked_for(world: World, made: Any, by: Principal = REQUESTER) -> Approval:
    return await world.approval_of(await world.run(made, by=by))


async def yes(world: World, asked: Approval, by: Principal) -> Approval:
    return await world.gateway.call(APPROVE, vote(asked, by))


def update(value: str | None = None, **fields: Any) -> Any:
    return item("crm_update", {"deal": "d-1", **({"value_sar": value} if value is not None else {}), **fields})


# Limits by role and value (AISVS 9.6.3) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1000.01", "999999999", "NaN", "a lot", "-5", "1e400"])
async def test_nobody_approves_above_their_limit_and_what_nobody_can_read_is_above_it(world: World, value: str) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)}, quorum_above_sar=None)
    asked = await asked_for(world, update(value))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"
    assert (await yes(world, asked, OWNER)).state is ApprovalState.APPROVED


@pytest.mark.parametrize("value", ["1000", "0", None])
async def test_up_to_the_limit_an_approver_decides(world: World, value: str | None) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)})
    asked = await asked_for(world, update(value))
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.APPROVED


async def test_an_amount_in_another_currency_is_above_every_limit(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)}, quorum_above_sar=None)
    asked = await asked_for(world, update(amount="10", currency="USD"))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_a_business_roles_own_limit_holds_beside_the_system_roles(world: World) -> None:
    await set_rules(world, limits={"sales_manager": Decimal(10)})
    asked = await asked_for(world, update("11"))
    assert await refusal(yes(world, asked, MANAGER)) == "over_limit"


async def test_a_queue_is_decided_by_its_role_and_those_above_it(world: World) -> None:
    asked = await asked_for(world, update())
    assert asked.role == "sales_manager"
    support = person(7, "approver").evolve(business_role="support")
    assert await refusal(yes(world, asked, support)) == "not_your_queue"
    assert (await yes(world, asked, MANAGER)).state is ApprovalState.APPROVED
    high = await asked_for(world, charge())
    assert await refusal(yes(world, high, MANAGER)) == "not_your_queue"
    assert (await yes(world, high, CEO)).state is ApprovalState.PENDING


# Two people above a tenant's limit --------------------------------------------------------------------------------------------------


async def test_above_the_tenants_limit_two_different_people_must_approve(world: World) -> None:
    await set_rules(world, quorum_above_sar=Decimal(5000))
    action = await world.run(update("5000.01"))
    asked = await world.approval_of(action)
    assert asked.approvers == 2
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert await refusal(yes(world, asked, REQUESTER.evolve(roles=("owner",)))) == "self_approval"
    assert (await yes(world, asked, OWNER)).state is ApprovalState.APPROVED


async def test_at_the_limit_one_person_is_enough(world: World) -> None:
    await set_rules(world, quorum_above_sar=Decimal(5000))
    assert (await asked_for(world, update("5000"))).approvers == 1


# Lent rights --------------------------------------------------------------------------------------------------------------------------


async def lend(world: World, giver: Principal, to: Principal, asked: Approval | None = None, **more: Any) -> Any:
    fields = {"ends_at": world.clock() + timedelta(days=2), **more}
    made = DelegateRequest(
        principal=giver, delegation_id=new_id(), approval_id=asked.approval_id if asked else None, to_id=to.id, **fields
    )
    return await world.gateway.call(DELEGATE, made)


async def test_a_lent_right_reaches_as_far_as_its_givers_until_it_ends(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked, later = await asked_for(world, update("11")), await asked_for(world, update("12"))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"
    await lend(world, OWNER, APPROVER)
    done = await yes(world, asked, APPROVER)
    assert (done.state, done.history[-1].on_behalf) == (ApprovalState.APPROVED, OWNER.id)
    world.clock.advance(days=2)
    assert await refusal(yes(world, later, APPROVER)) == "over_limit"


async def test_one_requests_loan_is_none_of_another_request(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked, other = await asked_for(world, update("11")), await asked_for(world, update("12"))
    await lend(world, OWNER, APPROVER, asked)
    assert await refusal(yes(world, other, APPROVER)) == "over_limit"
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.APPROVED


async def test_a_right_that_was_taken_back_is_gone(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked = await asked_for(world, update("11"))
    lent = await lend(world, OWNER, APPROVER)
    stranger = EndDelegation(principal=person(9, "operator"), delegation_id=lent.delegation_id)
    assert await refusal(world.gateway.call(END_DELEGATION, stranger)) == "forbidden"
    await world.gateway.call(END_DELEGATION, EndDelegation(principal=OWNER, delegation_id=lent.delegation_id))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_giver_and_taker_together_are_one_person_of_two(world: World) -> None:
    """A quorum of two is two rights of two people: whoever lent theirs has had their say."""
    await set_rules(world, limits={"approver": Decimal(10)}, quorum_above_sar=Decimal(10))
    asked = await asked_for(world, update("11"))
    await lend(world, OWNER, APPROVER)
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, OWNER)) == "already_voted"
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert (await yes(world, asked, person(8, "owner"))).state is ApprovalState.APPROVED


async def test_who_has_voted_does_not_vote_again_through_somebody_else(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)}, quorum_above_sar=Decimal(10))
    asked = await asked_for(world, update("11"))
    await lend(world, OWNER, APPROVER)
    assert (await yes(world, asked, OWNER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert (
        await world.gateway.call(APPROVAL, ApprovalRequest(principal=OWNER, approval_id=asked.approval_id))
    ).state is ApprovalState.PENDING


async def test_the_requester_can_neither_lend_nor_borrow_a_yes_to_an_own_request(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asker = person(1, "owner")
    asked = await asked_for(world, update("11"), by=asker)
    assert await refusal(lend(world, OWNER, asker, asked)) == "bad_delegation"
    await lend(world, asker, APPROVER)
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_only_who_may_approve_lends_and_only_for_a_while(world: World) -> None:
    assert await refusal(lend(world, person(4, "operator"), APPROVER)) == "forbidden"
    assert await refusal(lend(world, API_KEY, APPROVER)) == "forbidden"
    assert await refusal(lend(world, OWNER, OWNER)) == "bad_delegation"
    for ends_at in (world.clock(), world.clock() + timedelta(days=91)):
        assert await refusal(lend(world, OWNER, APPROVER, ends_at=ends_at)) == "bad_delegation"


async def test_a_lent_right_makes_no_approver_of_somebody_who_is_none(world: World) -> None:
    asked = await asked_for(world, update())
    operator = person(4, "operator")
    await lend(world, OWNER, operator)
    assert await refusal(yes(world, asked, operator)) == "forbidden"


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


# Rules ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_minute": 600, "closes_minute": 600}, {"days": ()}, {"days": (7,)}, {"executive": "nobody"}, {"next_role": {"ceo": "x"}},
        {"any_hour": ("send_emial",)}, {"limits": {"aprover": Decimal(1)}}, {"limits": {"approver": Decimal(-1)}},
        {"quorum_above_sar": Decimal("NaN")}, {"sla_minutes": {}}, {"sla_minutes": {"high": 0}},
    ],
)  # fmt: skip
async def test_rules_that_cannot_hold_are_refused_and_nothing_changes(world: World, changes: dict[str, Any]) -> None:
    rules = TrustRules().model_copy(update=changes)
    request = SetRules(principal=OWNER, rules=rules, expected_version=0)
    assert await refusal(world.gateway.call(SET_RULES, request)) in ("bad_rules", "bad_request", "invalid_message")
    assert (await world.gateway.call(RULES, RulesRequest(principal=OWNER))).version == 0


async def test_who_approves_does_not_set_the_own_limit(world: World) -> None:
    for who in (APPROVER, person(4, "admin"), person(4, "operator")):
        request = SetRules(principal=who, rules=TrustRules(limits={}), expected_version=0)
        assert await refusal(world.gateway.call(SET_RULES, request)) == "forbidden"


async def test_rules_of_one_tenant_are_none_of_anothers_and_two_editors_do_not_overwrite_each_other(
    world: World,
) -> None:
    await set_rules(world, limits={"approver": Decimal(1)})
    other = person(3, "owner", tenant=OTHER_TENANT)
    assert (await world.gateway.call(RULES, RulesRequest(principal=other))).version == 0
    stale = SetRules(principal=OWNER, rules=TrustRules(), expected_version=0)
    assert await refusal(world.gateway.call(SET_RULES, stale)) == "rules_changed"


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
