"""Receipts, reconciliation and witnesses over HTTP: who may read, and what a refusal says."""

from __future__ import annotations

import pytest

from libs.contracts import receipts, subjects
from libs.contracts.message import new_id
from services.trust.ledger.errors import ForkedView, LogForked
from services.trust.receipts.handlers import UnknownTool
from tests.unit.gateway.fake_site import Site, problem


@pytest.mark.parametrize(
    "path", ["/tool-receipts", "/reconciliation", "/proof-ledger/cosignatures", "/violations", "/policy/bundles"]
)
async def test_only_who_may_read_evidence_reads_it(site: Site, path: str) -> None:
    problem(await site.client.get(f"/api/v1{path}"), 401, "not_signed_in")
    response = await site.client.get(f"/api/v1{path}", headers=await site.bearer("member"))
    assert response.status_code == 403
    assert not site.planes.asked


async def test_a_claim_goes_to_trust_as_it_is(site: Site) -> None:
    verdict = receipts.ToolVerdict(verification=receipts.Verification.UNVERIFIED, why="no_receipt")
    site.planes.answer(subjects.VERIFY_TOOL, verdict)
    body = {"action_id": str(new_id()), "tool": "send_email", "claim": {"outcome": "sent"}}
    auditor = await site.bearer("auditor")
    response = await site.client.post("/api/v1/tool-receipts/verify", json=body, headers=auditor)
    assert response.json()["verification"] == "unverified"
    assert site.planes.requests(subjects.VERIFY_TOOL)[0].claim == {"outcome": "sent"}
    site.planes.answer(subjects.VERIFY_TOOL, UnknownTool("teleport"))
    problem(await site.client.post("/api/v1/tool-receipts/verify", json=body, headers=auditor), 422, "unknown_tool")


async def test_a_forked_view_and_a_forked_log_are_said_in_both_languages(site: Site) -> None:
    site.planes.answer(subjects.COSIGN, ForkedView())
    site.planes.answer(subjects.CHECKPOINT, LogForked())
    auditor = {**await site.bearer("auditor"), "Accept-Language": "ar"}
    told = await site.client.post(
        "/api/v1/proof-ledger/cosignatures", json={"note": "n", "witness": "w"}, headers=auditor
    )
    problem(told, 409, "forked_view")
    assert "تاريخ آخر" in told.json()["detail"]
    problem(await site.client.get("/api/v1/proof-ledger/checkpoint", headers=auditor), 409, "log_forked")
