"""Work is counted from the ledger alone: each unit leads to the entry that proves it, and what was taken back counts no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.catalogue.work_units import work_units
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import WORK_UNITS
from libs.contracts.work_units import WorkUnitsRequest
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = """company,contact,title,email,phone,city,sector,opted_in_email,opted_out
Ofoq Trading,Sara Alharbi,CEO,sara@ofoq.example,0501234567,Riyadh,retail,yes,no
Rimal Co,Omar Said,Manager,omar@rimal.example,0507654321,Jeddah,logistics,yes,no
Nakhla Co,Ali Zaid,Owner,ali@nakhla.example,0507654399,Jeddah,logistics,,yes
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("work"), *Plane) as made:
        yield made


async def _work(running: Served, **params: Any) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/revenue-work-units", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _totals(running: Served) -> dict[str, int]:
    return {one["unit"]: one["count"] for one in (await _work(running))["totals"]}


async def _counted(running: Served, **wanted: int) -> None:
    async def so() -> bool:
        found = await _totals(running)
        return all(found[unit] == count for unit, count in wanted.items())

    try:
        await eventually(120, so)
    except TimeoutError:
        pytest.fail(f"wanted {wanted}, found {await _totals(running)}")


async def test_before_any_work_every_unit_is_zero_and_named(running: Served) -> None:
    found = await _work(running)
    assert found["items"] == [] and found["next_cursor"] is None and Decimal(found["weighted"]) == 0
    assert [one["unit"] for one in found["totals"]] == list(work_units().units)
    assert all(one["title"]["ar"] and one["title"]["en"] and one["count"] == 0 for one in found["totals"])


async def test_an_import_and_what_follows_are_work_with_proof(running: Served) -> None:
    imported = await running.imported(LEADS)
    assert imported["counts"]["blocked"] == 1, imported["counts"]
    created = imported["counts"]["created"]
    await _counted(
        running, opportunity_created=created, contact_blocked=1, target_ranked=created, draft_created=created
    )
    found = await _work(running)
    totals = {one["unit"]: one for one in found["totals"]}
    for unit, one in totals.items():
        assert Decimal(one["weighted"]) == work_units().units[unit].weight * one["count"]
    assert Decimal(found["weighted"]) == sum(Decimal(one["weighted"]) for one in totals.values())

    async def sequenced() -> bool:
        return all(one["seq"] is not None for one in (await _work(running))["items"])

    await eventually(60, sequenced)
    for one in (await _work(running, unit="draft_created"))["items"]:
        path = one["proof_path"]

        async def proven(path: str = path) -> bool:
            return (await running.http.get(path)).status_code == 200

        await eventually(60, proven)  # until a checkpoint covers it
        assert (await running.http.get(path)).json()["leaf_hash"] == one["leaf_hash"]
        assert one["kind"] == "decision" and one["target"].startswith("action:")


async def test_pages_hold_each_unit_once(running: Served) -> None:
    whole = [(one["entry_id"], one["unit"]) for one in (await _work(running, limit=100))["items"]]
    met, cursor = [], None
    while True:
        page = await _work(running, limit=1, **({"cursor": cursor} if cursor else {}))
        met += [(one["entry_id"], one["unit"]) for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert met == whole and len(set(met)) == len(met) > 3


async def test_an_approval_a_refusal_and_a_solved_ticket_count_when_they_happened(running: Served) -> None:
    before = await _totals(running)
    waiting = (await running.http.get(f"{API}/approvals", params={"state": "pending"})).json()["items"]
    shown = (await running.http.get(f"{API}/approvals/{waiting[0]['approval_id']}")).json()
    vote = {"payload_hash": shown["payload_hash"], "view_hash": shown["view_hash"], "note": "ok"}
    answer = await running.http.post(f"{API}/approvals/{shown['approval_id']}/approve", json=vote)
    assert answer.status_code == 200, answer.text
    scraped = {
        "action_type": "linkedin_scrape",
        "resource": {"type": "account", "id": "1"},
        "payload": {},
        "reason": "x",
    }
    assert (await running.http.post(f"{API}/actions", json=scraped)).status_code == 202
    ticket = (await running.http.post(f"{API}/tickets", json={"title": "T", "priority": "P2"})).json()
    await _counted(
        running, approval_collected=before["approval_collected"] + 1, risk_blocked=before["risk_blocked"] + 1
    )
    assert (await _totals(running))["support_ticket_resolved"] == 0, "an open ticket is no solved one"
    solved = await running.http.patch(f"{API}/tickets/{ticket['id']}", json={"status": "resolved"})
    assert solved.status_code == 200, solved.text
    await _counted(running, support_ticket_resolved=1)


async def test_what_was_taken_back_counts_no_more(running: Served) -> None:
    before = (await _totals(running))["opportunity_created"]
    more = await running.imported(
        "company,contact,email,opted_in_email\nZad Co,Huda Ali,huda@zad.example,yes\n", name="second.csv"
    )
    await _counted(running, opportunity_created=before + 1)
    undone = await running.http.post(f"{API}/targeting/imports/{more['import_id']}/undo")
    assert undone.status_code == 200, undone.text
    await _counted(running, opportunity_created=before)


async def test_only_what_is_about_the_targets_is_counted(running: Served) -> None:
    owner = (await running.http.get(f"{API}/me")).json()
    tenant = UUID(owner["tenant_id"])
    one = (await _work(running, unit="draft_created"))["items"][0]
    who = Principal(id="user:x", kind=PrincipalKind.USER, tenant_id=tenant, roles=("owner",))
    async with running.system.bus(Plane.DECISION) as bus:
        found = await bus.call(WORK_UNITS, WorkUnitsRequest(principal=who, targets=(one["target"],)))
        assert {item.target for item in found.items} == {one["target"]}
        assert sum(total.count for total in found.totals) < sum((await _totals(running)).values())
        nothing = await bus.call(WORK_UNITS, WorkUnitsRequest(principal=who, targets=()))
        assert nothing.items == () and nothing.weighted == 0, "about none of nothing"
        stranger = who.evolve(tenant_id=new_id())
        other = await bus.call(WORK_UNITS, WorkUnitsRequest(principal=stranger))
        assert other.items == () and other.weighted == 0


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"unit": "revenue"}, 404, "unknown_work_unit"),
        ({"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, 422, "bad_period"),
        ({"from": "2020-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, 422, "bad_period"),
    ],
)
async def test_a_question_that_is_none_is_told_so(
    running: Served, params: dict[str, str], status: int, code: str
) -> None:
    answer = await running.http.get(f"{API}/revenue-work-units", params=params, headers={"Accept-Language": "ar"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert any("\u0600" <= letter <= "\u06ff" for letter in answer.json()["detail"])


async def test_the_demo_shows_the_example_tenants_work_to_anybody_and_nobodys_name(running: Served) -> None:
    demo = await running.http.get(f"{API}/revenue-work-units/demo", headers={"Authorization": ""})
    assert demo.status_code == 200, demo.text
    found = demo.json()
    assert found["items"] and all(one["actor"] == "" for one in found["items"])
    assert {one["unit"]: one["count"] for one in found["totals"]} == await _totals(running)
    assert (await running.http.get(f"{API}/revenue-work-units", headers={"Authorization": ""})).status_code == 401
