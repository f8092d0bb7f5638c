"""What an import says of a file before it is imported and of rows afterwards, on real servers: nothing is left out without a word."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, served
from tests.unit.data.test_detect import workbook

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

UNKNOWN = "العميل الكريم;تلفونه;طابع\nشركة الغيم;0501239876;ذهبي\nشركة المطر;0501239877;فضي\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("looks"), *planes) as made:
        yield made


async def _rows(running: Served, import_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = await running.http.get(f"/api/v1/targeting/imports/{import_id}/rows", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_what_is_left_out_of_a_row_is_told_with_its_record(running: Served) -> None:
    text = (
        "company,name,mobile,email,date added,opted out\n"
        "Sahab Trading,Ali Sahab,0567300001,ali@sahab,31/31/2026,\n"
        "Clean Trading,Sara Clean,0567300002,sara@clean.com.sa,,\n"
        "Quiet Trading,Huda Quiet,0567300003,,,نعم\n"
    )
    done = await running.imported(text)
    left, quiet = await _rows(running, done["import_id"])
    assert (left["row_number"], left["person"], left["reasons"]) == (2, "Ali Sahab", [])
    assert [(one["field"], one["code"]) for one in left["left_out"]] == [
        ("email", "invalid_email"),
        ("obtained_at", "invalid_date"),
    ]
    assert all("31/31/2026" in left["left_out"][1][language] for language in ("en", "ar"))
    assert (quiet["outcome"], [one["code"] for one in quiet["reasons"]]) == ("blocked", ["opted_out"])
    contact = await running.http.get(f"/api/v1/contacts/{quiet['contact_id']}")
    assert contact.json()["full_name"] == "Huda Quiet"
    assert await _rows(running, done["import_id"], outcome="needs_review") == []
    first = await running.http.get(f"/api/v1/targeting/imports/{done['import_id']}/rows", params={"limit": 1})
    assert first.json()["next_cursor"]
    missing = "01930000-0000-7000-8000-0000000000ff"
    assert (await running.http.get(f"/api/v1/targeting/imports/{missing}/rows")).status_code == 404


async def test_a_look_shows_the_first_rows_until_the_file_is_imported(running: Served) -> None:
    text = "company,name,mobile\n" + "".join(f"Looked {n} Est,Person {n},05674000{n:02d}\n" for n in range(9))
    looked = await running.imported(text, dry_run="true")
    assert looked["sample"] == [[f"Looked {n} Est", f"Person {n}", f"05674000{n:02d}"] for n in range(5)]
    assert looked["encoding"] == "utf-8"
    listed = (await running.http.get("/api/v1/targeting/imports")).json()["items"]
    assert {tuple(one["sample"]) for one in listed} == {()}, "a list of imports is no list of people"
    done = await running.imported(text)
    assert (done["counts"]["created"], done["sample"]) == (9, [])


async def test_sheets_that_were_not_read_are_named(running: Served) -> None:
    book = workbook(
        ("our people",),
        ("company", "name", "mobile"),
        ("Sheeted Est", "Omar Sheeted", "0567500001"),
        sheets={"جدة": [("x",)]},
    )
    answer = await running.http.post(
        "/api/v1/targeting/import", data={"source": "own_crm"}, files={"file": ("a.xlsx", book)}
    )
    done = await running.ended(answer.json()["import_id"])
    said = " ".join(one["en"] for one in done["notices"])
    assert "جدة" in said and "1 lines above the header" in said


async def test_a_file_whose_columns_nobody_knows_shows_them_and_is_imported_once_somebody_said(running: Served) -> None:
    looked = await running.imported(UNKNOWN, dry_run="true")
    assert (looked["state"], looked["error_code"]) == ("refused", "no_recognised_column")
    assert [one["column"] for one in looked["mapping"]] == ["العميل الكريم", "تلفونه", "طابع"]
    assert looked["sample"][0] == ["شركة الغيم", "0501239876", "ذهبي"]
    assert looked["fields"]["company"]["ar"]
    chosen = json.dumps({"العميل الكريم": "company", "تلفونه": "phone"})
    assert (await running.imported(UNKNOWN, mapping=chosen))["counts"]["created"] == 2
    refused = await running.imported(UNKNOWN, source="event")
    assert (refused["state"], refused["mapping"]) == ("refused", []), "nothing of a refused import is kept"
