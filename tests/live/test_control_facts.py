"""What planes tell about themselves reaches the matrix: an import's fields, a draft's writer, a ranking's features, a stored passport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.live.served import Served, days_ago, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FILE = f"""company,name,mobile,email,city,last_activity,notes,shoe size,source
شركة نخلة للتجارة,سارة القحطاني,0555000121,sara@nakhla.example,جدة,{days_ago(20)},طلبت عرض سعر,41,website
"""
PASSPORT = "Passport No: A1234567\nName: Sara\nDate of expiry 2030-01-01\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("facts")) as made:
        yield made


async def result(running: Served, control: str) -> dict[str, Any]:
    answer = await running.http.post("/api/v1/compliance/run", json={"control_ids": [control]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(i for i in answer.json()["items"] if i["control"]["control_id"] == control)
    return found


async def put(running: Served, kind: str, **values: Any) -> None:
    answer = await running.http.post(f"/api/v1/registers/{kind}", json={"values": values})
    assert answer.status_code == 201, answer.text


async def becomes(running: Served, control: str, wanted: str) -> dict[str, Any]:
    async def holds() -> bool:
        return bool((await result(running, control))["result"] == wanted)

    await eventually(30, holds)
    return await result(running, control)


async def test_an_imports_personal_fields_need_their_place_in_the_data_map(running: Served) -> None:
    assert (await result(running, "PDPL-11"))["result"] == "unknown"
    await running.imported(FILE)
    failing = await becomes(running, "PDPL-11", "fail")
    fields = {"email", "full_name", "last_activity", "notes", "phone"}
    assert set(failing["reading"]["sample"]) == {f"field:{name}" for name in fields}
    activity = {"name": "Outreach", "purpose": "Direct outreach", "legal_basis": "consent", "data_categories": ["contact"], "retention_days": 365}  # fmt: skip
    await put(running, "processing-activities", **activity)
    for name in fields:
        await put(running, "data-map", field=name, activity="Outreach", why="to write to them")
    assert (await result(running, "PDPL-11"))["result"] == "pass"


async def test_a_ranking_is_told_with_its_features_and_needs_a_report_on_bias(running: Served) -> None:
    failing = await becomes(running, "SDAIA-AI-1", "fail")
    (version,) = failing["reading"]["sample"]
    await put(running, "bias-reports", version=version, result="fair", reported_on=days_ago(2), evidence_ref="B-1")
    assert (await result(running, "SDAIA-AI-1"))["result"] == "pass"


async def test_a_draft_is_told_with_who_wrote_it(running: Served) -> None:
    async def drafted() -> bool:
        return bool((await running.http.get("/api/v1/drafts")).json()["items"])

    await eventually(30, drafted)
    passing = await becomes(running, "SDAIA-AI-6", "pass")
    assert passing["reading"]["rows"] >= 1


async def test_a_copy_of_a_passport_fails_until_a_duty_to_keep_it_is_on_record_or_it_is_erased(running: Served) -> None:
    added = await running.http.post(
        "/api/v1/knowledge/documents", files={"file": ("scan.txt", PASSPORT.encode())}, data={"source": "mail"}
    )
    assert added.status_code == 201, added.text
    document = added.json()["document_id"]
    assert (await becomes(running, "PDPL-28", "fail"))["reading"]["sample"] == [document]
    await put(running, "identity-documents", document_id=document, requirement="law", reference="AML law, article 7")
    assert (await result(running, "PDPL-28"))["result"] == "pass"
    gone = await running.http.delete(f"/api/v1/knowledge/documents/{document}")
    assert gone.status_code in (200, 204), gone.text
    await becomes(running, "PDPL-28", "unknown")


async def test_an_entry_that_names_no_record_is_refused_in_both_languages(running: Served) -> None:
    values = {"document_id": "my passport", "requirement": "law", "reference": "x"}
    for language, word in (("en", "Document"), ("ar", "المستند")):
        answer = await running.http.post(
            "/api/v1/registers/identity-documents", json={"values": values}, headers={"Accept-Language": language}
        )
        assert answer.status_code == 422 and word in answer.json()["detail"]
