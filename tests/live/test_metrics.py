"""Metrics over HTTP on real servers: values with their basis, and "no data" instead of zero."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.message import Plane
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("metrics"), *Plane) as made:
        yield made


async def _value(running: Served, name: str, **params: str) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/metrics-catalog/{name}/value", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_without_data_every_metric_says_so_and_is_never_zero(running: Served) -> None:
    listed = (await running.http.get(f"{API}/metrics-catalog")).json()["items"]
    assert [one["metric"]["name"] for one in listed] == list(metrics())
    for name in metrics():
        found = await _value(running, name)
        assert (found["value"], found["no_data"]) == (None, True) and found["why_en"] and found["why_ar"]


async def test_a_value_comes_with_its_definition_time_and_rows(running: Served) -> None:
    account = (await running.http.post(f"{API}/accounts", json={"name": "Rimal"})).json()["id"]
    deals = []
    for title, amount in (("a", "1000.50"), ("b", "2000"), ("c", "4000")):
        made = await running.http.post(f"{API}/deals", json={"title": title, "account_id": account, "amount": amount})
        assert made.status_code == 201, made.text
        deals.append(made.json()["id"])
    for deal, stage in zip(deals, ("won", "lost", "negotiating"), strict=True):
        moved = await running.http.post(f"{API}/deals/{deal}/move", json={"stage": stage, "reason": "agreed"})
        assert moved.status_code == 200, moved.text
    revenue = await _value(running, "revenue_actual")
    assert (revenue["value"], revenue["rows"], revenue["counted"]) == ("1000.50", 3, 1) and revenue["as_of"]
    assert (await _value(running, "pipeline_value"))["value"] == "4000.00"
    assert (await _value(running, "win_rate"))["value"] == "0.5000"
    old = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    assert (await _value(running, "win_rate", **old))["no_data"] is True


async def test_an_unknown_metric_and_a_period_that_runs_backwards_are_refused(running: Served) -> None:
    unknown = await running.http.get(f"{API}/metrics-catalog/nothing/value")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_metric")
    backwards = {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    answer = await running.http.get(f"{API}/metrics-catalog/win_rate/value", params=backwards)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_period")


async def test_numbers_of_other_planes_come_from_their_own_rows(running: Served) -> None:
    leads = "company,contact,title,email,opted_in_email\nOfoq Trading,Sara Alharbi,CEO,sara@ofoq.example,yes\n"
    assert (await running.imported(leads))["state"] == "completed"
    accepted = await _value(running, "rows_accepted")
    assert (accepted["value"], accepted["rows"]) == ("1.0000", 1)
    body = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"text": "x"}}
    done = await running.http.post(f"{API}/actions", json=body, headers={"Prefer": "wait=8"})
    assert done.json()["state"] == "succeeded", done.text
    forbidden = {**body, "action_type": "exfiltrate_secrets"}
    refused = await running.http.post(f"{API}/actions", json=forbidden, headers={"Prefer": "wait=8"})
    assert refused.json()["state"] == "refused", refused.text

    async def counted() -> bool:
        found = await _value(running, "audit_completeness")
        return bool(found["value"] == "1.0000" and found["rows"] >= 2)

    await eventually(20, counted)
    violations = await _value(running, "violation_rate")
    assert violations["rows"] >= 2 and 0 < float(violations["value"]) < 1
    reliability = await _value(running, "tool_reliability")
    assert (reliability["value"], reliability["no_data"]) == ("1.0000", False)
    assert (await _value(running, "connector_health"))["value"] == "1.0000"
    assert (await _value(running, "evidence_coverage"))["value"] == "1.0000"
    assert (await _value(running, "mttr"))["no_data"] is True
