"""A deal's proof pack from real planes: work about that deal, what waits, an estimate with its basis, the next step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.message import Plane, new_id
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = """company,contact,title,email,phone,city,sector,opted_in_email
Ofoq Trading,Sara Alharbi,CEO,sara@ofoq.example,0501234567,Riyadh,retail,yes
Rimal Co,Omar Said,Manager,omar@rimal.example,0507654321,Jeddah,logistics,yes
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("pack"), *Plane) as made:
        yield made


def _units(section: dict[str, Any]) -> dict[str, int]:
    return {one["unit"]: one["count"] for one in section["items"]}


async def _deal(running: Served, company: str, amount: str | None) -> dict[str, Any]:
    leads = (await running.get("/targeting/opportunities"))["items"]
    lead = next(one for one in leads if one["account_name"] == company)
    values = {"title": f"{company} 2026", "account_id": lead["account_id"], "lead_id": lead["lead_id"], "contact_id": lead["contact_id"]}  # fmt: skip
    found: dict[str, Any] = await running.post("/deals", {**values, **({"amount": amount} if amount else {})})
    return found


async def test_an_empty_company_has_a_pack_that_claims_nothing(running: Served) -> None:
    pack = await running.get("/proof-pack")
    assert (pack["scope"], pack["deal_id"], pack["created"]["items"], pack["protected"]["items"]) == (
        "company",
        None,
        [],
        [],
    )
    assert pack["revenue_impact"]["kind"] == "none" and pack["revenue_impact"]["value"] is None
    assert pack["next_action"]["code"] == "no_work" and Decimal(pack["weighted"]) == 0
    assert (await running.get("/proof-pack/demo"))["scope"] == "company"


async def test_the_pack_of_a_deal_shows_its_own_work_and_what_waits(running: Served) -> None:
    await running.imported(LEADS)

    async def waits() -> bool:
        return len((await running.get("/approvals", state="pending"))["items"]) == 2

    await eventually(120, waits)
    deal = await _deal(running, "Ofoq Trading", None)
    await running.post("/tasks", {"title": "Call", "deal_id": deal["id"], "due_at": "2026-01-01T09:00:00Z"})

    async def counted() -> bool:
        pack = await running.get("/proof-pack", deal_id=deal["id"])
        return {"opportunity_created", "followup_created", "draft_created"} <= _units(pack["created"]).keys()

    await eventually(60, counted)
    pack = await running.get("/proof-pack", deal_id=deal["id"])
    assert _units(pack["created"]) == {"opportunity_created": 1, "followup_created": 1, "draft_created": 1}, (
        "not Rimal's"
    )
    assert (pack["scope"], pack["deal_title"], pack["account_name"]) == ("deal", "Ofoq Trading 2026", "Ofoq Trading")
    assert len(pack["needs_approval"]["items"]) == 1 and pack["unread"] == []
    assert pack["next_action"]["code"] == "approvals"
    assert pack["next_action"]["id"] == pack["needs_approval"]["items"][0]["approval_id"]
    assert all(proof["entry_id"] for one in pack["created"]["items"] for proof in one["proofs"])
    assert pack["revenue_impact"]["kind"] == "none", "no amount, no figure"


async def test_a_yes_to_a_brief_approves_nothing_that_it_did_not_show(running: Served) -> None:
    feeds = [
        (await running.get("/cards/feed", role=role))["items"] for role in ("sales_manager", "ceo", "growth_manager")
    ]
    card = next(one for items in feeds for one in items if "approve" in {button["action"] for button in one["buttons"]})
    number = [button["action"] for button in card["buttons"]].index("approve") + 1
    body = {"cards": [card["card_id"]], "text": f"1-{number}"}
    said = await running.post("/cards/whatsapp-brief/reply", body, 200)
    assert said["decided"] is None and "dealix decide" in said["answer"]["en"]
    assert len((await running.get("/approvals", state="pending"))["items"]) == 2


