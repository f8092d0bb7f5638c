"""Imports on real servers: matched by stored keys, one at a time a tenant, large ones apart, and stoppable."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.errors import CallTimeout
from libs.contracts.message import Plane
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

EXAMPLE = (Path(__file__).resolve().parents[2] / "examples" / "leads.csv").read_text(encoding="utf-8-sig")
HEADER = "company,name,mobile,email,city\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("importing"), *planes) as made:
        yield made


def _rows(first: int, count: int) -> str:
    lines = (
        f"شركة نخبة {n} للتجارة,سالم {n},05{n:08d},salem{n}@nukhba{n}.example,الرياض"
        for n in range(first, first + count)
    )
    return HEADER + "\n".join(lines)


async def test_a_half_imported_before_is_found_again_by_its_keys(running: Served) -> None:
    lines = EXAMPLE.splitlines()
    half = await running.imported("\n".join(lines[:100]))
    assert half["counts"]["created"] > 50
    whole = await running.imported(EXAMPLE)
    counts = whole["counts"]
    assert counts["unchanged"] >= 90
    assert counts["rows"] == sum(counts[name] for name in ("created", "merged", "needs_review", "blocked", "rejected"))
    again = await running.imported(EXAMPLE)
    assert again["counts"]["created"] == again["counts"]["needs_review"] == again["counts"]["blocked"] == 0


async def test_an_edited_name_in_the_other_script_still_finds_its_account(running: Served) -> None:
    await running.imported(HEADER + "شركة الرواد للمقاولات,خالد الحربي,0551112233,khalid@alrowad.example,جدة")
    other = await running.imported(
        HEADER + "Al Rowad Contracting Co.,Khalid Al Harbi,0551112233,khalid@alrowad.example,Jeddah"
    )
    assert (other["counts"]["created"], other["counts"]["merged"]) == (0, 1)


async def test_two_imports_of_one_file_at_once_bring_its_rows_once(running: Served) -> None:
    text = _rows(10_000, 300)
    first, second = await asyncio.gather(running.upload(text), running.upload(text))
    counts = [(await running.ended(one))["counts"] for one in (first, second)]
    assert sum(one["created"] for one in counts) == 300
    assert sum(one["unchanged"] for one in counts) == 300


async def test_a_large_import_is_carried_out_apart_and_can_be_cancelled_half_way(running: Served) -> None:
    text = _rows(20_000_000, 25_000)
    assert len(text.encode()) > 1_000_000
    import_id = await running.upload(text)

    async def half_way() -> bool:
        status = (await running.http.get(f"/api/v1/targeting/imports/{import_id}")).json()
        return bool(status["progress"] > 0.2 and status["state"] == "matching")

    await eventually(60, half_way)
    answer = await running.http.post(f"/api/v1/targeting/imports/{import_id}/cancel")
    assert answer.status_code == 202, answer.text
    assert (await running.ended(import_id))["state"] == "cancelled"
    few = await running.imported(_rows(20_000_000, 50))
    assert few["counts"]["created"] == 50  # nothing of the cancelled import was there to be merged with


def _child_of(import_id: str) -> int:
    """The process that carries an import out: of the two that say so the elder, which started the one that reads."""
    found: list[int] = []
    for said in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if "services.data.importing.child" in (text := said.read_text()) and import_id in text:
                found.append(int(said.parent.name))
    if not found:
        raise LookupError("no such process")
    return min(found)


async def test_an_import_whose_process_is_killed_is_carried_out_anyway_and_once(running: Served) -> None:
    text = _rows(30_000_000, 22_000)
    import_id = await running.upload(text)

    async def under_way() -> bool:
        status = (await running.http.get(f"/api/v1/targeting/imports/{import_id}")).json()
        return bool(status["progress"] > 0.1 and status["state"] == "matching")

    await eventually(60, under_way)
    os.kill(_child_of(import_id), signal.SIGKILL)
    done = await running.ended(import_id, within=110)
    counts = done["counts"]
    assert (done["state"], counts["rows"]) == ("completed", 22_000)
    assert counts["unchanged"] == 0, "of the first attempt nothing is there that the second could have met"
    assert counts["created"] + counts["merged"] + counts["needs_review"] == 22_000


async def test_a_completed_import_is_not_cancelled(running: Served) -> None:
    done = await running.imported(_rows(40_000, 3))
    answer = await running.http.post(f"/api/v1/targeting/imports/{done['import_id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_cancellable")


async def test_a_dry_run_counts_and_keeps_nothing(running: Served) -> None:
    looked = await running.imported(_rows(50_000, 20), dry_run="true")
    assert looked["counts"]["created"] == 20
    assert (await running.imported(_rows(50_000, 20)))["counts"]["created"] == 20


async def test_a_column_that_a_person_named_once_is_known_the_next_time(running: Served) -> None:
    odd = "company,name,ext\n" + "شركة الذاكرة {0},سعد {0},055777000{0}"
    plain = await running.imported(odd.format(1), mapping='{"ext": "phone"}', source="event")
    again = await running.imported(odd.format(2), source="event")
    other = await running.imported(odd.format(3), source="website_form")
    named = [{m["column"]: m["field"] for m in one["mapping"]}["ext"] for one in (plain, again, other)]
    assert named == ["phone", "phone", None]


async def test_a_large_file_of_cards_is_read_as_well(running: Served) -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:Reem {0}\nORG:Cards {0} Trading\nTEL;TYPE=CELL:0558{0:06d}\nEND:VCARD\n"
    done = await running.imported("".join(card.format(n) for n in range(30)), name="people.vcf")
    assert done["counts"]["created"] == 30


async def _facts_known(running: Served, ids: list[str]) -> int:
    async with running.system.runtime(Plane.TRUST).database.batch(await _tenant(running)) as work:
        known = "select count(*) from trust.contact_facts where contact_id = any($1::uuid[])"
        return int(await work.connection.fetchval(known, ids))


async def _tenant(running: Served) -> UUID:
    return UUID((await running.http.get("/api/v1/me")).json()["tenant_id"])


async def _people(running: Served, import_id: str) -> dict[str, dict[str, str]]:
    """What is said of each person of an import, as stored."""
    async with running.system.runtime(Plane.DATA).database.batch(await _tenant(running)) as work:
        rows = await work.connection.fetch(
            "select contact_id, contactability from data.leads where import_id = $1::uuid", import_id
        )
    return {str(row["contact_id"]): json.loads(row["contactability"]) for row in rows}


async def test_of_a_long_list_trust_has_spoken_when_it_is_there_and_knows_its_people_afterwards(
    running: Served,
) -> None:
    """What trust was asked beforehand is what it says once it has looked itself; who stopped meanwhile is found then."""
    stopped = "stopped@longlist.example"
    text = (
        _rows(40_000_000, 2_500) + f"\nNajd Stopped,Sami,0599990001,{stopped},الرياض\nNajd Out,Omar,0599990002,,الرياض"
    )
    import_id = await running.upload(text)
    assert (await running.ended(import_id))["state"] == "completed"
    said = await _people(running, import_id)
    assert len(said) == 2_502
    assert {one["email"] for one in said.values()} == {"safe", "needs_review"}
    assert {one["whatsapp"] for one in said.values()} == {"blocked"}  # nobody has agreed to it
    # Somebody stops before trust has looked at whom the list brought: it can't tell yet who that is.
    answer = await running.http.post("/api/v1/suppressions", json={"identifier": stopped, "reason": "asked by phone"})
    assert answer.status_code in (200, 201, 204), answer.text

    async def known() -> bool:
        return await _facts_known(running, list(said)) == len(said)

    await eventually(40, known)

    async def found() -> bool:
        now = await _people(running, import_id)
        changed = {contact for contact in said if now[contact] != said[contact]}
        return len(changed) == 1 and now[changed.pop()]["email"] == "blocked"

    await eventually(20, found)


async def test_a_long_list_that_trust_was_silent_about_is_asked_about_once_it_is_written(running: Served) -> None:
    worker = Assessing(running)
    async with worker.silent():
        import_id = await running.upload(_rows(50_000_000, 2_200))

        async def written() -> bool:
            return len(await _people(running, import_id)) == 2_200

        await eventually(60, written)
        assert set(map(str, (await _people(running, import_id)).values())) == {"{}"}
    assert (await running.ended(import_id, within=90))["state"] == "completed"
    assert {one["email"] for one in (await _people(running, import_id)).values()} == {"safe"}


class Assessing:
    """The data plane's way of asking, which can be made to hear nothing."""

    def __init__(self, running: Served) -> None:
        self._runtime = running.system.runtime(Plane.DATA)

    @contextlib.asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        bus = self._runtime.bus

        async def call(asked: Any, request: Any, *, timeout: float | None = None) -> Any:
            raise CallTimeout(asked.subject)

        bus.call = call  # type: ignore[method-assign]  # what the plane hears when nobody answers
        try:
            yield
        finally:
            del bus.call


