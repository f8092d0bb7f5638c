"""Who said stop is not written to: what waits ends within seconds, links work for ever and for one purpose, caps are the tenant's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.contracts.consent import LinkRequest, SuppressionsRequest, Unsubscribe
from libs.contracts.data import ContactFacts
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState, ControlRow
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import (
    APPROVE,
    CONSENTS,
    EXECUTION_CONTROL,
    RECORD_CONSENTS,
    SUPPRESS,
    SUPPRESSIONS,
    UNSUBSCRIBE,
    UNSUBSCRIBE_LINK,
    WITHDRAW_CONSENT,
)
from libs.contracts.trust import (
    ApprovalState,
    ConsentRecord,
    ConsentsRequest,
    RecordConsents,
    SuppressRequest,
    WithdrawConsent,
)
from services.trust.ledger.domain.records import EntryFilter
from tests.flows.approving import set_rules
from tests.flows.world import (
    APPROVER,
    OTHER_TENANT,
    SECOND_APPROVER,
    TENANT,
    World,
    email,
    person,
    vote,
    whatsapp,
)

pytestmark = pytest.mark.asyncio
OWNER = SECOND_APPROVER


async def pause(world: World, paused: bool, version: int) -> None:
    row = ControlRow(tenant_id=TENANT, scope="tenant", target=str(TENANT), paused=paused, version=version)
    assert (await world.operating_bus.call(EXECUTION_CONTROL, row)).acknowledged


async def withdraw(world: World, contact: ContactFacts, channel: str | None = None) -> None:
    request = WithdrawConsent(principal=OWNER, tenant_id=TENANT, contact_id=contact.contact_id, channel=channel)
    await world.gateway.call(WITHDRAW_CONSENT, request)
    await world.settle()


async def approved_and_held(world: World, item: Any) -> Any:
    """A message that people approved and that a pause keeps from leaving."""
    action = await world.run(item)
    asked = await world.approval_of(action)
    await pause(world, True, 1)
    await world.gateway.call(APPROVE, vote(asked, APPROVER))
    await world.settle()
    held = await world.action(action.action_id)
    assert (held.state, world.wire.sent) == (ActionState.ACCEPTED, [])
    return held


# What waits ends ----------------------------------------------------------------------------------------------------------------


async def test_an_approved_message_that_has_not_left_is_stopped_by_a_withdrawal(world: World) -> None:
    contact = world.contact()
    action = await approved_and_held(world, whatsapp(contact))
    await withdraw(world, contact)
    assert (await world.action(action.action_id)).state is ActionState.CANCELLED, "before anybody asks again"
    await pause(world, False, 2)
    world.clock.advance(minutes=2)
    await world.settle()
    assert world.wire.sent == []


async def test_a_request_that_waits_for_people_is_withdrawn_with_the_consent(world: World) -> None:
    contact = world.contact()
    action = await world.run(whatsapp(contact))
    await withdraw(world, contact)
    assert (await world.approval_of(action)).state is ApprovalState.WITHDRAWN
    assert (await world.action(action.action_id)).state is ActionState.CANCELLED


async def test_a_suppressed_address_stops_what_waits_for_whoever_has_it(world: World) -> None:
    first = world.contact()
    twin = world.contact(email=first.email)
    bystander = world.contact()
    actions = [await world.run(email(c)) for c in (first, twin, bystander)]
    identifier = (first.email or "").upper()
    await world.gateway.call(
        SUPPRESS, SuppressRequest(principal=OWNER, tenant_id=TENANT, identifier=identifier, reason="asked")
    )
    await world.settle()
    states = [(await world.action(a.action_id)).state for a in actions]
    assert states == [ActionState.CANCELLED, ActionState.CANCELLED, ActionState.AWAITING_APPROVAL]


async def test_a_withdrawal_for_one_channel_leaves_the_others(world: World) -> None:
    contact = world.contact()
    letter, message = await world.run(email(contact)), await world.run(whatsapp(contact))
    await withdraw(world, contact, "whatsapp")
    assert (await world.action(letter.action_id)).state is ActionState.AWAITING_APPROVAL
    assert (await world.action(message.action_id)).state is ActionState.CANCELLED


async def test_another_tenants_withdrawal_stops_nothing_here(world: World) -> None:
    contact = world.contact()
    action = await world.run(whatsapp(contact))
    stranger = person(3, "owner", tenant=OTHER_TENANT)
    await world.gateway.call(
        WITHDRAW_CONSENT, WithdrawConsent(principal=stranger, tenant_id=OTHER_TENANT, contact_id=contact.contact_id)
    )
    await world.settle()
    assert (await world.approval_of(action)).state is ApprovalState.PENDING


# Recording ------------------------------------------------------------------------------------------------------------------------


def consent(world: World, **changes: Any) -> ConsentRecord:
    base = ConsentRecord(
        consent_id=new_id(), contact_id=new_id(), purpose="marketing", channel="email", method="web_form",
        captured_at=world.clock() - timedelta(days=1), evidence="form 12", notice_version="2026-1",
    )  # fmt: skip
    made: ConsentRecord = base.evolve(**changes)
    return made


async def record(world: World, *made: ConsentRecord) -> str:
    request = RecordConsents(principal=OWNER, tenant_id=TENANT, consents=made)
    try:
        await world.gateway.call(RECORD_CONSENTS, request)
    except RemoteFault as error:
        return error.code if error.ar else "no Arabic"
    return "ok"


async def test_a_consent_without_its_proof_is_none_and_nothing_is_kept(world: World) -> None:
    wrong = (
        {"evidence": " "}, {"notice_version": ""}, {"method": " "}, {"channel": "fax"},
        {"captured_at": world.clock() + timedelta(seconds=1)}, {"expires_at": world.clock() - timedelta(days=1)},
        {"bundled_with_service": True},
    )  # fmt: skip
    for changes in wrong:
        assert await record(world, consent(world), consent(world, **changes)) == "bad_consent", changes
    assert (await world.gateway.call(CONSENTS, ConsentsRequest(principal=OWNER))).items == ()
    assert await record(world, consent(world)) == "ok"


async def test_the_ledger_commits_to_when_how_and_by_which_notice_without_quoting_the_evidence(world: World) -> None:
    made = consent(world, evidence="stand at the fair, +966500000001")
    await record(world, made)
    (entry,) = await world.trust_store.ledger.entries(EntryFilter(TENANT, kind="consent.recorded"), 10)
    body = (entry.body or b"").decode()
    assert "2026-1" in body
    assert "evidence_sha256" in body
    assert "fair" not in body


async def test_a_consent_ends_with_its_date(world: World) -> None:
    contact = world.contact(consents=())
    await record(
        world,
        consent(world, contact_id=contact.contact_id, channel="whatsapp", expires_at=world.clock() + timedelta(days=1)),
    )
    assert (await world.run(whatsapp(contact))).state is ActionState.AWAITING_APPROVAL
    world.clock.advance(days=1, seconds=1)
    late = await world.run(whatsapp(contact))
    assert late.state is ActionState.REFUSED


# Links -----------------------------------------------------------------------------------------------------------------------------


async def link(world: World, contact: ContactFacts, channel: str = "email") -> str:
    request = LinkRequest(tenant_id=TENANT, contact_id=contact.contact_id, channel=channel)
    return (await world.gateway.call(UNSUBSCRIBE_LINK, request)).token


async def test_one_click_suppresses_withdraws_and_stops_what_waits(world: World) -> None:
    contact = world.contact()
    waiting = await world.run(email(contact))
    token = await link(world, contact)
    looked = await world.gateway.call(UNSUBSCRIBE, Unsubscribe(token=token, confirmed=False))
    assert (looked.done, (await world.approval_of(waiting)).state) == (False, ApprovalState.PENDING), (
        "a GET changes nothing"
    )
    for _ in range(2):
        done = await world.gateway.call(UNSUBSCRIBE, Unsubscribe(token=token, confirmed=True))
        assert (done.done, done.channel) == (True, "email")
    await world.settle()
    assert (await world.action(waiting.action_id)).state is ActionState.CANCELLED
    again = await world.run(email(contact))
    assert "suppressed" in {reason.code for reason in again.reasons}


async def test_a_link_still_works_when_the_contact_is_gone(world: World) -> None:
    contact = world.contact()
    token = await link(world, contact)
    del world.data.contacts[TENANT, contact.contact_id]
    world.clock.advance(days=400)
    await world.gateway.call(UNSUBSCRIBE, Unsubscribe(token=token, confirmed=True))
    returned = world.contact(email=contact.email)
    assert "suppressed" in {r.code for r in (await world.run(email(returned))).reasons}


async def test_no_byte_of_a_link_can_be_changed(world: World) -> None:
    token = await link(world, world.contact())
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    for position in range(len(raw)):
        raw[position] ^= 1
        changed = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
        raw[position] ^= 1
        with pytest.raises(RemoteFault) as raised:
            await world.gateway.call(UNSUBSCRIBE, Unsubscribe(token=changed, confirmed=True))
        assert raised.value.code == "bad_link"
    assert (await world.gateway.call(SUPPRESSIONS, SuppressionsRequest(principal=OWNER))).items == ()


@pytest.mark.parametrize("token", ["", "x", "é", "AAAA", "=" * 10, "A" * 110, "apv_" + "A" * 43])
async def test_what_is_no_link_is_refused(world: World, token: str) -> None:
    with pytest.raises(RemoteFault) as raised:
        await world.gateway.call(UNSUBSCRIBE, Unsubscribe(token=token, confirmed=True))
    assert (raised.value.code, raised.value.status) == ("bad_link", 404)


async def test_the_list_names_nobody_and_is_the_tenants_own(world: World) -> None:
    for n in range(3):
        await world.gateway.call(
            SUPPRESS, SuppressRequest(principal=OWNER, tenant_id=TENANT, identifier=f"p{n}@x.example", reason="asked")
        )
    first = await world.gateway.call(SUPPRESSIONS, SuppressionsRequest(principal=OWNER, page=Page(limit=2)))
    rest = await world.gateway.call(
        SUPPRESSIONS, SuppressionsRequest(principal=OWNER, page=Page(limit=2, cursor=first.next_cursor))
    )
    assert [len(first.items), len(rest.items), rest.next_cursor] == [2, 1, None]
    assert "example" not in first.model_dump_json() + rest.model_dump_json()
    stranger = person(3, "owner", tenant=OTHER_TENANT)
    assert (await world.gateway.call(SUPPRESSIONS, SuppressionsRequest(principal=stranger))).items == ()
    with pytest.raises(RemoteFault):
        await world.gateway.call(SUPPRESSIONS, SuppressionsRequest(principal=person(4, "member")))


# Caps -------------------------------------------------------------------------------------------------------------------------------


async def send(world: World, contact: ContactFacts | None = None) -> set[str]:
    """Have one e-mail approved; the reasons of its end when it did not leave."""
    action = await world.run(email(contact or world.contact()))
    if action.state is ActionState.AWAITING_APPROVAL:
        action = await world.approve(action)
    return set() if action.state is ActionState.SUCCEEDED else {r.code for r in action.reasons}


async def test_a_tenants_daily_cap_holds_and_ends_at_midnight_in_riyadh(world: World) -> None:
    await set_rules(world, daily_caps={"email": 2})
    assert [await send(world), await send(world)] == [set(), set()]
    assert "over_daily_cap" in await send(world)
    world.clock.at = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
    assert await send(world) == set()
    assert len(world.wire.sent) == 3


async def test_a_new_sender_warms_up_day_by_day(world: World) -> None:
    await set_rules(world, warm_up=(1, 2), daily_caps={"email": 3})
    sent = []
    for _ in range(3):
        before = len(world.wire.sent)
        for _ in range(5):
            await send(world)
        sent.append(len(world.wire.sent) - before)
        world.clock.advance(days=1)
    assert sent == [1, 2, 3]


async def test_a_tenants_cap_for_one_person_holds(world: World) -> None:
    await set_rules(world, contact_caps={"email": 1})
    contact = world.contact()
    assert await send(world, contact) == set()
    assert "over_contact_cap" in await send(world, contact)
    assert await send(world) == set()
    world.clock.advance(days=7, seconds=1)
    assert await send(world, contact) == set()


async def test_a_cap_holds_inside_one_batch(world: World) -> None:
    await set_rules(world, daily_caps={"email": 2})
    actions = [await world.run(email(world.contact())) for _ in range(4)]
    for action in actions:
        await world.gateway.call(APPROVE, vote(await world.approval_of(action), APPROVER))
    await world.settle()
    assert len(world.wire.sent) == 2
