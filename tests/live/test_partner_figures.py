"""Partners' figures come from real deals by the dictionary of metrics; an offer leaves only after a person approved it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.message import Plane, new_id
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("partners"), *Plane) as made:
        yield made


async def _partner(running: Served, name: str, **more: Any) -> str:
    body = {
        "name": name,
        "type": "marketing_agency",
        "sells_to": "businesses",
        "customers": 60,
        "city": "جدة",
        "saudi": "yes",
        **more,
    }
    return str((await running.post("/partners", body))["id"])


async def _deal(running: Served, account: str, partner: str, amount: str | None, *stages: str, **more: str) -> str:
    body = {
        "title": "D",
        "account_id": account,
        "partner_id": partner,
        **more,
        **({"amount": amount} if amount else {}),
    }
    deal = await running.post("/deals", body)
    for stage in stages:
        reason = {"reason": "x"} if stage == "lost" else {}
        await running.post(f"/deals/{deal['id']}/move", {"stage": stage, **reason}, 200)
    return str(deal["id"])


async def test_the_scorecard_counts_what_is_on_record_and_says_what_is_not(running: Served) -> None:
    bare = await _partner(running, "Bare Agency")
    found = await running.get(f"/partners/{bare}/scorecard")
    assert (found["health"], found["tier"], found["missing"]) == (0, "dormant", ["intros", "partner_since"])
    assert (found["revenue"], found["won"], found["open_value"]) == ("0.00", 0, "0.00")
    began = (datetime.now(RIYADH).date() - timedelta(days=200)).isoformat()
    partner = await _partner(running, "Sada Agency", name_ar="وكالة صدى", intros=2, partner_since=began)
    account = (await running.post("/accounts", {"name": "Ofoq Trading"}))["id"]
    await _deal(running, account, partner, "30000", "open", "negotiating", "won")
    await _deal(running, account, partner, "12000.50", "open")
    await _deal(running, account, partner, "90000", "lost")
    await _deal(running, account, partner, "70000", "open", "won", currency="USD")
    found = await running.get(f"/partners/{partner}/scorecard")
    points = {one["key"]: (one["count"], one["points"]) for one in found["parts"]}
    assert points == {"intros": (2, 16), "deals": (3, 45), "months": (6, 12)}, "a lost deal is none"
    assert (found["health"], found["tier"], found["to_next"], found["missing"]) == (73, "active", 2, [])
    assert found["tier_name"]["ar"] and found["next_tier"]["ar"] and found["name"] == "وكالة صدى"
    assert (found["revenue"], found["won"], found["open_value"]) == ("30000.00", 1, "12000.50")


async def test_revenue_by_partner_adds_up_to_the_metric(running: Served) -> None:
    other = await _partner(running, "Rimal Partners")
    account = (await running.get("/accounts", limit=1))["items"][0]["id"]
    await _deal(running, account, other, "10000", "open", "won")
    found = await running.get("/partners/revenue")
    metric = await running.get("/metrics-catalog/partner_revenue/value")
    assert found["total"]["value"] == metric["value"] == "40000.00"
    assert [(one["name"], one["revenue"], one["won"], one["excluded"]) for one in found["items"]] == [
        ("وكالة صدى", "30000.00", 1, 1), ("Rimal Partners", "10000.00", 1, 0),
    ]  # fmt: skip
    assert sum(Decimal(one["revenue"]) for one in found["items"]) == Decimal(found["total"]["value"])
    assert [one["share"] for one in found["items"]] == [0.75, 0.25]
    assert found["open_value"]["value"] == "12000.50"
    rows = await running.http.get(found["rows_path"])
    assert {row["figure"] for row in rows.json()["items"]} == {"30000.00", "10000.00"}
    first = await running.get("/partners/revenue", limit=1)
    second = await running.get("/partners/revenue", limit=1, cursor=first["next_cursor"])
    assert [*first["items"], *second["items"]] == found["items"] and second["next_cursor"] is None
    past = await running.get("/partners/revenue", **{"from": "2020-01-01T00:00:00Z", "to": "2021-01-01T00:00:00Z"})
    assert {one["revenue"] for one in past["items"]} == {"0.00"} and past["items"][0]["share"] is None


async def test_a_metric_is_cut_only_by_what_its_rows_name(running: Served) -> None:
    parts = await running.get("/metrics-catalog/partner_deals/parts", by="partner")
    assert {one["value"] for one in parts["items"]} == {"3.0000", "1.0000"}
    refused = await running.http.get(f"{API}/metrics-catalog/revenue_actual/parts", params={"by": "owner"})
    assert (refused.status_code, refused.json()["code"]) == (404, "metric_not_cut")
    absent = await running.http.get(f"{API}/metrics-catalog/nothing/parts", params={"by": "owner"})
    assert absent.status_code == 404


async def test_an_offer_is_a_document_and_sends_nothing_by_itself(running: Served) -> None:
    partner = await _partner(running, "Nakhla Agency", email="ali@nakhla.example")
    before = (await running.get("/actions"))["items"]
    made = await running.post(
        "/partners/offers", {"partner_id": partner, "language": "en", "commission_percent": "10"}, 200
    )
    assert (made["kind"], made["action_id"], made["open_points"]) == ("co_authored_proof", None, [])
    assert made["not_sendable"]["code"] == "no_contact" and made["not_sendable"]["ar"]
    assert [one["number"] for one in made["clauses"]] == list(range(1, len(made["clauses"]) + 1))
    refused = await running.http.post(f"{API}/partners/offers", json={"partner_id": partner, "send": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_no_contact")
    assert (await running.get("/actions"))["items"] == before
    earned = await running.http.post(f"{API}/partners/offers", json={"partner_id": partner, "kind": "white_label"})
    assert (earned.status_code, earned.json()["code"]) == (409, "white_label_not_earned")
    wrong = await running.http.post(f"{API}/partners/offers", json={"partner_id": partner, "commission_percent": "51"})
    assert wrong.status_code == 422
    assert (await running.http.post(f"{API}/partners/offers", json={"partner_id": str(new_id())})).status_code == 404


async def test_sending_an_offer_is_an_action_that_waits_for_a_person_and_happens_once(running: Served) -> None:
    partner = next(one["id"] for one in (await running.get("/partners"))["items"] if one["name"] == "Nakhla Agency")
    account = (await running.get("/accounts", limit=1))["items"][0]["id"]
    contact = await running.post(
        "/contacts", {"account_id": account, "full_name": "Ali Zaid", "email": "ali@nakhla.example"}
    )
    order = {"partner_id": partner, "language": "ar", "send": True}
    made = await running.post("/partners/offers", order, 200)
    assert made["recipient"] == contact["id"] and made["action_id"]
    again = await running.post("/partners/offers", order, 200)
    assert again["action_id"] == made["action_id"], "asked for again, it is the same action"

    async def decided() -> bool:
        return bool((await running.get(f"/actions/{made['action_id']}"))["state"] != "accepted")

    await eventually(60, decided)
    action = await running.get(f"/actions/{made['action_id']}")
    assert (action["action_type"], action["state"]) == ("partner_offer_send", "awaiting_approval"), action
    shown = await running.get(f"/approvals/{action['approval_id']}")
    assert made["body"] == json.loads(shown["payload"])["body"], "what is approved is what was shown"
    waiting = (await running.get("/approvals", state="pending"))["items"]
    assert len([one for one in waiting if one["action_type"] == "partner_offer_send"]) == 1


async def test_nobody_reads_or_orders_without_a_name(running: Served) -> None:
    for path in (f"/partners/{new_id()}/scorecard", "/partners/revenue"):
        assert (await running.http.get(f"{API}{path}", headers={"Authorization": ""})).status_code == 401
    order = await running.http.post(f"{API}/partners/offers", json={}, headers={"Authorization": ""})
    assert order.status_code == 401
    assert (await running.http.get(f"{API}/partners/{new_id()}/scorecard")).status_code == 404
