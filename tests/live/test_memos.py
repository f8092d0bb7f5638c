"""Memos over HTTP on real planes: from records and figures, with provenance, refused in both languages where they can't be made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from tests.live.served import Served, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("memos"), *Plane) as made:
        yield made


async def _memo(running: Served, name: str, **inputs: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/memos/{name}", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["memo"]
    return found


async def test_memos_are_made_from_records_and_figures_with_their_sources(running: Served) -> None:
    account = (await running.http.post(f"{API}/accounts", json={"name": "Rimal"})).json()["id"]
    deal = (
        await running.http.post(f"{API}/deals", json={"title": "a", "account_id": account, "amount": "1000"})
    ).json()["id"]
    checklist = await _memo(running, "handoff_checklist", deal_id=deal)
    assert not checklist["all_complete"] and checklist["provenance"]["sources"] == [f"deal:{deal}"]
    qualified = await _memo(running, "qualification_memo", deal_id=deal)
    assert qualified["qualification_status"] == "incomplete"
    won = await running.http.post(f"{API}/deals/{deal}/move", json={"stage": "won", "reason": "signed"})
    assert won.status_code == 200, won.text
    variance = await _memo(running, "forecast_variance", metric="revenue_actual", forecast="800")
    assert (variance["actual"], variance["variance"]) == ("1000.00", "200.00")
    snapshot = await _memo(running, "executive_snapshot")
    assert {"metric:revenue_actual", "metric:win_rate"} <= set(snapshot["provenance"]["sources"])
    again = await _memo(running, "handoff_checklist", deal_id=deal)
    assert next(item["done"] for item in again["items"] if item["key"] == "won") is True
    offered = (await running.http.get(f"{API}/memos")).json()["items"]
    assert len(offered) == 21


async def test_what_can_not_be_made_is_refused_in_both_languages(running: Served) -> None:
    for path, inputs, status in (
        ("handoff_checklist", {"deal_id": str(new_id())}, 404), ("handoff_checklist", {}, 422), ("invented", {}, 422),
        ("lead_score_card", {"lead_id": str(new_id())}, 404), ("synergy_model", {"net": 5}, 422),
    ):  # fmt: skip
        english = await running.http.post(f"{API}/memos/{path}", json={"inputs": inputs})
        arabic = await running.http.post(
            f"{API}/memos/{path}", json={"inputs": inputs}, headers={"Accept-Language": "ar"}
        )
        assert (english.status_code, arabic.status_code) == (status, status), english.text
        assert english.json()["detail"] != arabic.json()["detail"]