async def test_once_decided_it_is_proof_and_the_next_step_is_the_task(running: Served) -> None:
    deal = (await running.get("/deals"))["items"][0]
    pack = await running.get("/proof-pack", deal_id=deal["id"])
    id = pack["needs_approval"]["items"][0]["approval_id"]
    shown = await running.get(f"/approvals/{id}")
    await running.post(f"/approvals/{id}/approve", {"payload_hash": shown["payload_hash"], "view_hash": shown["view_hash"], "note": "ok"}, 200)  # fmt: skip
    pack = await running.get("/proof-pack", deal_id=deal["id"])
    assert pack["needs_approval"]["items"] == [] and _units(pack["protected"]) == {"approval_collected": 1}
    assert pack["next_action"]["code"] == "overdue" and pack["next_action"]["kind"] == "task"


async def test_the_estimate_rests_on_the_companys_own_deals(running: Served) -> None:
    deal = await _deal(running, "Rimal Co", "80000")
    await running.post(f"/deals/{deal['id']}/move", {"stage": "open"}, 200)
    impact = (await running.get("/proof-pack", deal_id=deal["id"]))["revenue_impact"]
    assert (impact["kind"], impact["value"], impact["basis"]) == ("none", None, None)
    assert impact["missing"][0]["code"] == "months" and impact["missing"][0]["ar"]
    await running.post("/deals/history", {"items": _history()}, 200)
    impact = (await running.get("/proof-pack", deal_id=deal["id"]))["revenue_impact"]
    basis = impact["basis"]
    assert impact["kind"] == "estimate" and impact["label"] == {"en": "Estimate", "ar": "تقدير"}
    assert basis["deal_value"] == "80000.00" and 0 < basis["probability"] < 1 and basis["tested"] > 0
    wanted = Decimal("80000") * Decimal(repr(basis["probability"]))
    assert abs(Decimal(impact["value"]) - wanted) <= Decimal(8), "the share is shown to four places"
    found = await running.get("/predictive-revenue")
    held = next(one for one in found["calibration"] if one["stage"] == "open")
    assert basis["probability"] == held["probability"], "one chance, whoever shows it"
    company = (await running.get("/proof-pack"))["revenue_impact"]
    assert (company["kind"], company["value"]) == ("estimate", found["expected"])


async def test_the_demo_is_the_running_pipeline_without_names(running: Served) -> None:
    demo = await running.http.get(f"{API}/proof-pack/demo", headers={"Authorization": ""})
    assert demo.status_code == 200, demo.text
    found = demo.json()
    newest = (await running.get("/deals", limit=1))["items"][0]
    assert newest["title"] == "Rimal Co 2026", "deals of the history were over before it"
    own = await running.get("/proof-pack", deal_id=newest["id"])
    assert (found["scope"], found["deal_id"]) == ("deal", newest["id"])
    assert found["revenue_impact"]["value"] == own["revenue_impact"]["value"] is not None
    assert "Rimal" not in demo.text and "user:" not in demo.text


async def test_a_deal_that_is_not_there_is_404_and_nobody_is_401(running: Served) -> None:
    absent = await running.http.get(f"{API}/proof-pack", params={"deal_id": str(new_id())})
    assert absent.status_code == 404
    assert (await running.http.get(f"{API}/proof-pack", params={"deal_id": "x"})).status_code == 422
    assert (await running.http.get(f"{API}/proof-pack", headers={"Authorization": ""})).status_code == 401


def _history() -> list[dict[str, str]]:
    """Forty deals of the last fourteen months: every second one won, all of them open for a while."""
    today = datetime.now(RIYADH).date()
    rows = []
    for number in range(40):
        opened = today - timedelta(days=430 - number * 10)
        closed = min(today, opened + timedelta(days=50))
        rows.append({
            "account": f"Past {number % 5}", "title": f"Old {number}", "amount": "9000", "reference": f"p-{number}",
            "outcome": "won" if number % 2 else "lost", "opened_on": _day(opened), "open_on": _day(opened + timedelta(days=3)), "closed_on": _day(closed),
        })  # fmt: skip
    return rows


def _day(day: date) -> str:
    return day.isoformat()
