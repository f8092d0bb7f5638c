"""The executive surfaces over real planes: figures lead to their rows, a contradicted one says so, what waits is shown by its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("executive"), *Plane) as made:
        yield made


async def _get(running: Served, path: str, **params: Any) -> Any:
    answer = await running.http.get(path if path.startswith(API) else f"{API}{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _post(running: Served, path: str, body: Any, status: int = 201) -> Any:
    answer = await running.http.post(f"{API}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def _figure(running: Served, name: str) -> dict[str, Any]:
    room = await _get(running, "/executive-room")
    return next(one for one in room["kpis"] if one["metric"] == name)


async def test_an_empty_company_has_a_room_that_invents_nothing(running: Served) -> None:
    room = await _get(running, "/executive-room")
    assert (room["pending_decisions"], room["contradictions"], room["decisions"], room["silent"]) == (0, 0, [], [])
    win_rate = next(one for one in room["kpis"] if one["metric"] == "win_rate")
    assert win_rate["value"] is None and win_rate["why_en"] and win_rate["why_ar"]
    assert {one["source"] for one in room["not_scored"]} >= {"deal", "customer"}, "too little history, said so"
    assert room["plan"]["expected"] is None and room["plan"]["why"]["ar"]
    assert room["provenance"]["confidence"] < 0.6, "little is known, and the room says how little"


async def test_every_figure_leads_to_its_metric_and_rows_and_a_contradiction_is_said_on_it(running: Served) -> None:
    account = (await _post(running, "/accounts", {"name": "Rimal"}))["id"]
    deal = (await _post(running, "/deals", {"title": "a", "account_id": account, "amount": "1000"}))["id"]
    other = (await _post(running, "/deals", {"title": "b", "account_id": account, "amount": "70"}))["id"]
    await _post(running, f"/deals/{deal}/move", {"stage": "won", "reason": "signed"}, 200)
    await _post(running, f"/deals/{other}/move", {"stage": "open"}, 200)
    shown = await _figure(running, "revenue_actual")
    assert Decimal(shown["value"]) == 1000 and shown["caution"] is None and shown["disputed"] == []
    assert Decimal((await _get(running, shown["metric_path"]))["value"]) == 1000, "the metric layer says the same"
    assert [one["id"] for one in (await _get(running, shown["rows_path"]))["items"]] == [deal]

    async def disagree(subject: str, key: str, *values: str) -> None:
        claims = [
            {"subject": subject, "key": key, "value": one, "unit": "SAR", "source": f"source {one}"} for one in values
        ]
        await _post(running, "/claims", {"items": claims})

    await disagree(f"deal:{deal}", "deal_value", "1000", "900")
    revenue, pipeline = await _figure(running, "revenue_actual"), await _figure(running, "pipeline_value")
    assert [one["about"] for one in revenue["disputed"]] == [f"deal:{deal}"] and revenue["caution"]["ar"]
    assert {one["value"] for one in revenue["disputed"][0]["claims"]} == {"1000", "900"}
    assert pipeline["disputed"] == [] and Decimal(pipeline["value"]) == 70, f"{other} is not contradicted"
    await disagree("metric:pipeline_value", "metric_value", "70", "900")
    pipeline = await _figure(running, "pipeline_value")
    assert "disagree about this figure" in pipeline["caution"]["en"]
    room = await _get(running, "/executive-room")
    assert room["contradictions"] == len(room["open_contradictions"]) == 2
    assert {one["source"] for one in room["top_risks"]} >= {"contradiction"} and len(room["risks"]) == len(
        room["risks_ar"]
    )
    worst = room["top_risks"][0]
    assert worst["score"] == worst["likelihood_level"] * worst["impact_level"]
    assert (await running.http.get(worst["path"])).status_code == 200, "a risk leads to what it comes from"
    (found,) = [one for one in room["open_contradictions"] if one["subject"].startswith("metric:")]
    claims = (await _get(running, f"/contradictions/{found['contradiction_id']}"))["claims"]
    decided = {"standing_claim_id": claims[0]["claim_id"], "reason": "counted again by hand"}
    await _post(running, f"/contradictions/{found['contradiction_id']}/resolve", decided, 200)
    assert (await _figure(running, "pipeline_value"))["caution"] is None
