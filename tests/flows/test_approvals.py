"""What the human saw is what runs, by somebody who may say so, once.

The requirements that are shown here are OWASP AISVS C9.2 (an approval is enforced; complete parameters are shown; it is bound to
parameters, requester and context; single use; expiry), 9.4.3, 9.6.3 and 9.7.2, named where they are shown.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from libs.contracts.canonical import canonical, digest
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState
from libs.contracts.message import Page, Principal, new_id
from libs.contracts.subjects import (
    APPROVAL_REQUESTED,
    APPROVALS,
    APPROVE,
    CONTACT_STOPPED,
    REJECT,
    REVISE,
    SUPPRESS,
    WITHDRAW,
    WITHDRAW_CONSENT,
)
from libs.contracts.trust import (
    ApprovalsRequest,
    ApprovalState,
    RejectRequest,
    ReviseRequest,
    SuppressRequest,
    WithdrawConsent,
    WithdrawRequest,
)
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
    vote,
    whatsapp,
)

pytestmark = pytest.mark.asyncio


async def refused(world: World, by: Principal, asked: Any, **changes: Any) -> str:
    """The code of the refusal of a vote."""
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(APPROVE, vote(asked, by, **changes))
    assert raised.value.ar
    return raised.value.code


# The approval is enforced (AISVS C9.2) -----------------------------------------------------------------------------------------


async def test_an_external_action_waits_for_a_person_and_is_sent_once_after_the_approval(world: World) -> None:
    action = await world.run(email(world.contact()))
    assert (action.state, action.mode, world.wire.sent) == (ActionState.AWAITING_APPROVAL, "approval_required", [])
    done = await world.approve(action)
    assert done.state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1
    world.hub.redeliver()
    await world.settle()
    assert len(world.wire.sent) == 1


async def test_a_day_without_an_answer_sends_nothing(world: World) -> None:
    action = await world.run(email(world.contact()))
    for _ in range(24):
        world.clock.advance(hours=1)
        await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.AWAITING_APPROVAL
    assert world.wire.sent == []


async def test_the_action_is_bound_to_its_approval_in_the_grant(world: World) -> None:
    action = await world.run(email(world.contact()))
    await world.approve(action)
    grant = world.replies[-1].decisions[0].grant
    assert grant is not None
    assert json.loads(grant.claims)["approval_id"] == str(action.approval_id)


# Complete, untruncated parameters are shown (AISVS C9.2) -----------------------------------------------------------------------


async def test_the_view_shows_every_field_of_the_payload_whole(world: World) -> None:
    body = "معكم شركة أفق. " + "س" * 20_000 + " إيقاف"
    contact = world.contact()
    asked = await world.approval_of(await world.run(email(contact, body=body)))
    shown = {entry["name"]: entry["value"] for entry in asked.view["fields"]}
    assert shown == json.loads(asked.payload)
    assert shown["body"] == body
    assert shown["to"] == contact.email


async def test_the_hashes_are_those_of_what_runs_and_of_what_was_shown(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    salt = bytes.fromhex(world.requests[0].evaluations[0].salt)
    assert asked.payload_hash == digest(salt, asked.payload.encode())
    assert asked.view_hash == digest(salt, canonical(asked.view))
    assert asked.view["payload_sha256"] == asked.payload_hash


# Bound to parameters (AISVS C9.2, 9.4.3) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stale", [{"payload_hash": "00" * 32}, {"view_hash": "00" * 32}, {"payload_hash": ""}])
async def test_a_vote_for_anything_but_what_is_shown_is_a_conflict_and_no_approval(
    world: World, stale: dict[str, str]
) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    assert await refused(world, APPROVER, asked, **stale) == "stale_hash"
    await world.settle()
    assert (await world.approval_of(action)).state is ApprovalState.PENDING
    assert world.wire.sent == []


async def test_the_hashes_of_another_approval_are_a_conflict(world: World) -> None:
    contact = world.contact()
    first = await world.approval_of(await world.run(email(contact)))
    second = await world.approval_of(await world.run(email(contact)))
    assert await refused(world, APPROVER, first, payload_hash=second.payload_hash) == "stale_hash"


async def test_an_edit_ends_the_request_and_the_old_approval_can_never_be_given(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    edited = {**json.loads(asked.payload), "subject": "another subject"}
    revise = ReviseRequest(
        principal=APPROVER, approval_id=asked.approval_id, payload=edited, expected_hash=asked.payload_hash
    )
    assert (await world.gateway.call(REVISE, revise)).state is ApprovalState.SUPERSEDED
    assert await refused(world, APPROVER, asked) == "approval_not_pending"
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.CANCELLED
    assert world.wire.sent == []


async def test_an_edit_of_something_the_editor_did_not_see_is_a_conflict(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    revise = ReviseRequest(principal=APPROVER, approval_id=asked.approval_id, payload={}, expected_hash="00" * 32)
    with pytest.raises(RemoteFault, match="not the one you were shown"):
        await world.gateway.call(REVISE, revise)


async def test_an_edited_payload_needs_an_approval_of_its_own(world: World) -> None:
    contact = world.contact()
    await world.approve(await world.run(email(contact)))
    edited = await world.run(email(contact, subject="another subject"))
    assert (edited.state, len(world.wire.sent)) == (ActionState.AWAITING_APPROVAL, 1)


async def test_the_approval_of_a_payload_is_none_of_another_payload_of_the_same_action(world: World) -> None:
    from libs.contracts.subjects import AUTHORIZE
    from libs.contracts.trust import AuthorizeRequest, Outcome

    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(APPROVE, vote(asked, APPROVER))
    evaluation = world.requests[0].evaluations[0]
    swapped = json.loads(evaluation.payload) | {"subject": "swapped"}
    other = evaluation.evolve(payload=canonical(swapped).decode(), attempt=5)
    reply = await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(other,)))
    assert (reply.decisions[0].outcome, reply.decisions[0].grant) == (Outcome.PARKED, None)


# Who may approve (AISVS 9.6.3) ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (person(1, "operator", "approver"), "self_approval"),
        (person(1, "owner"), "self_approval"),
        (AGENT, "forbidden"),
        (API_KEY, "forbidden"),
        (Principal(id="system:cron", kind="system", tenant_id=TENANT, roles=("owner",)), "forbidden"),
        (person(4, "member"), "forbidden"),
        (person(4, "operator"), "forbidden"),
        (person(4, "auditor"), "forbidden"),
        (person(4, "admin"), "forbidden"),
        (Principal(id="user:4", kind="user", tenant_id=TENANT), "forbidden"),
        (person(2, "owner", "approver", tenant=OTHER_TENANT), "not_found"),
    ],
)
async def test_nobody_approves_who_may_not(world: World, who: Principal, code: str) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    assert await refused(world, who, asked) == code
    await world.settle()
    assert (await world.approval_of(action)).state is ApprovalState.PENDING
    assert world.wire.sent == []


async def test_signing_in_again_does_not_let_a_person_approve_an_own_message(world: World) -> None:
    """A message cannot be undone (R3), so that not even a tenant's single person approves an own one."""
    owner = person(1, "owner")
    asked = await world.approval_of(await world.run(email(world.contact()), by=owner))
    assert await refused(world, owner, asked, reauthenticated=True) == "self_approval"


