"""Contradictions over HTTP and as pages: who may do what, what reaches trust, and what approvals show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.claims import Claim, ClaimsRecorded, Contradiction, ContradictionsReply, ContradictionState
from libs.contracts.message import new_id
from services.gateway.console import present
from services.gateway.console.present_disputes import disputes
from services.trust.contradictions.errors import OwnClaim
from services.trust.domain.approvals import _both
from tests.unit.gateway.fake_site import Site, problem
from tests.unit.gateway.test_console_people import enter
from tests.unit.trust.store_promises import approval, prepared

pytestmark = pytest.mark.asyncio
AT = datetime(2026, 11, 21, tzinfo=UTC)
TENANT = UUID(int=7)
BASE = "/api/v1/contradictions"
CLAIM = {"subject": "product:crm", "key": "price", "value": 900.5, "source": "offer"}
WHY = "The list is the newer one."


def claim(value: str, source: str) -> Claim:
    return Claim(
        claim_id=new_id(), subject="product:crm", key="price", value=value, unit="SAR", source=source, tenant_id=TENANT, recorded_by="user:1",
        recorded_at=AT,
    )  # fmt: skip


def contradiction(**changes: Any) -> Contradiction:
    base = Contradiction(
        contradiction_id=new_id(), tenant_id=TENANT, subject="product:crm", kind=ContradictionKind.VALUE, severity="high",
        state=ContradictionState.OPEN, claims=(claim("1200", "price-list"), claim("900", "<b>offer</b>")), found_by="write", opened_at=AT,
    )  # fmt: skip
    made: Contradiction = base.evolve(**changes)
    return made


@pytest.mark.parametrize(
    ("role", "reads", "records", "decides"),
    [
        ("member", False, True, False),
        ("operator", False, True, False),
        ("auditor", True, False, False),
        ("admin", True, True, False),
        ("compliance_officer", True, False, True),
        ("approver", True, True, True),
    ],
)
async def test_roles_reach_what_is_theirs_and_nothing_else(
    site: Site, role: str, reads: bool, records: bool, decides: bool
) -> None:
    found = contradiction()
    site.planes.answer(subjects.CONTRADICTIONS, ContradictionsReply(items=(found,)))
    site.planes.answer(subjects.RECORD_CLAIMS, ClaimsRecorded(claims=found.claims, contradictions=(found,)))
    site.planes.answer(subjects.RESOLVE, found)
    site.planes.answer(subjects.ACKNOWLEDGE, found)
    who = await site.bearer(role)
    path = f"{BASE}/{found.contradiction_id}"
    answers = (
        await site.client.get(BASE, headers=who),
        await site.client.post("/api/v1/claims", json=CLAIM, headers=who),
        await site.client.post(f"{path}/resolve", json={"reason": WHY}, headers=who),
        await site.client.post(f"{path}/acknowledge", json={}, headers=who),
    )
    assert [answer.status_code < 300 for answer in answers] == [reads, records, decides, decides]
    assert len(site.planes.asked) == sum((reads, records, decides, decides))


async def test_one_claim_or_several_reach_trust_and_the_same_key_the_same_ids(site: Site) -> None:
    site.planes.answer(subjects.RECORD_CLAIMS, ClaimsRecorded(claims=(), contradictions=()))
    who = {**await site.bearer("approver"), "Idempotency-Key": "k1"}
    assert (await site.client.post("/api/v1/claims", json=CLAIM, headers=who)).status_code == 201
    await site.client.post("/api/v1/claims", json=CLAIM, headers=who)
    many = {"items": [CLAIM, {**CLAIM, "value": "12", "unit": "halala"}]}
    assert (
        await site.client.post("/api/v1/claims", json=many, headers=await site.bearer("approver"))
    ).status_code == 201
    asked = site.planes.requests(subjects.RECORD_CLAIMS)
    assert [[(one.value, one.unit) for one in request.claims] for request in asked] == [
        [("900.5", "")], [("900.5", ""), ("12", "halala")],
    ]  # fmt: skip
    bad = await site.client.post("/api/v1/claims", json={**CLAIM, "standing": "current"}, headers=who)
    assert bad.status_code == 422


async def test_nobody_reaches_it_without_signing_in(site: Site) -> None:
    problem(await site.client.get(BASE), 401, "not_signed_in")
    assert (await site.client.post("/api/v1/claims", json=CLAIM)).status_code == 401
    assert (await site.client.post(f"{BASE}/{new_id()}/resolve", json={"reason": WHY})).status_code == 401


async def test_the_page_shows_both_claims_escaped_and_an_auditor_no_form(site: Site) -> None:
    found = contradiction()
    site.planes.answer(subjects.CONTRADICTIONS, ContradictionsReply(items=(found,)))
    site.planes.answer(subjects.CONTRADICTION, found)
    await enter(site, "auditor")
    listed = (await site.client.get("/console/contradictions")).text
    page = (await site.client.get(f"/console/contradictions/{found.contradiction_id}")).text
    assert "1200" in listed and "900" in listed and "price-list" in page
    assert "<b>offer" not in page and "&lt;b&gt;offer" in page
    assert "/resolve" not in page


async def test_deciding_asks_trust_and_a_refusal_is_said_beside_what_was_written(site: Site) -> None:
    found = contradiction()
    site.planes.answer(subjects.CONTRADICTION, found)
    site.planes.answer(subjects.RESOLVE, found)
    token = await enter(site, "approver")
    path = f"/console/contradictions/{found.contradiction_id}/resolve"
    standing = str(found.claims[0].claim_id)
    form = {"csrf": token, "standing": standing, "reason": WHY}
    assert (await site.client.post(path, data=form)).status_code == 303
    assert (await site.client.post(path, data={**form, "standing": "both"})).status_code == 303
    assert (await site.client.post(path, data={**form, "standing": ""})).status_code == 422
    assert [request.standing_claim_id for request in site.planes.requests(subjects.RESOLVE)] == [UUID(standing), None]
    site.planes.answer(subjects.RESOLVE, OwnClaim())
    refused = await site.client.post(path, data=form)
    assert refused.status_code == 403 and "لا يحسم أحد لصالح ادعائه" in refused.text and WHY in refused.text
    assert (await site.client.post(path, data={**form, "reason": "short"})).status_code == 422
    assert (await site.client.post(path, data={**form, "csrf": "x"})).status_code == 403
    assert len(site.planes.requests(subjects.RESOLVE)) == 3


async def test_an_approval_shows_the_contradiction_and_is_not_decided_from_its_card() -> None:
    view = {
        "title_ar": "تخطيط", "title_en": "Plan", "resource": {"type": "product", "id": "crm"}, "reasons": [], "fields": [],
        "contradictions": [_both(contradiction())],
    }  # fmt: skip
    asked = approval(prepared(TENANT), view=view)
    (shown,) = disputes("ar", asked, {"user:1": "نورة"})
    assert [(said.label, said.value, said.source, said.by) for said in shown.claims] == [
        ("السعر", "1200 SAR", "price-list", "نورة"), ("السعر", "900 SAR", "<b>offer</b>", "نورة"),
    ]  # fmt: skip
    card = present.approval_card("ar", asked, AT, may_decide=True)
    assert [button.post for button in card.buttons] == [False, False, False]
    plain = present.approval_card(
        "ar", approval(prepared(TENANT), view={**view, "contradictions": []}), AT, may_decide=True
    )
    assert plain.buttons[0].post
