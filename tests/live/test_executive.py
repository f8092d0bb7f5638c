"""The executive surfaces over real planes: figures lead to their rows, a contradicted one says so, what waits is shown by its clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.message import Plane, new_id
from tests.live.served import Served, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("executive"), *Plane) as made:
        yield made


async def _figure(running: Served, name: str) -> dict[str, Any]:
    room = await running.get("/executive-room")
    return next(one for one in room["kpis"] if one["metric"] == name)


async def _disagree(running: Served, subject: str, key: str, *values: str) -> None:
    claims = [
        {"subject": subject, "key": key, "value": one, "unit": "SAR", "source": f"source {one}"} for one in values
    ]
    await running.post("/claims", {"items": claims})


async def test_an_empty_company_has_a_room_that_invents_nothing(running: Served) -> None:
    room = await running.get("/executive-room")
    assert (room["pending_decisions"], room["contradictions"], room["decisions"], room["silent"]) == (0, 0, [], [])
    win_rate = next(one for one in room["kpis"] if one["metric"] == "win_rate")
    assert win_rate["value"] is None and win_rate["why_en"] and win_rate["why_ar"]
    assert {one["source"] for one in room["not_scored"]} >= {"deal", "customer"}, "too little history, said so"
    assert room["plan"]["expected"] is None and room["plan"]["why"]["ar"]
    assert room["provenance"]["confidence"] < 0.6, "little is known, and the room says how little"


async def test_every_figure_leads_to_its_metric_and_rows_and_a_contradiction_is_said_on_it(running: Served) -> None:
    account = (await running.post("/accounts", {"name": "Rimal"}))["id"]
    deal = (await running.post("/deals", {"title": "a", "account_id": account, "amount": "1000"}))["id"]
    other = (await running.post("/deals", {"title": "b", "account_id": account, "amount": "70"}))["id"]
    await running.post(f"/deals/{deal}/move", {"stage": "won", "reason": "signed"}, 200)
    await running.post(f"/deals/{other}/move", {"stage": "open"}, 200)
    shown = await _figure(running, "revenue_actual")
    assert Decimal(shown["value"]) == 1000 and shown["caution"] is None and shown["disputed"] == []
    assert Decimal((await running.get(shown["metric_path"]))["value"]) == 1000, "the metric layer says the same"
    assert [one["id"] for one in (await running.get(shown["rows_path"]))["items"]] == [deal]

    await _disagree(running, f"deal:{deal}", "deal_value", "1000", "900")
    revenue, pipeline = await _figure(running, "revenue_actual"), await _figure(running, "pipeline_value")
    assert [one["about"] for one in revenue["disputed"]] == [f"deal:{deal}"] and revenue["caution"]["ar"]
    assert {one["value"] for one in revenue["disputed"][0]["claims"]} == {"1000", "900"}
    assert pipeline["disputed"] == [] and Decimal(pipeline["value"]) == 70, f"{other} is not contradicted"
    await _disagree(running, "metric:pipeline_value", "metric_value", "70", "900")
    pipeline = await _figure(running, "pipeline_value")
    assert "disagree about this figure" in pipeline["caution"]["en"]
    room = await running.get("/executive-room")
    assert room["contradictions"] == len(room["open_contradictions"]) == 2
    assert {one["source"] for one in room["top_risks"]} >= {"contradiction"} and len(room["risks"]) == len(
        room["risks_ar"]
    )
    worst = room["top_risks"][0]
    assert worst["score"] == worst["likelihood_level"] * worst["impact_level"]
    assert (await running.http.get(worst["path"])).status_code == 200, "a risk leads to what it comes from"
    (found,) = [one for one in room["open_contradictions"] if one["subject"].startswith("metric:")]
    claims = (await running.get(f"/contradictions/{found['contradiction_id']}"))["claims"]
    decided = {"standing_claim_id": claims[0]["claim_id"], "reason": "counted again by hand"}
    await running.post(f"/contradictions/{found['contradiction_id']}/resolve", decided, 200)
    assert (await _figure(running, "pipeline_value"))["caution"] is None


async def test_a_board_pack_has_eight_sections_and_is_a_pdf_when_asked(running: Served) -> None:
    pack = await running.get("/board-pack")
    assert len(pack["sections"]) == 8 and not pack["so_far"] and pack["since"] < pack["until"] < pack["made_at"]
    figures = [one for section in pack["sections"] for one in section["figures"]]
    assert {(await running.http.get(one["rows_path"])).status_code for one in figures} == {200}
    month = f"{datetime.now(RIYADH):%Y-%m}"
    current = await running.get("/board-pack", period=month)
    assert current["so_far"] and Decimal(current["revenue_actual"]) == 1000
    assert len(current["key_risks"]) == len(current["key_risks_ar"]) == len(current["top_risks"]) > 0
    assert len(current["decisions_required"]) == len(current["decisions_required_ar"])
    for path, headers in ((f"{API}/board-pack", {"Accept": "application/pdf"}), (current["pdf_path"], {})):
        answer = await running.http.get(path, headers=headers)
        assert answer.headers["content-type"] == "application/pdf" and answer.content.startswith(b"%PDF"), answer.text
    ahead = await running.http.get(f"{API}/board-pack", params={"period": "2099-Q1"}, headers={"Accept-Language": "ar"})
    assert (ahead.status_code, ahead.json()["code"]) == (422, "period_not_begun") and "لم تبدأ" in ahead.json()[
        "detail"
    ]
    assert (await running.http.get(f"{API}/board-pack", params={"period": "lately"})).status_code == 422


async def test_every_risk_stands_in_a_cell_of_the_map_and_leads_to_its_record(running: Served) -> None:
    await _disagree(running, "metric:win_rate", "metric_value", "40", "60")
    found = await running.get("/risks/heatmap", limit=200)
    assert (
        len(found["cells"]) == 25
        and sum(one["count"] for one in found["cells"]) == found["total"] == len(found["items"]) > 0
    )
    by_cell = Counter((one["likelihood_level"], one["impact_level"]) for one in found["items"])
    assert all(by_cell[one["likelihood"], one["impact"]] == one["count"] for one in found["cells"])
    worst = found["items"][0]
    cell = {"likelihood": worst["likelihood_level"], "impact": worst["impact_level"]}
    inside = await running.get("/risks/heatmap", **cell)
    assert (
        len(inside["items"]) == by_cell[worst["likelihood_level"], worst["impact_level"]]
        and inside["total"] == found["total"]
    )
    first = await running.get("/risks/heatmap", limit=1)
    second = await running.get("/risks/heatmap", limit=1, cursor=first["next_cursor"])
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [one["id"] for one in found["items"][:2]]
    assert (await running.http.get(f"{API}/risks/heatmap", params={"likelihood": 6})).status_code == 422


async def test_metrics_over_time_are_the_metric_layers_own(running: Served) -> None:
    found = await running.get("/analytics", metric=["revenue_actual", "win_rate"], stretches=3)
    revenue, rate = found["trends"]
    assert [one["value"] and Decimal(one["value"]) for one in revenue["points"]][-1] == 1000
    assert rate["points"][0]["value"] is None, "a gap, not zero"
    rows = await running.get(revenue["points"][-1]["rows_path"])
    assert len(rows["items"]) == 1
    assert {one["metric"] for one in (await running.get("/analytics", by="week"))["trends"]} >= {
        "velocity",
        "violation_rate",
    }
    refused = await running.http.get(f"{API}/analytics", params={"metric": "pipeline_value"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_trend")


async def test_a_deals_outcome_splits_between_its_touches_and_rival_claims_need_a_person(running: Served) -> None:
    partner = (await running.post("/partners", {"name": "Wasl", "type": "software_vendor"}))["id"]
    account = (await running.post("/accounts", {"name": "Ofoq"}))["id"]
    lead = (
        await running.post("/leads", {"account_id": account, "source": "website_form", "obtained_at": "2026-01-05"})
    )["id"]
    deal = (
        await running.post(
            "/deals",
            {"title": "c", "account_id": account, "amount": "500", "lead_id": lead, "partner_id": partner},
        )
    )["id"]
    bare = await running.get("/attribution", deal_id=deal)
    assert {one["kind"] for one in bare["touchpoints"]} == {"source", "partner"} and bare["needs_person"]
    now = datetime.now(RIYADH)
    for kind, days in (("meeting", 40), ("call", 10), ("note", 5)):
        at = (now - timedelta(days=days)).isoformat()
        await running.post("/activities", {"type": kind, "subject": kind, "at": at, "deal_id": deal})
    found = await running.get("/attribution", deal_id=deal)
    assert [one["kind"] for one in found["touchpoints"]] == ["source", "meeting", "call", "partner"], (
        "a note touches nobody"
    )
    assert (
        sum(Decimal(one["share"]) for one in found["touchpoints"])
        == sum(Decimal(one["share"]) for one in found["channels"])
        == 1
    )
    assert {one["model"] for one in found["models"]} == {"even", "recent", "ends"} and 0 < found["confidence"] < 1
    assert (
        any("partner" in one["en"] for one in found["reasons"])
        and found["provenance"]["confidence"] == found["confidence"]
    )
    won = await running.get("/attribution")
    assert [one["title"] for one in won["items"]] == ["a"] and won["items"][0]["reasons"][0]["ar"]
    missing = await running.http.get(f"{API}/attribution", params={"deal_id": str(new_id())})
    assert missing.status_code == 404