async def test_signing_in_again_does_not_let_a_person_approve_an_own_charge(world: World) -> None:
    owner = person(1, "owner")
    asked = await world.approval_of(await world.run(charge(), by=owner))
    assert await refused(world, owner, asked, reauthenticated=True) == "self_approval"


async def test_a_single_owner_may_approve_what_can_be_undone_and_it_is_marked(world: World) -> None:
    owner = person(1, "owner")
    action = await world.run(item("crm_update", {"deal": "d-1"}), by=owner)
    asked = await world.approval_of(action)
    assert await refused(world, owner, asked) == "self_approval"
    assert (await world.gateway.call(APPROVE, vote(asked, owner, reauthenticated=True))).state is ApprovalState.APPROVED
    entries = await world.trust_store.ledger.entries(EntryFilter(TENANT, kind="approval.approved"), 10)
    assert json.loads(entries[0].body or b"{}")["data"]["self_approved"] is True


async def test_the_requester_may_not_reject_or_revise_another_tenants_request(world: World) -> None:
    stranger = person(2, "owner", "approver", tenant=OTHER_TENANT)
    asked = await world.approval_of(await world.run(email(world.contact())))
    calls = [
        (REJECT, RejectRequest(principal=stranger, approval_id=asked.approval_id, reason="no")),
        (WITHDRAW, WithdrawRequest(principal=stranger, approval_id=asked.approval_id)),
        (
            REVISE,
            ReviseRequest(
                principal=stranger, approval_id=asked.approval_id, payload={}, expected_hash=asked.payload_hash
            ),
        ),
    ]
    for call, request in calls:
        with pytest.raises(RemoteFault) as raised:
            await world.gateway.call(call, request)
        assert raised.value.status == 404
    listed = await world.gateway.call(APPROVALS, ApprovalsRequest(principal=stranger))
    assert listed.items == ()