async def _found(running: Served, words: str) -> dict[str, str]:
    """What the search finds: ids by kind."""
    items = (await running.http.get("/api/v1/search", params={"q": words})).json()["items"]
    return {item["kind"]: item["id"] for item in items}


async def _searchable(running: Served, words: str) -> dict[str, str]:
    async def there() -> bool:
        return {"account", "contact"} <= (await _found(running, words)).keys()

    await eventually(60, there)
    return await _found(running, words)


async def test_an_undone_import_leaves_the_search_too_and_can_be_imported_again(running: Served) -> None:
    text = "company,name,mobile\nZumurrud Lonely Est,Zumurrud Person,0567000101"
    done = await running.imported(text)
    found = await _searchable(running, "Zumurrud")
    undone = (await running.http.post(f"/api/v1/targeting/imports/{done['import_id']}/undo")).json()
    assert (undone["removed"], undone["kept"]) == (1, 0)
    assert (await running.http.get(f"/api/v1/contacts/{found['contact']}")).status_code == 404
    assert await _found(running, "Zumurrud") == {}
    assert (await running.imported(text))["counts"]["created"] == 1


async def test_undoing_an_import_keeps_what_people_have_worked_on_since(running: Served) -> None:
    names = ("Yaqut", "Fayruz", "Marjan", "Lulu", "Zafir", "Almas")
    rows = "".join(f"\n{name} Keeping Holdings,{name} Keeper,056700020{n}" for n, name in enumerate(names))
    done = await running.imported("company,name,mobile" + rows)
    at = [await _searchable(running, name) for name in names]
    about = [{"contact_id": one["contact"], "account_id": one["account"]} for one in at]
    answers = (
        await running.http.patch(f"/api/v1/contacts/{at[0]['contact']}", json={"title": "CEO"}),
        await running.http.patch(f"/api/v1/accounts/{at[1]['account']}", json={"city": "riyadh"}),
        await running.http.post("/api/v1/deals", json={"title": "Forty seats", "amount": "1000", **about[2]}),
        await running.http.post(
            "/api/v1/activities", json={"type": "call", "subject": "Spoke", "at": "2026-11-01T10:00:00Z", **about[3]}
        ),
        await running.http.post("/api/v1/tasks", json={"title": "Call back", "contact_id": at[4]["contact"]}),
    )
    assert [answer.status_code for answer in answers] == [200, 200, 201, 201, 201]
    undone = (await running.http.post(f"/api/v1/targeting/imports/{done['import_id']}/undo")).json()
    assert (undone["removed"], undone["kept"]) == (2, 4)
    people = [(await running.http.get(f"/api/v1/contacts/{one['contact']}")).status_code for one in at]
    companies = [(await running.http.get(f"/api/v1/accounts/{one['account']}")).status_code for one in at]
    assert people == [200, 404, 200, 200, 200, 404]
    assert companies == [200, 200, 200, 200, 200, 404]
    history = (await running.http.get(f"/api/v1/contacts/{at[0]['contact']}/timeline")).json()["items"]
    assert "imported" in {one["what"] for one in history}, "where it came from stays on record"


