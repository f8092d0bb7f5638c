"""Committee, reputation and export over HTTP on real servers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("outreach"), *planes) as made:
        yield made


async def test_a_committee_is_read_from_titles_in_both_languages(running: Served) -> None:
    account = (await running.http.post(f"{API}/accounts", json={"name": "Rimal"})).json()
    for name, title in (("نورة", "مدير المشتريات"), ("Khalid", "CEO"), ("Sara", "كاتبة قصص")):
        answer = await running.http.post(
            f"{API}/contacts", json={"account_id": account["id"], "full_name": name, "title": title}
        )
        assert answer.status_code == 201, answer.text
    found = (await running.http.get(f"{API}/targeting/committee", params={"account_id": account["id"]})).json()
    roles = {seat["name"]: seat["role"] for seat in found["seats"]}
    assert (roles["نورة"], roles["Sara"]) == ("blocker", None)
    assert roles["Khalid"] in ("decision_maker", "economic_buyer")
    assert "technical_reviewer" in found["missing"] and roles["Khalid"] not in found["missing"]
    missing = await running.http.get(
        f"{API}/targeting/committee", params={"account_id": "01930000-0000-7000-8000-000000000001"}
    )
    assert missing.status_code == 404


async def test_reports_count_once_and_pause_a_channel(running: Served) -> None:
    async def report(kind: str, count: int) -> int:
        body = {
            "channel": "email", "kind": kind, "external_ids": [f"{kind}-{n}" for n in range(count)], "at": _ago(2),
        }  # fmt: skip
        answer = await running.http.post(f"{API}/targeting/reputation/signals", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["recorded"])

    assert await report("sent", 100) == 100
    assert await report("sent", 100) == 0
    for kind, count in (("bounced", 20), ("complained", 1), ("replied", 9)):
        await report(kind, count)
    items = (await running.http.get(f"{API}/targeting/reputation")).json()["items"]
    email = next(one for one in items if one["channel"] == "email")
    assert (email["score"], email["paused"]) == (30, True)
    assert {one["kind"] for one in email["deductions"]} == {"bounced", "complained"}

    async def held() -> dict[str, bool]:
        controls = (await running.http.get(f"{API}/control")).json()["items"]
        return {one["target"]: one["paused"] for one in controls if one["scope"] == "action_type"}

    async def paused() -> bool:
        return len(await held()) > 1  # one command an action type: they come one after the other

    # What a card says is so: the channel's messages are held, and no other's.
    await eventually(60, paused)
    assert await held() == {"send_email": True, "partner_offer_send": True}
    # A person resumes it; more of the same news does not take that back.
    resumed = {"scope": "action_type", "target": "send_email", "command": "resume", "reason": "the list was cleaned"}
    assert (await running.http.post(f"{API}/control", json=resumed)).status_code == 200
    body = {"channel": "email", "kind": "bounced", "external_ids": ["bounced-again"], "at": _ago(1)}
    assert (await running.http.post(f"{API}/targeting/reputation/signals", json=body)).status_code == 200
    assert not (await held())["send_email"]


async def test_a_full_export_holds_every_record_in_both_forms(running: Served) -> None:
    made = (
        await running.http.post(f"{API}/accounts", json={"name": "=cmd()", "name_ar": "شركة التصدير", "employees": 12})
    ).json()
    await running.http.post(f"{API}/deals", json={"account_id": made["id"], "title": "عقد", "amount": "10.50"})
    answer = await running.http.get(f"{API}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        accounts = [json.loads(line) for line in archive.read("accounts.jsonl").decode().splitlines()]
        deals = [json.loads(line) for line in archive.read("deals.jsonl").decode().splitlines()]
        table = archive.read("accounts.csv").decode("utf-8-sig")
        assert {"README.txt", "tasks.csv", "activities.jsonl"} <= set(archive.namelist())
    assert made["id"] in {one["id"] for one in accounts}
    assert deals[0]["account_id"] == made["id"] and deals[0]["amount"] == "10.50"
    assert "'=cmd()" in table and "شركة التصدير" in table


async def test_exported_people_are_imported_again_without_doubling_anybody(running: Served) -> None:
    text = "company,name,mobile,email\nMarsad Export Est,Hala Marsad,0567800001,hala@marsad-export.com.sa\n"
    assert (await running.imported(text))["counts"]["created"] == 1
    with zipfile.ZipFile(io.BytesIO((await running.http.get(f"{API}/export")).content)) as archive:
        people = archive.read("contacts.csv").decode("utf-8-sig").splitlines()
    (hala,) = [line for line in people if "Hala Marsad" in line]
    again = await running.imported(f"{people[0]}\n{hala}\n")
    assert again["state"] == "completed", again["error_en"]
    assert (again["counts"]["created"], again["counts"]["merged"], again["counts"]["rejected"]) == (0, 1, 0)


def _ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()