async def test_an_approval_cannot_be_asked_for_twice_or_made_already_given(world: World) -> None:
    """Approvals are made by trust alone, pending, with their request as the first step of their history."""
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    assert (asked.state, asked.decided_by) == (ApprovalState.PENDING, None)
    assert [(step.step, step.actor) for step in asked.history] == [("requested", REQUESTER.id)]
    assert len([d for d in world.hub.published if d.event is APPROVAL_REQUESTED]) == 1


# Two people --------------------------------------------------------------------------------------------------------------------


async def test_a_charge_needs_two_people(world: World) -> None:
    action = await world.run(charge())
    half = await world.approve(action, APPROVER)
    assert (half.state, world.wire.sent) == (ActionState.AWAITING_APPROVAL, [])
    asked = await world.approval_of(action)
    assert await refused(world, APPROVER, asked) == "already_voted"
    assert await refused(world, person(1, "approver"), asked) == "self_approval"
    done = await world.approve(action, SECOND_APPROVER)
    assert done.state is ActionState.SUCCEEDED
    assert [s.connector for s in world.wire.sent] == ["stripe"]
    steps = [(step.step, step.actor) for step in (await world.approval_of(action)).history]
    assert steps == [("requested", "user:1"), ("approved", "user:2"), ("approved", "user:3")]


async def test_two_people_at_once_are_one_approval_each(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    votes = [world.gateway.call(APPROVE, vote(asked, by)) for by in (APPROVER, SECOND_APPROVER)]
    answers = await asyncio.gather(*votes, return_exceptions=True)
    assert sorted(type(a).__name__ for a in answers) == ["Approval", "RemoteFault"]
    await world.settle()
    assert len(world.wire.sent) == 1


# No, nobody, never mind --------------------------------------------------------------------------------------------------------


async def test_a_rejected_action_is_refused_and_stays_so(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(REJECT, RejectRequest(principal=APPROVER, approval_id=asked.approval_id, reason="no"))
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.REFUSED
    assert await refused(world, SECOND_APPROVER, asked) == "approval_not_pending"
    assert len(world.requests) == 1, "a rejection is an end, not a reason to ask again"
    await world.settle()
    assert world.wire.sent == []


async def test_an_action_that_was_rejected_is_refused_when_it_is_asked_for_again(world: World) -> None:
    from libs.contracts.subjects import AUTHORIZE
    from libs.contracts.trust import AuthorizeRequest

    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(REJECT, RejectRequest(principal=APPROVER, approval_id=asked.approval_id, reason="no"))
    again = world.requests[0].evaluations[0].evolve(attempt=2)
    decision = (await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(again,)))).decisions[0]
    assert (decision.allowed, decision.grant) == (False, None)
    assert "approval_rejected" in {reason.code for reason in decision.reasons}


async def test_an_expired_request_denies(world: World) -> None:
    """AISVS C9.2: approvals expire."""
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    world.clock.advance(days=7, seconds=1)
    assert await refused(world, APPROVER, asked) == "approval_expired"
    assert await world.approving.expire_overdue() == 1
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.EXPIRED
    assert (await world.approval_of(action)).state is ApprovalState.EXPIRED
    assert await world.approving.expire_overdue() == 0
    assert world.wire.sent == []


