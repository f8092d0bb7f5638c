"""Nobody is written to who may not be: consent, opt-out, suppression, source, caps, hours, and what is unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from libs.contracts.data import ContactsChanged
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import new_id
from libs.contracts.reachable import ClaimedConsent, Newcomers, NewcomersRequest, ReachableRequest
from libs.contracts.subjects import (
    AUTHORIZE,
    CONTACTABILITY,
    CONTACTS_CHANGED,
    EVALUATE,
    FACTS,
    NEWCOMERS,
    REACHABLE,
    SUPPRESS,
)
from libs.contracts.trust import (
    AuthorizeRequest,
    Contactability,
    ContactabilityRequest,
    EvaluateRequest,
    Outcome,
    SuppressRequest,
)
from libs.runtime.testing import Disturbance
from services.trust.domain.decide import DAILY_CAP
from tests.flows.world import (
    AGENT,
    OTHER_TENANT,
    SECOND_APPROVER,
    TENANT,
    ResourceRef,
    World,
    email,
    email_payload,
    item,
    notice,
    person,
    whatsapp,
)

pytestmark = pytest.mark.asyncio


def codes(action: Action) -> set[str]:
    return {reason.code for reason in action.reasons}


async def expect_blocked(world: World, asked: Any, code: str) -> None:
    action = await world.run(asked)
    assert (action.state, action.approval_id) == (ActionState.REFUSED, None)
    assert code in codes(action)
    assert world.wire.sent == []


# The way that is open, so that the tests below can fail --------------------------------------------------------------------------


async def test_a_contact_that_nothing_speaks_against_is_written_to_after_an_approval(world: World) -> None:
    for asked in (email(world.contact()), whatsapp(world.contact())):
        done = await world.approve(await world.run(asked))
        assert done.state is ActionState.SUCCEEDED
    assert [s.connector for s in world.wire.sent] == ["email_smtp", "whatsapp"]


# Opting out --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        "yes",
        "YES",
        "Yes ",
        "y",
        "true",
        "True",
        "1",
        "x",
        "نعم",
        "اي",
        "opted out",
        "stop",
        "unknown",
        "maybe",
        "",
        " ",
        "No",
    ],
)
async def test_an_opt_out_blocks_however_it_is_spelled(world: World, spelled: str) -> None:
    await expect_blocked(world, email(world.contact(opted_out=spelled)), "opted_out")
    await expect_blocked(world, whatsapp(world.contact(opted_out=spelled)), "opted_out")


async def test_an_opt_out_that_arrives_after_the_approval_still_blocks(world: World) -> None:
    contact = world.contact()
    action = await world.run(email(contact))
    world.relearn(contact, opted_out="yes")
    changed = ContactsChanged(tenant_id=TENANT, contact_ids=(contact.contact_id,), version=2, at=world.clock())
    world.hub.publish(CONTACTS_CHANGED.subject, changed.model_dump_json().encode())
    await world.quiet()
    done = await world.approve(action)
    assert (done.state, world.wire.sent) == (ActionState.REFUSED, [])
    assert "opted_out" in codes(done)


async def test_older_news_of_a_contact_does_not_undo_newer(world: World) -> None:
    contact = world.contact(opted_out="yes", version=5)
    await world.run(email(contact))
    world.data.contacts[TENANT, contact.contact_id] = contact.evolve(opted_out="no", version=4)
    world.clock.advance(hours=25)
    await expect_blocked(world, email(contact), "facts_unknown")


# WhatsApp ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"purpose": "transactional"},
        {"channel": "email"},
        {"channel": "phone"},
        {"evidence": ""},
        {"evidence": "   "},
        {"captured_at_days": -1000},
    ],
)
async def test_whatsapp_without_an_opt_in_for_this_purpose_is_blocked(world: World, claim: dict[str, Any]) -> None:
    """No consent, one for another purpose or channel, one without evidence, one that has run out: none of them is an opt-in."""
    days = claim.pop("captured_at_days", 0)
    consent = world.consent("whatsapp", captured_at=world.clock() + timedelta(days=days)).evolve(**claim)
    contact = world.contact(consents=(consent,) if claim or days else ())
    await expect_blocked(world, whatsapp(contact), "whatsapp_needs_opt_in")


async def test_whatsapp_consent_of_one_person_is_none_of_another(world: World) -> None:
    world.contact()
    await expect_blocked(world, whatsapp(world.contact(consents=())), "whatsapp_needs_opt_in")


async def test_whatsapp_consent_at_one_tenant_is_none_at_another(world: World) -> None:
    shared = world.contact(tenant=OTHER_TENANT)
    world.data.contacts[TENANT, shared.contact_id] = shared.evolve(consents=())
    them = person(9, tenant=OTHER_TENANT)
    await world.run(whatsapp(shared), by=them)
    await expect_blocked(world, whatsapp(shared), "whatsapp_needs_opt_in")


# Suppression -------------------------------------------------------------------------------------------------------------------


async def suppress(world: World, identifier: str) -> None:
    request = SuppressRequest(principal=SECOND_APPROVER, tenant_id=TENANT, identifier=identifier, reason="asked")
    await world.gateway.call(SUPPRESS, request)


@pytest.mark.parametrize(
    "typed", ["lead@customer.example", "LEAD@customer.example", "  lead@Customer.Example ", "ｌｅａｄ@customer.example"]
)
async def test_a_suppressed_address_is_never_written_to_however_it_was_typed(world: World, typed: str) -> None:
    await suppress(world, typed)
    await expect_blocked(world, email(world.contact(email="lead@customer.example")), "suppressed")


@pytest.mark.parametrize(
    "typed",
    [
        "+966500001234",
        "+966 50 000 1234",
        "00966500001234",
        "+966-50-000-1234",
        "966500001234",
        "0500001234",
        "٠٥٠٠٠٠١٢٣٤",
        "+٩٦٦٥٠٠٠٠١٢٣٤",
    ],
)
async def test_a_suppressed_number_is_never_written_to_however_it_was_typed(world: World, typed: str) -> None:
    await suppress(world, typed)
    await expect_blocked(world, whatsapp(world.contact(phone="+966500001234")), "suppressed")


async def test_a_suppression_holds_for_every_record_with_the_address(world: World) -> None:
    await suppress(world, "lead@customer.example")
    for _ in range(2):
        await expect_blocked(world, email(world.contact(email="lead@customer.example")), "suppressed")


async def test_a_suppression_is_one_tenants_own(world: World) -> None:
    await suppress(world, "lead@customer.example")
    theirs = world.contact(tenant=OTHER_TENANT, email="lead@customer.example")
    action = await world.run(email(theirs), by=person(9, tenant=OTHER_TENANT))
    assert action.state is ActionState.AWAITING_APPROVAL


# What is not known -------------------------------------------------------------------------------------------------------------


async def test_a_contact_that_data_does_not_know_is_not_written_to(world: World) -> None:
    stranger = world.contact()
    del world.data.contacts[TENANT, stranger.contact_id]
    await expect_blocked(world, email(stranger), "facts_unknown")


@pytest.mark.parametrize("disturbance", list(Disturbance))
async def test_when_data_does_not_answer_nobody_is_written_to(world: World, disturbance: Disturbance) -> None:
    world.hub.disturb(FACTS, disturbance)
    await expect_blocked(world, email(world.contact()), "facts_unknown")


async def test_facts_that_are_too_old_are_unknown(world: World) -> None:
    contact = world.contact()
    action = await world.run(email(contact))
    world.hub.disturb(FACTS, Disturbance.SILENT)
    world.clock.advance(hours=25)
    done = await world.approve(action)
    assert (done.state, world.wire.sent) == (ActionState.REFUSED, [])
    assert "facts_unknown" in codes(done)


@pytest.mark.parametrize(
    "resource",
    [
        ResourceRef(type="lead", id="1"),
        ResourceRef(type="contact", id="not-an-id"),
        ResourceRef(type="contact", id=str(new_id())),
        ResourceRef(type="tenant", id=str(TENANT)),
    ],
)
async def test_a_message_about_no_known_contact_is_not_sent(world: World, resource: ResourceRef) -> None:
    await expect_blocked(world, item("send_email", email_payload(world.contact()), resource), "facts_unknown")


async def test_what_the_caller_says_of_a_contact_is_no_fact(world: World) -> None:
    contact = world.contact(opted_out="yes", consents=())
    claims = {"opted_out": "no", "consent": "active", "facts": "known", "source": "own_crm", "approved": True}
    await expect_blocked(world, email(contact, **claims), "opted_out")


# Whom the message names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "to",
    [
        "somebody@else.example",
        "lead@customer.example, somebody@else.example",
        "Lead <lead@customer.example>",
        "lead@customer.example\nBcc: x@y.example",
        "",
        None,
        ["lead@customer.example"],
    ],
)
async def test_a_message_to_anybody_but_the_contact_is_not_sent(world: World, to: Any) -> None:
    contact = world.contact(email="lead@customer.example")
    await expect_blocked(world, email(contact, to=to), "recipient_mismatch")


async def test_a_whatsapp_to_another_number_is_not_sent(world: World) -> None:
    await expect_blocked(world, whatsapp(world.contact(), to="+966599999999"), "recipient_mismatch")


async def test_a_contact_without_an_address_is_not_written_to(world: World) -> None:
    contact = world.contact(email=None)
    await expect_blocked(world, email(contact, to="guess@customer.example"), "recipient_mismatch")


# Where the data comes from ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["scraped", "opted_out"])
async def test_a_contact_from_a_forbidden_source_is_never_written_to(world: World, source: str) -> None:
    await expect_blocked(world, email(world.contact(source=source)), "source_blocked")


@pytest.mark.parametrize("source", ["purchased", "cold_list", "unknown", "somewhere"])
async def test_a_contact_from_a_doubtful_source_is_shown_as_such_to_whoever_approves(world: World, source: str) -> None:
    action = await world.run(email(world.contact(source=source)))
    assert action.state is ActionState.AWAITING_APPROVAL
    asked = await world.approval_of(action)
    assert "source_needs_review" in {reason["code"] for reason in asked.view["reasons"]}


# What the message must say ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["معكم شركة أفق.", "", None, 7])
async def test_a_marketing_message_without_a_way_out_is_not_sent(world: World, body: Any) -> None:
    await expect_blocked(world, email(world.contact(), body=body), "opt_out_text_missing")


@pytest.mark.parametrize("name", ["شركة أخرى", "", "  ", None])
async def test_a_marketing_message_that_does_not_name_its_sender_is_not_sent(world: World, name: Any) -> None:
    await expect_blocked(world, email(world.contact(), from_name=name), "sender_identity_missing")


# Live ----------------------------------------------------------------------------------------------------------------------------


async def test_live_marketing_needs_the_persons_consent_for_the_channel(world: World) -> None:
    world.operating.flags = {TENANT: {"live.email_smtp": True}}
    action = await world.run(email(world.contact()))
    assert action.state is ActionState.REFUSED
    assert "marketing_consent_live" in codes(action)
    willing = world.contact(consents=(world.consent("email"),))
    done = await world.approve(await world.run(email(willing)))
    assert done.state is ActionState.SUCCEEDED
    assert [s.mode for s in world.wire.sent] == ["live"]


async def test_nothing_live_is_sent_at_night(world: World) -> None:
    world.operating.flags = {TENANT: {"live.email_smtp": True}}
    willing = world.contact(consents=(world.consent("email"),))
    world.clock.advance(hours=12)  # 21:00 in Riyadh
    action = await world.run(email(willing))
    assert action.state is ActionState.REFUSED
    assert "quiet_hours" in codes(action)
    assert world.wire.sent == []


# Caps ----------------------------------------------------------------------------------------------------------------------------


async def test_a_person_gets_no_third_message_in_a_week(world: World) -> None:
    contact = world.contact()
    for _ in range(2):
        await world.approve(await world.run(email(contact)))
    third = await world.run(email(contact))
    assert third.state is ActionState.REFUSED
    assert "over_contact_cap" in codes(third)
    assert len(world.wire.sent) == 2
    world.clock.advance(days=7, seconds=1)
    assert (await world.run(email(contact))).state is ActionState.AWAITING_APPROVAL


async def test_another_channel_has_its_own_cap(world: World) -> None:
    contact = world.contact()
    for _ in range(2):
        await world.approve(await world.run(email(contact)))
    assert (await world.run(whatsapp(contact))).state is ActionState.AWAITING_APPROVAL


async def test_messages_that_never_left_do_not_count_against_the_person(world: World) -> None:
    """Two attempts that a mail server turned away are no messages: the third still goes."""
    from services.execution.errors import VendorUnavailable

    contact = world.contact()
    down = [VendorUnavailable("smtp_421", "later", "لاحقًا") for _ in range(2)]
    action = await world.run(email(contact))
    world.wire.fail_with = list(down)
    await world.approve(action)
    for _ in range(4):
        world.clock.advance(minutes=1)
        await world.settle()
    action = await world.action(action.action_id)
    assert action.state is ActionState.SUCCEEDED, codes(action)


async def test_caps_are_counted_item_by_item_inside_a_batch(world: World) -> None:
    """Five approved drafts to one person, decided in one batch: two may go."""
    contact = world.contact()
    results = await world.submit(*(email(contact, subject=f"n{n}") for n in range(5)))
    actions = [await world.action(r.action_id) for r in results]
    assert {a.state for a in actions} == {ActionState.AWAITING_APPROVAL}
    for action in actions:
        asked = await world.approval_of(action)
        from libs.contracts.subjects import APPROVE
        from tests.flows.world import APPROVER, vote

        await world.gateway.call(APPROVE, vote(asked, APPROVER))
    await world.settle()
    ends = sorted([(await world.action(a.action_id)).state.value for a in actions])
    assert ends == ["refused"] * 3 + ["succeeded"] * 2
    assert len(world.wire.sent) == 2


async def test_the_senders_daily_cap_is_counted_item_by_item_inside_a_batch(world: World) -> None:
    contacts = [world.contact() for _ in range(DAILY_CAP + 5)]
    await world.submit(*(email(contact, action_type="gmail_create_draft") for contact in contacts))
    assert len(world.wire.sent) == DAILY_CAP
    world.clock.advance(hours=24)
    await world.run(email(world.contact(), action_type="gmail_create_draft"))
    assert len(world.wire.sent) == DAILY_CAP + 1


# Agents --------------------------------------------------------------------------------------------------------------------------


async def test_three_blocked_attempts_suspend_an_agent(world: World) -> None:
    for _ in range(3):
        assert (await world.run(item("bypass_auth", {}), by=AGENT)).state is ActionState.REFUSED
    fourth = await world.run(notice(), by=AGENT)
    assert fourth.state is ActionState.REFUSED
    assert "agent_suspended" in codes(fourth)
    assert world.wire.sent == []
    other = AGENT.evolve(id="agent:knowledge_retrieval")
    assert (await world.run(notice(), by=other)).state is ActionState.SUCCEEDED
    assert (await world.run(notice())).state is ActionState.SUCCEEDED
    world.clock.advance(minutes=11)
    assert (await world.run(notice(), by=AGENT)).state is ActionState.SUCCEEDED


async def test_what_a_suspended_agent_might_do_is_answered_with_its_suspension(world: World) -> None:
    await world.run(notice(), by=AGENT)
    for _ in range(3):
        await world.run(item("bypass_auth", {}), by=AGENT)
    asked = EvaluateRequest(evaluations=(world.requests[0].evaluations[0].evolve(action_id=new_id()),))
    (decision,) = (await world.gateway.call(EVALUATE, asked)).decisions
    assert (decision.outcome, decision.grant) == (Outcome.REFUSED, None)
    assert "agent_suspended" in {reason.code for reason in decision.reasons}


async def test_a_hypothetical_question_leaves_nothing_behind(world: World) -> None:
    await world.run(email(world.contact()))
    evaluation = world.requests[0].evaluations[0].evolve(action_id=new_id())
    before = (len(world.hub.published), await world.trust_store.overdue(100))
    (decision,) = (await world.gateway.call(EVALUATE, EvaluateRequest(evaluations=(evaluation,)))).decisions
    assert (decision.outcome, decision.approval_id, decision.grant) == (Outcome.PARKED, None, None)
    assert (len(world.hub.published), await world.trust_store.overdue(100)) == before


async def test_two_blocked_attempts_do_not_suspend_an_agent(world: World) -> None:
    for _ in range(2):
        await world.run(item("bypass_auth", {}), by=AGENT)
    assert (await world.run(notice(), by=AGENT)).state is ActionState.SUCCEEDED


async def test_a_burst_in_one_batch_suspends_an_agent_as_well(world: World) -> None:
    results = await world.submit(*(item("bypass_auth", {}) for _ in range(3)), notice("after"), by=AGENT)
    after = await world.action(results[-1].action_id)
    assert after.state is ActionState.REFUSED
    assert "agent_suspended" in codes(after)
    assert world.wire.sent == []


async def test_waiting_for_an_earlier_attempt_is_no_blocked_attempt_of_an_agent(world: World) -> None:
    await world.run(notice(), by=AGENT)
    asked = world.requests[0].evaluations[0]
    for _ in range(4):
        # The outcome of the first attempt is known, so that these are asked about an action of which trust has heard nothing yet.
        action = new_id()
        first = asked.evolve(action_id=action)
        await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(first,)))
        again = AuthorizeRequest(evaluations=(first.evolve(attempt=2),))
        reply = await world.execution_bus.call(AUTHORIZE, again)
        assert reply.decisions[0].outcome is Outcome.REFUSED
    assert (await world.run(notice(), by=AGENT)).state is ActionState.SUCCEEDED


# Contactability as it is shown ---------------------------------------------------------------------------------------------------


async def test_contactability_says_what_a_send_would_meet(world: World) -> None:
    cases = {
        "fine": world.contact(consents=()),
        "out": world.contact(opted_out="yes"),
        "unclear": world.contact(opted_out="maybe"),
        "scraped": world.contact(source="scraped"),
        "bought": world.contact(source="purchased"),
    }
    gone = new_id()
    ids = (*(contact.contact_id for contact in cases.values()), gone)
    reply = await world.gateway.call(CONTACTABILITY, ContactabilityRequest(tenant_id=TENANT, contact_ids=ids))
    by_email = {i.contact_id: {c.channel: c.status for c in i.channels}["email"] for i in reply.items}
    assert [by_email[c.contact_id] for c in cases.values()] == [
        Contactability.SAFE,
        Contactability.BLOCKED,
        Contactability.NEEDS_REVIEW,
        Contactability.BLOCKED,
        Contactability.NEEDS_REVIEW,
    ]
    assert by_email[gone] is Contactability.UNKNOWN
    by_whatsapp = {i.contact_id: {c.channel: c.status for c in i.channels}["whatsapp"] for i in reply.items}
    assert by_whatsapp[cases["fine"].contact_id] is Contactability.BLOCKED
    # The short answer for whole lists says the same of everybody, once.
    short = await world.gateway.call(REACHABLE, ReachableRequest(tenant_id=TENANT, contact_ids=(*ids, gone)))
    named = [(contact, one.channels) for one in short.items for contact in one.contact_ids]
    assert len(named) == len(ids)
    assert dict(named) == {i.contact_id: {c.channel: c.status for c in i.channels} for i in reply.items}


async def test_people_of_a_list_are_judged_before_they_are_written_as_they_are_afterwards(world: World) -> None:
    long_ago = world.consent("whatsapp", captured_at=world.clock() - timedelta(days=800))
    withdrawn = world.contact()
    people = [
        world.contact(),
        world.contact(consents=()),
        world.contact(opted_out="yes"),
        world.contact(opted_out="maybe"),
        world.contact(source="purchased"),
        world.contact(source="nobody_knows"),
        world.contact(cold=True),
        world.contact(email=None, email_valid=None),
        world.contact(phone=None),
        world.contact(consents=(long_ago,)),
        world.contact(consents=(long_ago, world.consent("whatsapp"), world.consent("phone"))),
        withdrawn,
    ]
    stop = SuppressRequest(
        tenant_id=TENANT, principal=SECOND_APPROVER, identifier=withdrawn.email or "", reason="asked"
    )
    await world.gateway.call(SUPPRESS, stop)
    groups = tuple(
        Newcomers(
            source=one.source,
            opted_out=one.opted_out,
            cold=one.cold,
            collected_directly=one.collected_directly,
            consents=tuple(ClaimedConsent(channel=c.channel, captured_at=c.captured_at) for c in one.consents),
            email=(one.email,),
            phone=(one.phone,),
        )
        for one in people
    )
    before = await world.gateway.call(NEWCOMERS, NewcomersRequest(tenant_id=TENANT, groups=groups))
    said = {one.contact_id: before.states[place] for one, (place,) in zip(people, before.groups, strict=True)}
    ids = tuple(said)
    after = await world.gateway.call(REACHABLE, ReachableRequest(tenant_id=TENANT, contact_ids=ids))
    assert said == {contact: one.channels for one in after.items for contact in one.contact_ids}
    assert said[withdrawn.contact_id]["email"] is Contactability.BLOCKED
    assert len(before.states) > 5


async def test_a_question_about_people_whose_addresses_do_not_fit_their_numbers_is_refused(world: World) -> None:
    with pytest.raises(ValidationError):
        Newcomers(source="own_crm", email=("a@x.example",), phone=())
