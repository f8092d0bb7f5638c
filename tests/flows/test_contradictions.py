"""A contradiction about what an action concerns raises it to a person, who sees both claims, and only a person decides it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.contracts.approvals import CompareRequest
from libs.contracts.claims import (
    Acknowledge,
    Claim,
    Contradiction,
    ContradictionsRequest,
    NewClaim,
    RecordClaims,
    Resolve,
)
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, ActionState
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.subjects import (
    ACKNOWLEDGE,
    COMPARE,
    CONTRADICTION_DECIDED,
    CONTRADICTION_OPENED,
    CONTRADICTIONS,
    RECORD_CLAIMS,
    RECORD_CONSENTS,
    RESOLVE,
    WITHDRAW_CONSENT,
)
from libs.contracts.trust import ConsentRecord, RecordConsents, ResourceRef, WithdrawConsent
from services.trust.ledger.store import EntryFilter
from tests.flows.world import AGENT, APPROVER, REQUESTER, TENANT, World, email, item, whatsapp

WHY = "The price list of November is the newer one."
DEAL = "deal:d-1"


def person(number: int, *roles: str, tenant: UUID = TENANT, kind: PrincipalKind = PrincipalKind.USER) -> Principal:
    return Principal(id=f"{kind.value}:{number}", kind=kind, tenant_id=tenant, roles=roles)


SELLER, CLERK, OFFICER = person(71, "member"), person(72, "operator"), person(73, "compliance_officer")


def claim(value: str, source: str, *, subject: str = "product:crm", key: str = "price", **more: Any) -> NewClaim:
    return NewClaim(claim_id=new_id(), subject=subject, key=key, value=value, source=source, **more)


async def say(world: World, *claims: NewClaim, by: Principal = CLERK) -> tuple[Contradiction, ...]:
    reply = await world.gateway.call(RECORD_CLAIMS, RecordClaims(principal=by, claims=claims))
    return reply.contradictions


async def disputed(world: World, subject: str = DEAL) -> Contradiction:
    key = {"subject": subject, "key": "deal_value"}
    assert await say(world, claim("100000", "crm", **key)) == ()
    (found,) = await say(world, claim("120000", "proposal", **key), by=SELLER)
    return found


async def listed(world: World, tenant: UUID = TENANT) -> tuple[Contradiction, ...]:
    reply = await world.gateway.call(
        CONTRADICTIONS, ContradictionsRequest(principal=person(9, "auditor", tenant=tenant))
    )
    return reply.items


async def decide(world: World, one: Contradiction, standing: Claim | None, by: Principal = OFFICER) -> Contradiction:
    request = Resolve(
        principal=by, contradiction_id=one.contradiction_id, standing_claim_id=standing.claim_id if standing else None, reason=WHY
    )  # fmt: skip
    return await world.gateway.call(RESOLVE, request)


async def refused(world: World, one: Contradiction, standing: Claim | None, by: Principal) -> str:
    with pytest.raises(DealixError) as found:
        await decide(world, one, standing, by)
    assert found.value.ar
    return found.value.code


def plan(**fields: Any) -> ActionItem:
    """Class A: it runs at once."""
    return item("plan", fields.pop("payload", {}), ResourceRef(type="deal", id="d-1"), **fields)


def by_value(one: Contradiction, value: str) -> Claim:
    return next(claim for claim in one.claims if claim.value == value)


def codes(action: Any) -> set[str]:
    return {reason.code for reason in action.reasons}


async def entries(world: World) -> list[tuple[str, str]]:
    stored = await world.trust_store.ledger.entries(EntryFilter(TENANT), 200)
    kept = sorted(stored, key=lambda entry: entry.entry_id)
    return [(entry.kind, entry.target) for entry in kept if entry.kind.startswith(("claim", "contradiction"))]


# -- the class ------------------------------------------------------------------------------------------------------------------


async def test_without_a_contradiction_class_a_runs_at_once(world: World) -> None:
    await say(world, claim("100000", "crm", subject=DEAL, key="deal_value"))
    assert (await world.run(plan())).state is ActionState.SUCCEEDED


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"class": "A", "action_class": "A", "contradiction": "none", "contradictions": []},
        {"approval": "approved", "contradicted": False},
    ],
)
async def test_a_contradiction_raises_class_a_whatever_the_submitter_says(
    world: World, payload: dict[str, Any]
) -> None:
    await disputed(world)
    waiting = await world.run(plan(payload=payload, reason="There is no contradiction here."))
    assert waiting.state is ActionState.AWAITING_APPROVAL
    assert (waiting.action_class, codes(waiting)) == ("B", {"contradiction_open"})


async def test_naming_another_resource_does_not_hide_what_the_payload_is_about(world: World) -> None:
    await disputed(world)
    for payload in ({"deal_id": "d-1"}, {"deal": "d-1"}, {"deal_ids": ["d-0", "d-1"]}, {"items": [{"deal_id": "d-1"}]}):
        assert (await world.run(item("plan", payload))).state is ActionState.AWAITING_APPROVAL
    assert (await world.run(item("plan", {"deal_id": "d-2"}))).state is ActionState.SUCCEEDED


async def test_another_tenants_contradiction_raises_nothing_and_shows_nowhere(world: World) -> None:
    other = new_id()
    key = {"subject": DEAL, "key": "deal_value"}
    await say(world, claim("1", "crm", **key), by=person(1, "operator", tenant=other))
    await say(world, claim("9", "proposal", **key), by=person(2, "operator", tenant=other))
    assert (len(await listed(world, other)), await listed(world)) == (1, ())
    assert (await world.run(plan())).state is ActionState.SUCCEEDED
    (theirs,) = await listed(world, other)
    assert await refused(world, theirs, None, OFFICER) == "not_found"


async def test_acknowledging_raises_as_before_and_deciding_ends_it(world: World) -> None:
    found = await disputed(world)
    seen = await world.gateway.call(
        ACKNOWLEDGE, Acknowledge(principal=OFFICER, contradiction_id=found.contradiction_id)
    )
    assert seen.state == "acknowledged"
    assert (await world.run(plan())).state is ActionState.AWAITING_APPROVAL
    done = await decide(world, found, by_value(found, "100000"))
    assert (done.state, done.decided_by, done.reason) == ("resolved", OFFICER.id, WHY)
    assert {c.value: c.standing.value for c in done.claims} == {"100000": "current", "120000": "refuted"}
    assert (await world.run(plan())).state is ActionState.SUCCEEDED


async def test_accepting_both_ends_it_and_it_does_not_come_back(world: World) -> None:
    found = await disputed(world)
    assert (await decide(world, found, None)).state == "accepted"
    assert (await world.run(plan())).state is ActionState.SUCCEEDED
    assert [one.state for one in await listed(world)] == ["accepted"]


# -- approvals ------------------------------------------------------------------------------------------------------------------


async def test_the_approval_shows_both_claims_and_the_hash_covers_them(world: World) -> None:
    found = await disputed(world)
    waiting = await world.run(plan())
    asked = await world.approval_of(waiting)
    (shown,) = asked.view["contradictions"]
    assert shown["contradiction_id"] == str(found.contradiction_id)
    assert {(c["value"], c["source"], c["recorded_by"]) for c in shown["claims"]} == {
        ("100000", "crm", CLERK.id), ("120000", "proposal", SELLER.id),
    }  # fmt: skip
    assert all(c["label_en"] and c["label_ar"] for c in shown["claims"])
    assert (await world.approve(waiting)).state is ActionState.SUCCEEDED


async def test_an_approval_given_before_a_contradiction_came_up_is_asked_for_again(world: World) -> None:
    about = ResourceRef(type="deal", id="d-1")
    waiting = await world.run(item("create_charge", {"amount": "1500.00", "currency": "SAR", "customer": "c-1"}, about))
    first = await world.approval_of(waiting)
    assert first.view["contradictions"] == []
    key = {"subject": DEAL, "key": "deal_status"}
    await say(world, claim("won", "crm", **key))
    await say(world, claim("lost", "erp", **key), by=SELLER)
    again = await world.approve(waiting, APPROVER, person(88, "approver"))
    assert (again.state, world.wire.sent) == (ActionState.AWAITING_APPROVAL, [])
    second = await world.approval_of(again)
    assert second.approval_id != first.approval_id and len(second.view["contradictions"]) == 1
    assert (await world.approve(again, APPROVER, person(88, "approver"))).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1


# -- what an action itself says ---------------------------------------------------------------------------------------------------


def offer(**payload: Any) -> ActionItem:
    return item("plan", {"product": "crm", **payload})


async def test_a_price_in_a_draft_against_the_price_on_record_waits_for_a_person(world: World) -> None:
    await say(world, claim("1200.00", "knowledge:price-list", unit="SAR"))
    assert (await world.run(offer(unit_price="1200"))).state is ActionState.SUCCEEDED
    waiting = await world.run(offer(unit_price="900"))
    assert waiting.state is ActionState.AWAITING_APPROVAL and "contradiction_open" in codes(waiting)
    (found,) = await listed(world)
    assert (found.kind, found.severity, found.found_by, found.action_id) == (
        "value",
        "high",
        "action",
        waiting.action_id,
    )
    # Only the draft that says so waits.
    assert (await world.run(offer(note="no price"))).state is ActionState.SUCCEEDED


async def test_what_a_person_found_wrong_in_a_draft_never_leaves(world: World) -> None:
    await say(world, claim("1200", "knowledge:price-list"))
    waiting = await world.run(offer(unit_price="900"))
    (found,) = await listed(world)
    await decide(world, found, by_value(found, "1200"))
    ended = await world.approve(waiting)
    assert (ended.state, codes(ended)) == (ActionState.REFUSED, {"refuted_claim"})


async def test_a_price_that_a_person_accepted_for_one_draft_leaves_and_binds_no_other(world: World) -> None:
    await say(world, claim("1200", "knowledge:price-list"))
    waiting = await world.run(offer(unit_price="900"))
    (found,) = await listed(world)
    await decide(world, found, None)
    assert (await world.approve(waiting)).state is ActionState.SUCCEEDED
    assert (await world.run(offer(unit_price="900"))).state is ActionState.AWAITING_APPROVAL


# -- consent ----------------------------------------------------------------------------------------------------------------------


async def test_consent_withdrawn_here_and_given_there_is_a_contradiction(world: World) -> None:
    contact = world.contact(consents=(world.consent("email"),))
    await world.run(email(contact))
    keeper = person(5, "compliance_officer")
    await world.gateway.call(
        WITHDRAW_CONSENT,
        WithdrawConsent(
            principal=keeper, tenant_id=TENANT, contact_id=contact.contact_id, channel="email", reason="they called"
        ),
    )
    assert await listed(world) == ()
    world.clock.advance(days=1)
    stale = ConsentRecord(
        consent_id=new_id(), contact_id=contact.contact_id, purpose="marketing", channel="email", method="imported_list",
        captured_at=world.clock(), evidence="row 9", notice_version="1",
    )  # fmt: skip
    await world.gateway.call(RECORD_CONSENTS, RecordConsents(principal=keeper, tenant_id=TENANT, consents=(stale,)))
    (found,) = await listed(world)
    assert (found.kind, found.subject) == ("policy", f"contact:{contact.contact_id}")
    assert {c.value for c in found.claims} == {"given", "withdrawn"}
    waiting = await world.run(email(contact))
    (shown,) = (await world.approval_of(waiting)).view["contradictions"]
    assert {c["value_ar"] for c in shown["claims"]} == {"مُعطاة", "مسحوبة"}


async def test_agreeing_again_the_same_way_is_no_contradiction(world: World) -> None:
    contact = world.contact(consents=(world.consent("email"),))
    await world.run(email(contact))
    keeper = person(5, "compliance_officer")
    gone = WithdrawConsent(principal=keeper, tenant_id=TENANT, contact_id=contact.contact_id, channel=None, reason="r")
    await world.gateway.call(WITHDRAW_CONSENT, gone)
    world.clock.advance(days=1)
    world.relearn(contact, consents=(*contact.consents, world.consent("email")))
    await world.run(email(contact))
    assert await listed(world) == ()


async def test_an_imported_consent_of_somebody_who_wants_no_messages_is_a_contradiction(world: World) -> None:
    contact = world.contact(opted_out="yes", consents=(world.consent("email"),))
    await world.run(email(contact))
    (found,) = await listed(world)
    assert {(c.value, c.source) for c in found.claims} == {
        ("given", "consent:web_form"),
        ("withdrawn", "record:opted_out"),
    }


# -- who decides ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (person(1, "member"), "forbidden"),
        (person(1, "operator"), "forbidden"),
        (person(1, "admin"), "forbidden"),
        (person(1, "auditor"), "forbidden"),
        (person(1), "forbidden"),
        (AGENT, "only_people_decide"),
        (person(1, "owner", "api_client", kind=PrincipalKind.API_KEY), "only_people_decide"),
        (person(1, "owner", kind=PrincipalKind.SYSTEM), "only_people_decide"),
    ],
)
async def test_only_people_with_the_role_decide_and_a_refusal_is_on_record(
    world: World, by: Principal, code: str
) -> None:
    found = await disputed(world)
    for standing in (None, found.claims[0]):
        assert await refused(world, found, standing, by) == code
    with pytest.raises(DealixError):
        await world.gateway.call(ACKNOWLEDGE, Acknowledge(principal=by, contradiction_id=found.contradiction_id))
    assert [one.state for one in await listed(world)] == ["open"]
    assert (await entries(world))[-1] == ("contradiction.refused", f"contradiction:{found.contradiction_id}")
    assert (await world.run(plan())).state is ActionState.AWAITING_APPROVAL


async def test_who_recorded_a_claim_does_not_decide_that_it_stands(world: World) -> None:
    judge = person(80, "approver", "operator")
    key = {"subject": DEAL, "key": "deal_value"}
    await say(world, claim("100000", "crm", **key))
    (found,) = await say(world, claim("120000", "proposal", **key), by=judge)
    assert await refused(world, found, by_value(found, "120000"), judge) == "own_claim"
    assert (await decide(world, found, by_value(found, "100000"), judge)).state == "resolved"


async def test_a_contradiction_is_decided_once_and_for_one_of_its_two(world: World) -> None:
    found = await disputed(world)
    foreign = found.claims[0].evolve(claim_id=new_id())
    assert await refused(world, found, foreign, OFFICER) == "not_one_of_the_two"
    await decide(world, found, found.claims[0])
    assert await refused(world, found, found.claims[1], OFFICER) == "contradiction_decided"
    assert (await listed(world))[0].standing_claim_id == found.claims[0].claim_id


# -- what silences nothing --------------------------------------------------------------------------------------------------------


async def test_nobody_silences_a_contradiction_by_saying_something_else(world: World) -> None:
    found = await disputed(world)
    key = {"subject": DEAL, "key": "deal_value"}
    # The seller corrects the own claim; somebody else speaks in the CRM's name.
    await say(world, claim("100000", "proposal", **key), by=SELLER)
    await say(world, claim("120000", "crm", **key), by=SELLER)
    states = {one.contradiction_id: one.state for one in await listed(world)}
    assert states[found.contradiction_id] == "open"
    assert (await world.run(plan())).state is ActionState.AWAITING_APPROVAL


async def test_another_who_names_the_same_source_contradicts_it(world: World) -> None:
    await say(world, claim("1200", "price-list"))
    (found,) = await say(world, claim("900", "price-list"), by=SELLER)
    assert {c.recorded_by for c in found.claims} == {CLERK.id, SELLER.id}


async def test_the_same_source_correcting_itself_replaces_what_it_said(world: World) -> None:
    await say(world, claim("1200", "price-list"))
    assert await say(world, claim("1300", "price-list")) == ()
    (found,) = await say(world, claim("1200", "catalogue"))
    assert {c.value for c in found.claims} == {"1200", "1300"}


@pytest.mark.parametrize("source", ["action:1", "consent:web_form", "record:opted_out"])
async def test_nobody_speaks_in_the_name_of_trusts_own_sources(world: World, source: str) -> None:
    with pytest.raises(DealixError, match="source") as found:
        await say(world, claim("1200", source))
    assert (found.value.code, bool(found.value.ar)) == ("bad_claim", True)
    assert await entries(world) == [("claim.refused", "product:crm")]


async def test_every_step_is_on_record_and_told(world: World) -> None:
    found = await disputed(world)
    await decide(world, found, found.claims[0])
    await world.settle()
    assert await entries(world) == [
        ("claim.recorded", DEAL), ("contradiction.opened", DEAL), ("claim.recorded", DEAL), ("contradiction.resolved", DEAL),
    ]  # fmt: skip
    told = [published.event.subject for published in world.hub.published]
    assert CONTRADICTION_OPENED.subject in told and CONTRADICTION_DECIDED.subject in told


async def test_recording_needs_a_role_and_an_agent_may_say_but_not_decide(world: World) -> None:
    with pytest.raises(DealixError):
        await say(world, claim("1", "x"), by=person(1, "auditor"))
    await say(world, claim("1", "x"), by=CLERK)
    assert len(await say(world, claim("2", "y"), by=AGENT)) == 1
    assert REQUESTER


async def test_what_shows_a_contradiction_is_not_decided_among_many(world: World) -> None:
    one, other = world.contact(), world.contact()
    waiting = [await world.run(whatsapp(contact)) for contact in (one, other)]
    ids = tuple([(await world.approval_of(action)).approval_id for action in waiting])
    assert (await world.gateway.call(COMPARE, CompareRequest(principal=APPROVER, approval_ids=ids))).rows
    key = {"subject": f"contact:{other.contact_id}", "key": "owner"}
    await say(world, claim("user:1", "crm", **key))
    await say(world, claim("user:2", "erp", **key), by=SELLER)
    doubted = await world.run(
        whatsapp(other, body="السلام عليكم، معكم شركة أفق مجددًا. لإيقاف الرسائل: رد بكلمة إيقاف.")
    )
    asked = await world.approval_of(doubted)
    assert len(asked.view["contradictions"]) == 1
    with pytest.raises(DealixError) as refused:
        await world.gateway.call(COMPARE, CompareRequest(principal=APPROVER, approval_ids=(ids[0], asked.approval_id)))
    assert refused.value.code == "not_alike"