async def test_a_request_that_is_not_due_does_not_expire(world: World) -> None:
    await world.run(email(world.contact()))
    world.clock.advance(days=6)
    assert await world.approving.expire_overdue() == 0


async def test_an_approval_that_is_older_than_its_lifetime_opens_nothing(world: World) -> None:
    from libs.contracts.subjects import AUTHORIZE
    from libs.contracts.trust import AuthorizeRequest

    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(APPROVE, vote(asked, APPROVER))
    world.clock.advance(days=8)
    again = world.requests[0].evaluations[0].evolve(attempt=9)
    decision = (await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(again,)))).decisions[0]
    assert decision.grant is None
    assert "approval_lapsed" in {reason.code for reason in decision.reasons}


async def test_the_requester_can_take_a_request_back(world: World) -> None:
    action = await world.run(email(world.contact()))
    asked = await world.approval_of(action)
    await world.gateway.call(WITHDRAW, WithdrawRequest(principal=REQUESTER, approval_id=asked.approval_id))
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.CANCELLED
    assert await refused(world, APPROVER, asked) == "approval_not_pending"


async def test_somebody_elses_request_cannot_be_taken_back_by_a_member(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(WITHDRAW, WithdrawRequest(principal=person(4), approval_id=asked.approval_id))
    assert raised.value.status == 403


async def test_there_is_no_approval_that_was_never_asked_for(world: World) -> None:
    asked = await world.approval_of(await world.run(email(world.contact())))
    assert await refused(world, APPROVER, asked.evolve(approval_id=new_id())) == "not_found"


async def unheard(_: Any, __: Any) -> None:
    """Stands where execution hears of people who said stop: the decision alone has to hold."""


# Decided again after the approval (AISVS 9.7.2: what holds is looked at when it is done) -----------------------------------------


async def test_consent_that_was_withdrawn_after_the_approval_still_blocks(world: World) -> None:
    world.execution_bus.event_handlers[CONTACT_STOPPED.subject] = unheard
    contact = world.contact()
    action = await world.run(whatsapp(contact))
    asked = await world.approval_of(action)
    await world.gateway.call(APPROVE, vote(asked, APPROVER))
    await world.gateway.call(
        WITHDRAW_CONSENT, WithdrawConsent(principal=APPROVER, tenant_id=TENANT, contact_id=contact.contact_id)
    )
    await world.settle()
    action = await world.action(action.action_id)
    assert action.state is ActionState.REFUSED
    assert "consent_withdrawn" in {reason.code for reason in action.reasons}
    assert world.wire.sent == []


async def test_a_suppression_after_the_approval_still_blocks(world: World) -> None:
    world.execution_bus.event_handlers[CONTACT_STOPPED.subject] = unheard
    contact = world.contact()
    action = await world.run(email(contact))
    await world.gateway.call(APPROVE, vote(await world.approval_of(action), APPROVER))
    await world.gateway.call(
        SUPPRESS,
        SuppressRequest(principal=SECOND_APPROVER, tenant_id=TENANT, identifier=contact.email or "", reason="asked"),
    )
    await world.settle()
    action = await world.action(action.action_id)
    assert action.state is ActionState.REFUSED
    assert "suppressed" in {reason.code for reason in action.reasons}
    assert world.wire.sent == []


async def test_every_step_of_an_approval_is_an_entry_of_the_ledger(world: World) -> None:
    action = await world.run(charge())
    await world.approve(action, APPROVER, SECOND_APPROVER)
    entries = await world.trust_store.ledger.entries(EntryFilter(TENANT, target=f"action:{action.action_id}"), 20)
    kinds = [entry.kind for entry in reversed(entries)]
    assert kinds == [
        "decision", "approval.requested", "approval.voted", "approval.approved", "decision", "outcome",
    ]  # fmt: skip


@pytest.mark.parametrize("cursor", ["x", "'; drop table", "1", "00000000"])
async def test_a_cursor_that_is_not_ours_is_refused_and_no_failure(world: World, cursor: str) -> None:
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(APPROVALS, ApprovalsRequest(principal=APPROVER, page=Page(cursor=cursor)))
    assert (raised.value.code, raised.value.status) == ("bad_cursor", 404)
