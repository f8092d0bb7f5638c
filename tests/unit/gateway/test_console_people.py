"""Consent and rights, and approving together, as pages: what they show, what their forms ask of trust, who gets in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts import approvals, consent, rights, subjects, trust
from libs.contracts.execution import ConnectorsReply
from libs.contracts.message import new_id
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_gateway_surface import approval

pytestmark = pytest.mark.asyncio
VIEW = {
    "title_ar": "إرسال بريد",
    "title_en": "Send an e-mail",
    "fields": [{"name": "to", "label_ar": "إلى", "label_en": "To"}],
}


async def enter(site: Site, *roles: str) -> str:
    """Sign in; the session's token for forms."""
    user = await site.user(*roles)
    site.planes.answer(subjects.APPROVALS, trust.ApprovalsReply(items=()))
    site.planes.answer(subjects.CONNECTORS, ConnectorsReply(items=()))
    return str((await site.sign_in(user.email)).json()["csrf_token"])


def request(site: Site, **changes: Any) -> rights.RightsRequest:
    base = rights.RightsRequest(
        request_id=new_id(), tenant_id=site.tenant.tenant_id, kind="erasure", state="identified", contact_id=new_id(),
        identifier_matches=True, received_at=site.clock(), due_at=site.clock() + timedelta(days=30), identified_by="user:1",
    )  # fmt: skip
    made: rights.RightsRequest = base.evolve(**changes)
    return made


async def test_every_section_is_shown_in_both_languages(site: Site) -> None:
    await enter(site, "compliance_officer")
    made = request(site)
    site.planes.answer(subjects.RIGHTS, rights.RightsReply(items=(made,)))
    site.planes.answer(subjects.RIGHTS_REQUEST, made)
    site.planes.answer(subjects.CONSENTS, trust.ConsentsReply(items=()))
    site.planes.answer(subjects.SUPPRESSIONS, consent.SuppressionsReply(items=()))
    site.planes.answer(subjects.REGISTER, rights.RegisterReply(items=()))
    for lang, word in (("ar", "الموافقات والحقوق"), ("en", "Consent and rights")):
        site.client.cookies.set("dealix_lang", lang)
        for tab in ("rights", "consents", "suppressions", "incidents", "processing-activities", "nothing"):
            page = await site.client.get(f"/console/people?tab={tab}")
            assert (page.status_code, word in page.text) == (200, True), (tab, page.text[:300])
        one = await site.client.get(f"/console/people/rights/{made.request_id}")
        assert f"/console/people/rights/{made.request_id}/erase" in one.text


async def test_an_auditor_looks_and_is_offered_no_form(site: Site) -> None:
    token = await enter(site, "auditor")
    site.planes.answer(subjects.RIGHTS, rights.RightsReply(items=()))
    page = await site.client.get("/console/people")
    assert (page.status_code, '/console/people/rights"' in page.text) == (200, False)
    form = {"csrf": token, "identifier": "a@b.example", "reason": "x"}
    assert (await site.client.post("/console/people/suppressions", data=form)).status_code == 403
    assert site.planes.requests(subjects.SUPPRESS) == []


async def test_a_form_of_a_register_reaches_trust_as_typed_values(site: Site) -> None:
    token = await enter(site, "owner")
    site.planes.answer(subjects.REGISTER_PUT, lambda r: rights.RegisterEntry(
        entry_id=r.entry_id, tenant_id=r.principal.tenant_id, kind=r.kind, version=1, values=r.values, changed_by="x",
        changed_at=site.clock(), created_at=site.clock(),
    ))  # fmt: skip
    form = {"csrf": token, "summary": "A list was lost", "aware_at": "2026-11-20T10:30", "personal_data": "yes", "harmful": "no", "people_affected": "12"}  # fmt: skip
    answer = await site.client.post("/console/people/registers/incidents", data=form)
    assert answer.status_code == 303, answer.text
    (put,) = site.planes.requests(subjects.REGISTER_PUT)
    assert put.values == {
        "summary": "A list was lost", "aware_at": "2026-11-20T10:30:00+03:00", "personal_data": True, "harmful": False, "people_affected": 12,
    }  # fmt: skip


async def test_erasing_asks_for_the_password_again_and_a_wrong_one_erases_nothing(site: Site) -> None:
    token = await enter(site, "owner")
    made = request(site)
    site.planes.answer(subjects.RIGHTS_REQUEST, made)
    site.planes.answer(subjects.ERASE_RIGHTS, made)
    path = f"/console/people/rights/{made.request_id}/erase"
    wrong = await site.client.post(path, data={"csrf": token, "password": "wrong"})
    assert wrong.status_code in (401, 403, 422)
    assert site.planes.requests(subjects.ERASE_RIGHTS) == []
    assert (await site.client.post(path, data={"csrf": token})).status_code == 303
    assert [r.reauthenticated for r in site.planes.requests(subjects.ERASE_RIGHTS)] == [False]


async def test_requests_of_one_template_are_approved_by_the_hashes_that_were_shown(site: Site) -> None:
    token = await enter(site, "owner")
    first, second = (
        approval(approval_id=new_id(), payload=f'{{"template":"intro","to":"{to}"}}', view=VIEW)
        for to in ("a@x.example", "b@x.example")
    )
    site.planes.answer(subjects.APPROVALS, trust.ApprovalsReply(items=(first, second)))
    rows = tuple(
        approvals.ComparedRow(
            approval_id=a.approval_id, payload_hash=a.payload_hash, view_hash=a.view_hash, values={"to": "a"}
        )
        for a in (first, second)
    )
    site.planes.answer(subjects.COMPARE, approvals.Comparison(
        action_type="send_email", template="intro", same={"template": "intro"}, differing=("to",), rows=rows
    ))  # fmt: skip
    site.planes.answer(subjects.DELEGATIONS, approvals.DelegationsReply(items=()))
    site.planes.answer(subjects.APPROVE_BULK, approvals.BulkReply(items=(first, second)))
    page = await site.client.get("/console/approvals/together")
    assert page.status_code == 200, page.text
    assert first.payload_hash in page.text
    shown = f'[{{"approval_id": "{first.approval_id}", "payload_hash": "{first.payload_hash}", "view_hash": "{first.view_hash}"}}]'  # fmt: skip
    assert (
        await site.client.post("/console/approvals/together", data={"csrf": token, "items": shown})
    ).status_code == 303
    (cast,) = site.planes.requests(subjects.APPROVE_BULK)
    assert [(i.payload_hash, i.view_hash) for i in cast.items] == [(first.payload_hash, first.view_hash)]
    broken = await site.client.post("/console/approvals/together", data={"csrf": token, "items": "["})
    assert broken.status_code == 422
    assert len(site.planes.requests(subjects.APPROVE_BULK)) == 1
