"""Forecasts over real rows: history is loaded, months are forecast, stored and met, gaps are taken apart; too little says what is missing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.forecasts import Track
from libs.contracts.message import Plane, Principal, PrincipalKind
from services.decision.forecasting.domain.calendar import month_of, plus
from services.decision.forecasting.making import Making
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
MONTHS = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.EXECUTION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("forecasts"), *planes) as made:
        yield made


def now() -> datetime:
    return datetime.now(RIYADH)


def past_deals(count: int = 150) -> list[dict[str, Any]]:
    """Deals of the last twenty months that are over, two of five of them won."""
    chance, rows = random.Random(4), []
    today = now().date()
    first = plus(month_of(now()), -MONTHS).date()
    for number in range(count):
        opened = first + timedelta(days=chance.randint(0, (today - first).days - 30))
        moved = opened + timedelta(days=chance.randint(2, 10))
        closed = min(today, moved + timedelta(days=chance.randint(5, 60)))
        rows.append({
            "account": f"Customer {number % 12}", "title": f"Order {number}", "amount": str(chance.randint(5, 60) * 1000), "reference": f"old-{number}",
            "outcome": "won" if chance.random() < 0.4 else "lost", "opened_on": str(opened), "open_on": str(moved), "closed_on": str(closed),
        })  # fmt: skip
    return rows


async def test_without_history_it_says_what_is_missing_and_forecasts_nothing(running: Served) -> None:
    for track in Track:
        found = await running.get("/forecast", track=track.value)
        assert (found["ready"], found["ahead"]) == (False, [])
        assert {one["code"] for one in found["missing"]} == {"months", "closings"}
        assert all(one["en"] and one["ar"] and one["have"] == 0 for one in found["missing"])
        assert all(month["actual"] is None for month in found["months"] if not month["so_far"]), "gaps, not zeros"
    refused = await running.http.get(f"{API}/forecast/variance")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_forecast")


async def test_deals_of_before_come_in_on_their_own_days_and_once(running: Served) -> None:
    rows = past_deals()
    bad = {
        **rows[0],
        "reference": "bad",
        "closed_on": str(date.fromisoformat(rows[0]["opened_on"]) - timedelta(days=1)),
    }
    future = {**rows[0], "reference": "future", "closed_on": str(now().date() + timedelta(days=2))}
    found = await running.post("/deals/history", {"items": [*rows, bad, future]}, 200)
    assert (found["created"], found["existing"]) == (len(rows), 0)
    assert [(one["row"], one["field"]) for one in found["refused"]] == [(151, "closed_on"), (152, "closed_on")]
    assert all(one["en"] and one["ar"] for one in found["refused"])
    again = await running.post("/deals/history", {"items": rows}, 200)
    assert (again["created"], again["existing"]) == (0, len(rows))
    won = [row for row in rows if row["outcome"] == "won"]
    since, until = plus(month_of(now()), -MONTHS), now()
    period = {"from": since.isoformat(), "to": until.isoformat()}
    revenue = await running.get("/metrics-catalog/revenue_actual/value", **period)
    assert Decimal(revenue["value"]) == sum(Decimal(row["amount"]) for row in won), "the metric counts them"
    velocity = await running.get("/metrics-catalog/velocity/value", **period)
    assert 7 <= float(velocity["value"]) <= 75, "they took as long as they took"
    accounts = (await running.get("/accounts", limit=50))["items"]
    assert len([one for one in accounts if one["name"].startswith("Customer ")]) == 12
    stranger = await running.http.post(f"{API}/deals/history", json={"items": [{**rows[0], "outcome": "open"}]})
    assert stranger.status_code == 422


async def test_months_ahead_have_intervals_that_come_from_how_the_past_was_met(running: Served) -> None:
    account = (await running.get("/accounts", limit=1))["items"][0]["id"]
    for title, amount in (("small", "4000"), ("large", "300000")):
        await running.post("/deals", {"title": title, "account_id": account, "amount": amount})
    found = await running.post("/forecast/make", {}, 200)
    assert found["ready"] and found["missing"] == [] and found["metric"] == "revenue_actual"
    assert [one["horizon"] for one in found["ahead"]] == [1, 2, 3]
    for one in found["ahead"]:
        assert 0 <= Decimal(one["low"]) <= Decimal(one["expected"]) <= Decimal(one["high"])
        parts = sum(Decimal(driver["contribution"]) for driver in one["drivers"])
        assert Decimal(one["from_deals"]) == parts, "two open deals, both shown"
        assert {Decimal(driver["amount"]) for driver in one["drivers"]} == {300000, 4000}
    drivers = found["ahead"][0]["drivers"]
    assert [Decimal(driver["amount"]) for driver in drivers] == [300000, 4000], "what matters most is first"
    assert drivers[0]["probability"] > 0 and drivers[0]["title"].endswith("large")
    tests = {one["horizon"]: one for one in found["back_test"]}
    assert set(tests) == {1, 2, 3} and tests[1]["months"] >= 10
    assert 0 < tests[1]["accuracy"] < 1 and tests[1]["naive"] is not None and 0.5 <= tests[1]["coverage"] <= 1
    assert found["provenance"]["confidence"] == tests[1]["accuracy"], "as sure as it was right before"
    assert found["provenance"]["sources"] == ["metric:revenue_actual", "deals:152"]
    months = [one for one in found["months"] if one["actual"] is not None]
    assert months[-1]["so_far"] and {one["kind"] for one in months if one["forecast"]} == {"back_test"}
    shown = await running.get("/forecast")
    assert [one["expected"] for one in shown["ahead"]] == [one["expected"] for one in found["ahead"]], "what was stored"
    partners = await running.get("/forecast", track="partnerships")
    assert partners["ready"] is False and partners["missing"]


async def test_a_forecast_is_stored_met_and_counted_and_a_back_test_is_not(running: Served) -> None:
    """Made a month ago with the clock of then; today its month has brought what it brought."""
    runtime = running.system.runtime(Plane.DECISION)
    tenant = UUID((await running.get("/me"))["tenant_id"])
    who = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("operator",))
    before = await running.get("/metrics-catalog/forecast_accuracy/value")
    assert before["no_data"] is True, "only back-tests so far"
    left_out = await running.get("/metrics-catalog/forecast_accuracy/rows", excluded="true")
    assert left_out["items"], "and they are named as left out"
    ended = plus(month_of(now()), -1)
    then = plus(ended, -1) + timedelta(days=20)
    await Making(runtime).make(who, Track.REVENUE, then)
    await Making(runtime).make(who, Track.REVENUE)
    period = {
        "from": (plus(ended, 1) - timedelta(days=5)).isoformat(),
        "to": (plus(ended, 1) + timedelta(days=1)).isoformat(),
    }
    value = await running.get("/metrics-catalog/forecast_accuracy/value", **period)
    assert value["no_data"] is False and value["counted"] == 1 and 0 <= float(value["value"]) <= 1
    kept = [one for one in (await running.get("/forecast/made", limit=200))["items"] if one["kind"] == "made"]
    (met,) = [one for one in kept if one["actual"] is not None]
    actual = await running.get("/metrics-catalog/revenue_actual/value", **{"from": ended.isoformat(), "to": plus(ended, 1).isoformat()})  # fmt: skip
    assert met["actual"] == actual["value"] and float(met["accuracy"]) == pytest.approx(float(value["value"]), abs=1e-4)
    page = await running.get("/forecast/made", limit=2)
    following = await running.get("/forecast/made", limit=2, cursor=page["next_cursor"])
    assert not {one["forecast_id"] for one in page["items"]} & {one["forecast_id"] for one in following["items"]}


async def test_a_gap_is_taken_apart_and_every_way_adds_up(running: Served) -> None:
    found = await running.get("/forecast/variance")
    assert found["kind"] == "made" and Decimal(found["variance"]) == Decimal(found["actual"]) - Decimal(
        found["expected"]
    )
    for way in ("by_deal", "by_stage", "by_segment", "by_timing"):
        for figure in ("expected", "actual", "variance"):
            assert sum(Decimal(part[figure]) for part in found[way]) == Decimal(found[figure]), (way, figure)
        assert all(part["en"] and part["ar"] for part in found[way])
    assert any(part["deal_id"] for part in found["by_deal"])
    tested = await running.get("/forecast/variance", month=f"{plus(month_of(now()), -3):%Y-%m}")
    assert tested["kind"] == "back_test" and any(part["deal_id"] for part in tested["by_deal"]), (
        "as it would have been explained then"
    )
    early = await running.http.get(f"{API}/forecast/variance", params={"month": f"{now():%Y-%m}"})
    assert (early.status_code, early.json()["code"]) == (422, "month_not_over")
    arabic = await running.http.get(
        f"{API}/forecast/variance", params={"month": "2001-01"}, headers={"Accept-Language": "ar"}
    )
    assert arabic.status_code == 404 and "توقع" in arabic.json()["detail"]
    assert (await running.http.get(f"{API}/forecast/variance", params={"month": "2026-13"})).status_code == 422


async def test_memos_take_what_was_forecast_and_say_where_the_gap_came_from(running: Served) -> None:
    month = f"{plus(month_of(now()), -1):%Y-%m}"
    gap = await running.get("/forecast/variance", month=month)
    body = {"inputs": {"metric": "revenue_actual", "month": month}}
    memo = (await running.post("/memos/forecast_variance", body, 200))["memo"]
    assert (memo["forecast"], memo["variance"], memo["accuracy"]) == (gap["expected"], gap["variance"], gap["accuracy"])
    assert memo["root_causes"] and f"forecast:{gap['forecast_id']}" in memo["provenance"]["sources"]
    pack = (await running.post("/memos/board_pack_draft", {"inputs": {"period": "Q4", "revenue_forecast": "1"}}, 200))[
        "memo"
    ]
    ahead = (await running.get("/forecast"))["ahead"][0]
    assert pack["revenue_forecast"] == ahead["expected"], "nobody states what was forecast"
    for inputs in (
        {"metric": "win_rate", "month": month},
        {"metric": "revenue_actual", "month": "soon"},
        {"metric": "revenue_actual"},
    ):
        await running.post("/memos/forecast_variance", {"inputs": inputs}, 422)


async def test_every_tenant_that_decision_knows_is_forecast_without_being_asked(running: Served) -> None:
    database = running.system.runtime(Plane.DECISION).database
    async with database.batch() as work:
        await work.connection.execute("update decision.forecast_turns set due_at = now() - interval '1 hour'")

    async def taken() -> bool:
        async with database.batch() as work:
            return bool(await work.connection.fetchval("select bool_and(due_at > now()) from decision.forecast_turns"))

    await eventually(60, taken)


async def test_a_past_deal_belongs_to_the_account_that_an_import_would_have_found(running: Served) -> None:
    """Another spelling of its name is the same company; a name that says little makes a new one, beside which the other waits."""
    oasis = await running.post("/accounts", {"name": "شركة الواحة للتقنية"})
    plain = await running.post("/accounts", {"name": "Trading Company"})
    row = {"title": "T", "amount": "900", "outcome": "lost", "opened_on": "2025-01-05", "closed_on": "2025-02-01"}
    named = ("الواحه للتقنية المحدودة", "النخيل الزراعية", "شركة النخيل الزراعية", "Trading Company")
    items = [{**row, "account": name, "reference": f"named-{n}"} for n, name in enumerate(named)]
    assert (await running.post("/deals/history", {"items": items}, 200))["created"] == len(items)
    assert len((await running.get("/deals", account_id=oasis["id"]))["items"]) == 1
    assert (await running.get("/deals", account_id=plain["id"]))["items"] == []
    accounts = (await running.get("/accounts", limit=100))["items"]
    palms = [one["id"] for one in accounts if "النخيل" in one["name"]]
    assert len(palms) == 1 and len((await running.get("/deals", account_id=palms[0]))["items"]) == 2
    waiting = (await running.get("/targeting/reviews"))["items"]
    assert [one["left"]["id"] for one in waiting if one["why_en"]] == [plain["id"]]
    assert (await running.post("/deals/history", {"items": items}, 200))["existing"] == len(items)
    assert len((await running.get("/accounts", limit=100))["items"]) == len(accounts), "the same rows make no account"