async def test_what_two_imports_brought_goes_with_the_last_of_them(running: Served) -> None:
    first = await running.imported("company,name,mobile\nTwin Sources Est,Twin Person,0567000301")
    second = await running.imported("company,name,mobile,city\nTwin Sources Est,Twin Person,0567000301,Riyadh")
    contact = (await _searchable(running, "Twin"))["contact"]
    for done, kept in ((first, 1), (second, 0)):
        undone = (await running.http.post(f"/api/v1/targeting/imports/{done['import_id']}/undo")).json()
        assert undone["kept"] == kept
    assert (await running.http.get(f"/api/v1/contacts/{contact}")).status_code == 404


async def test_a_person_who_comes_again_is_asked_about_again_where_something_has_changed(running: Served) -> None:
    columns = "company,name,mobile,email,opted_out,notes\n"
    person = "Jawhar Est,Jawhar Person,0567900900,jawhar@jawhar.example"
    first = await running.imported(f"{columns}{person},no,\n")
    (before,) = (await _people(running, first["import_id"])).values()
    assert before["email"] == "safe"
    again = await running.imported(f"{columns}{person},no,Asked for a quote\n")
    assert again["counts"]["merged"] == 1
    assert list((await _people(running, first["import_id"])).values()) == [before]
    stopped = await running.imported(f"{columns}{person},yes,\n")
    assert stopped["counts"]["merged"] == 1

    async def nobody_writes() -> bool:
        (after,) = (await _people(running, first["import_id"])).values()
        return set(after.values()) == {"blocked"}

    await eventually(10, nobody_writes)
