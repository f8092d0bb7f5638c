"""Predictive revenue, the simulator and returns over real rows and real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, served
from tests.live.test_forecasts import past_deals

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
ROI = {
    "investment": {"value": 1000, "source": "offer 4"}, "benefit": {"value": 700, "source": "metric:revenue_actual", "certainty": 0.7},
    "cost": {"value": "200", "source": "contract 9"}, "years": 3, "rate": {"value": 0.1, "source": "bank"},
}  # fmt: skip
STATED = {"new_deals": 8, "win_rate": 0.3, "amount": 20000, "amount_spread": 0.5, "cycle_months": 2}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("simulations"), *planes) as made:
        yield made


async def _ask(running: Served, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    send = (
        running.http.get(f"{API}{path}")
        if body is None
        else running.http.post(f"{API}{path}", json=body, headers=headers)
    )
    answer = await send
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_without_history_nothing_is_predicted_or_simulated_and_what_is_missing_is_named(running: Served) -> None:
    predicted = await _ask(running, "/predictive-revenue")
    assert (predicted["expected"], predicted["churn_at_risk"], predicted["stages"]) == (None, None, [])
    assert {one["code"] for one in predicted["missing"]} == {"months", "returns"}
    assert predicted["provenance"]["confidence"] == 0
    simulated = await _ask(running, "/simulator", {})
    assert not simulated["ready"] and simulated["scenarios"] == []
    assert {one["code"] for one in simulated["missing"]} == set(STATED)
    assert all(one["en"] and one["ar"] for one in simulated["missing"])


async def test_stated_inputs_are_simulated_by_a_seed_and_say_where_they_come_from(running: Served) -> None:
    asked = {"seed": 7, "runs": 2000, "months": 12, "target": 300000, "assumptions": STATED}
    one = await _ask(running, "/simulator", asked)
    again = await _ask(running, "/simulator", asked)
    assert one["scenarios"] == again["scenarios"] and one["sensitivity"] == again["sensitivity"]
    other = await _ask(running, "/simulator", {**asked, "seed": 8})
    assert other["scenarios"] != one["scenarios"]
    assert len(one["scenarios"]) == 7 and one["scenarios"][0]["effect"] == "0.00"
    for scenario in one["scenarios"]:
        assert Decimal(scenario["p10"]) <= Decimal(scenario["p50"]) <= Decimal(scenario["p90"])
        assert 0 <= scenario["reaches"] <= 1
    effects = {scenario["key"]: Decimal(scenario["effect"]) for scenario in one["scenarios"]}
    assert effects["better_closing"] > 0 > effects["slow_market"]
    assert all(assumed["distribution"] for assumed in one["assumed"])
    assert {a["source"].split(":")[0] for a in one["assumed"] if a["name"] in STATED} == {"statement"}
    swings = [Decimal(swing["swing"]) for swing in one["sensitivity"]]
    assert swings == sorted(swings, reverse=True)
    for wrong in ({"runs": 5}, {"months": 0}, {"assumptions": {"win_rate": 1.5}}, {"assumptions": {"luck": 1}}):
        await _ask(running, "/simulator", wrong, 422)


async def test_history_gives_the_inputs_and_the_chances(running: Served) -> None:
    loaded = await _ask(running, "/deals/history", {"items": past_deals(300)})
    assert loaded["created"] == 300
    account = (await running.http.get(f"{API}/accounts", params={"limit": 1})).json()["items"][0]["id"]
    await _ask(running, "/deals", {"title": "open", "account_id": account, "amount": "10000"}, 201)
    simulated = await _ask(running, "/simulator", {"assumptions": {"amount": 30000}})
    assert simulated["ready"]
    sources = {one["name"]: one["source"] for one in simulated["assumed"]}
    assert sources["win_rate"] == "metric:win_rate" and sources["new_deals"].startswith("deals:")
    assert sources["amount"].startswith("statement:")
    predicted = await _ask(running, "/predictive-revenue")
    assert [one["code"] for one in predicted["missing"]] == []
    (stage,) = predicted["stages"]
    chance = next(one["probability"] for one in predicted["calibration"] if one["stage"] == stage["stage"])
    assert Decimal(predicted["expected"]) == pytest.approx(Decimal(repr(chance)) * 10000, abs=1)
    assert 0 < predicted["brier"] < 0.5 and any(one["deals"] > 20 for one in predicted["calibration"])
    assert predicted["returns"] >= 10 and len(predicted["customers"]) == 12
    risks = [Decimal(one["at_risk"]) for one in predicted["customers"]]
    assert risks == sorted(risks, reverse=True) and sum(risks) == Decimal(predicted["churn_at_risk"])
    assert {one["metric"] for one in predicted["velocity"]} == {"velocity", "win_rate", "pipeline_value"}


async def test_what_an_investment_brings_back_names_the_source_of_every_input(running: Served) -> None:
    found = await _ask(running, "/roi", ROI)
    assert (found["npv"], found["payback_months"], found["irr"]) == ("243.43", 24, pytest.approx(0.2338, abs=1e-4))
    assert Decimal(found["risk_adjusted_npv"]) < Decimal(found["npv"]) and 0 < found["break_even"] < 1
    assert found["provenance"]["sources"] == ["offer 4", "metric:revenue_actual", "contract 9", "bank"]
    unsourced = {**ROI, "cost": {"value": 1, "source": ""}}
    await _ask(running, "/roi", unsourced, 422)
    english = await _ask(running, "/roi", {**ROI, "rate": {"value": 8, "source": "bank"}}, 422)
    arabic = await _ask(
        running, "/roi", {**ROI, "rate": {"value": 8, "source": "bank"}}, 422, **{"Accept-Language": "ar"}
    )
    assert english["code"] == arabic["code"] == "bad_rate" and english["detail"] != arabic["detail"]
