"""The compliance matrix over HTTP: who may do what, what reaches trust, and the table that leaves."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from libs.contracts import subjects
from libs.contracts.catalogue.controls import controls, version
from libs.contracts.compliance import NOT_ADVICE, ControlDetail, ControlResult, ControlStanding, MatrixReply, Reading
from libs.contracts.message import Text
from services.gateway.files import MemoryFiles
from tests.unit.gateway.fake_site import Site, problem

WHY = Text(en="=HYPERLINK(1)", ar="سبب")
AT = datetime(2026, 11, 21, tzinfo=UTC)
FORM = {"statement": "The approved policy", "valid_until": "2027-01-01"}


def standing(control: str = "PDPL-26") -> ControlStanding:
    reading = Reading(
        control_id=control, result=ControlResult.FAIL, checked_at=AT, rows=3, failing=1, sample=("row-1",), why=WHY, catalogue_version=version(),
    )  # fmt: skip
    return ControlStanding(
        control=controls()[control], result=ControlResult.FAIL, why=WHY, reading=reading, owner="user:1"
    )


def matrix() -> MatrixReply:
    counts = {"pass": 0, "fail": 1, "unknown": 0, "n/a": 0}
    return MatrixReply(items=(standing(),), counts=counts, catalogue_version=version(), not_advice=NOT_ADVICE)


def detail() -> ControlDetail:
    return ControlDetail(state=standing(), history=(), attestations=(), not_advice=NOT_ADVICE)


@pytest.mark.parametrize("path", ["/compliance/matrix", "/compliance/matrix.csv", "/compliance/controls/PDPL-26"])
async def test_only_who_may_read_evidence_reads_the_matrix(site: Site, path: str) -> None:
    problem(await site.client.get(f"/api/v1{path}"), 401, "not_signed_in")
    assert (await site.client.get(f"/api/v1{path}", headers=await site.bearer("member"))).status_code == 403
    assert not site.planes.asked


@pytest.mark.parametrize("role", ["auditor", "admin", "operator", "member"])
async def test_only_who_keeps_the_registers_runs_it_and_hands_in_evidence(site: Site, role: str) -> None:
    who = await site.bearer(role)
    base = "/api/v1/compliance"
    run = await site.client.post(f"{base}/run", json={}, headers=who)
    handed = await site.client.post(f"{base}/controls/PDPL-12/attest", data=FORM, headers=who)
    assert (run.status_code, handed.status_code) == (403, 403)
    assert not site.planes.asked


async def test_the_matrix_names_its_version_and_what_it_is_not(site: Site) -> None:
    site.planes.answer(subjects.CONTROL_MATRIX, matrix())
    found: dict[str, Any] = (
        await site.client.get("/api/v1/compliance/matrix", headers=await site.bearer("auditor"))
    ).json()
    assert (found["counts"]["fail"], found["catalogue_version"], found["next_cursor"]) == (1, version(), None)
    assert "not legal advice" in found["not_advice"]["en"]
    assert found["items"][0]["reading"]["sample"] == ["row-1"]


async def test_the_table_is_text_for_a_spreadsheet_and_runs_nothing(site: Site) -> None:
    site.planes.answer(subjects.CONTROL_MATRIX, matrix())
    answer = await site.client.get("/api/v1/compliance/matrix.csv", headers=await site.bearer("auditor"))
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1][0] == "PDPL-26" and "'=HYPERLINK(1)" in rows[1]
    assert "not legal advice" in rows[-1][0] and "استشارة" in rows[-1][1]


async def test_evidence_goes_through_the_object_store_and_not_in_the_message(site: Site) -> None:
    site.gateway.evidence = files = MemoryFiles()
    site.planes.answer(subjects.ATTEST, detail())
    owner = await site.bearer("owner")
    path = "/api/v1/compliance/controls/PDPL-12/attest"
    file = {"file": ("../policy.pdf", b"%PDF-1.7", "application/pdf")}
    answer = await site.client.post(path, data=FORM, files=file, headers=owner)
    assert answer.status_code == 200, answer.text
    (asked,) = site.planes.requests(subjects.ATTEST)
    assert (asked.file_name, asked.applies) == ("policy.pdf", True)
    assert files.kept == {asked.object_name: b"%PDF-1.7"}
    assert asked.object_name.startswith(f"{site.tenant.tenant_id}/")


async def test_the_same_key_hands_in_once_and_another_file_under_it_is_a_conflict(site: Site) -> None:
    site.gateway.evidence = MemoryFiles()
    site.planes.answer(subjects.ATTEST, detail())
    owner = {**await site.bearer("owner"), "Idempotency-Key": "k1"}
    path = "/api/v1/compliance/controls/PDPL-12/attest"
    for _ in range(2):
        file = {"file": ("p.pdf", b"%PDF-1.7", "application/pdf")}
        assert (await site.client.post(path, data=FORM, files=file, headers=owner)).status_code == 200
    assert len(site.planes.requests(subjects.ATTEST)) == 1
    other = {"file": ("p.pdf", b"%PDF-1.8", "application/pdf")}
    assert (await site.client.post(path, data=FORM, files=other, headers=owner)).status_code in (409, 422)


@pytest.mark.parametrize("wrong", [{"statement": "short"}, {"valid_until": "soon"}, {"applies": "perhaps"}])
async def test_a_form_that_does_not_fit_is_422_and_reaches_nobody(site: Site, wrong: dict[str, str]) -> None:
    owner = await site.bearer("owner")
    answer = await site.client.post("/api/v1/compliance/controls/PDPL-12/attest", data={**FORM, **wrong}, headers=owner)
    assert answer.status_code == 422
    assert not site.planes.asked


async def test_the_matrix_leaves_as_a_pdf_in_both_languages_with_every_control(site: Site) -> None:
    unknown = [
        ControlStanding(control=one, result=ControlResult.UNKNOWN, why=WHY) for key, one in controls().items() if key != "PDPL-26"
    ]  # fmt: skip
    counts = {"pass": 0, "fail": 1, "unknown": 57, "n/a": 0}
    site.planes.answer(subjects.CONTROL_MATRIX, matrix().evolve(items=(standing(), *unknown), counts=counts))
    answer = await site.client.get("/api/v1/compliance/matrix.pdf", headers=await site.bearer("auditor"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert all(text.count(control) >= 2 for control in controls())
    assert version() in text and "57" in text and "row-1" in text
    assert "not legal advice" in text and "استشارة" in text
    problem(await site.client.get("/api/v1/compliance/matrix.pdf"), 401, "not_signed_in")
