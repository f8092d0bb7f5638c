"""The surface around a vote: who gets through, and what reaches trust."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.approvals import Delegation, RulesReply, TrustRules
from libs.contracts.message import new_id
from tests.unit.gateway.fake_site import Site, problem

pytestmark = pytest.mark.asyncio
ID = "01930000-0000-7000-8000-000000000001"
LOAN = {"to": ID, "ends_at": "2026-12-01T09:00:00+03:00"}
VOTE = {"approval_id": ID, "payload_hash": "a" * 64, "view_hash": "b" * 64}


def lent(request: Any) -> Delegation:
    return Delegation(
        delegation_id=request.delegation_id, tenant_id=request.principal.tenant_id, approval_id=request.approval_id,
        from_id=request.principal.id, from_roles=(), from_business_role=None, to_id=request.to_id,
        starts_at=request.ends_at, ends_at=request.ends_at,
    )  # fmt: skip


async def test_a_right_is_lent_to_an_approver_of_the_same_tenant_and_to_nobody_else(site: Site) -> None:
    site.planes.answer(subjects.DELEGATE, lent)
    owner = await site.bearer("owner")
    taker, member = await site.user("approver"), await site.user("member")
    path = f"/api/v1/approvals/{ID}/delegate"
    problem(
        await site.client.post(path, json={**LOAN, "to": str(member.user_id)}, headers=owner), 422, "not_an_approver"
    )
    problem(await site.client.post(path, json={**LOAN, "to": str(new_id())}, headers=owner), 404, "not_found")
    assert site.planes.requests(subjects.DELEGATE) == []
    response = await site.client.post(path, json={**LOAN, "to": str(taker.user_id)}, headers=owner)
    assert (response.status_code, response.json()["to_id"]) == (201, f"user:{taker.user_id}")


@pytest.mark.parametrize(
    ("method", "path", "body", "role"),
    [
        ("POST", f"/api/v1/approvals/{ID}/delegate", LOAN, "operator"),
        ("POST", "/api/v1/approvals/delegations", LOAN, "member"),
        ("POST", "/api/v1/approvals/bulk", {"items": [VOTE]}, "operator"),
        ("PUT", "/api/v1/approvals/rules", {"rules": {}, "expected_version": 0}, "approver"),
        ("POST", f"/api/v1/approvals/{ID}/token", {}, "auditor"),
    ],
)
async def test_roles_that_may_not_never_reach_trust(
    site: Site, method: str, path: str, body: dict[str, Any], role: str
) -> None:
    answer = await site.client.request(method, path, json=body, headers=await site.bearer(role))
    assert answer.status_code == 403, answer.text
    assert (await site.client.request(method, path, json=body)).status_code == 401
    assert site.planes.asked == []


@pytest.mark.parametrize("body", [{"items": []}, {"items": [{**VOTE, "view_hash": ""}]}, {"items": [VOTE] * 101}, {}])
async def test_a_bulk_vote_without_its_hashes_never_reaches_trust(site: Site, body: dict[str, Any]) -> None:
    response = await site.client.post("/api/v1/approvals/bulk", json=body, headers=await site.bearer("owner"))
    problem(response, 422, "invalid_request")
    assert site.planes.asked == []


async def test_rules_are_read_and_set_by_version(site: Site) -> None:
    site.planes.answer(subjects.RULES, RulesReply(rules=TrustRules()))
    site.planes.answer(subjects.SET_RULES, lambda r: RulesReply(rules=r.rules, version=r.expected_version + 1))
    owner = await site.bearer("owner")
    rules = (await site.client.get("/api/v1/approvals/rules", headers=owner)).json()["rules"]
    rules["quorum_above_sar"] = "5000"
    changed = await site.client.put(
        "/api/v1/approvals/rules", json={"rules": rules, "expected_version": 0}, headers=owner
    )
    assert (changed.status_code, changed.json()["version"], changed.json()["rules"]["quorum_above_sar"]) == (
        200,
        1,
        "5000",
    )
    rules["days"] = ["x"]
    wrong = await site.client.put(
        "/api/v1/approvals/rules", json={"rules": rules, "expected_version": 1}, headers=owner
    )
    problem(wrong, 422, "invalid_request")
