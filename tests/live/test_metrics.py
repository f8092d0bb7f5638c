"""Metrics over HTTP on real servers: values with their basis, and "no data" instead of zero."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.message import Plane
from tests.live.served import Served, days_ago, eventually, served

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
    for name, rule in metrics().items():
        found = await _value(running, name)
        rows = await running.http.get(found["rows_path"])
        assert rows.status_code == 200, rows.text
        if rule.plane is Plane.OPERATING:  # the platform's own history has begun
            continue
        assert (found["value"], found["no_data"]) == (None, True) and found["why_en"] and found["why_ar"], name
        assert rows.json() == {"items": [], "next_cursor": None}, name


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
    before = (await _value(running, "schema_adherence"))["rows"]  # the day's first draft may be among them already
    lead = (await running.http.get(f"{API}/leads")).json()["items"][0]["id"]
    run = await running.http.post(f"{API}/agents/lead_qualification/run", json={"input": {"lead": lead}})
    assert run.status_code == 200, run.text
    runs = (await running.http.get(f"{API}/conversations", params={"agent": "lead_qualification"})).json()["items"]
    adherence = await _value(running, "schema_adherence")
    assert (len(runs), adherence["value"]) == (1, "1.0000")
    assert adherence["rows"] > before


async def _add(running: Served, kind: str, **values: Any) -> str:
    made = await running.http.post(f"{API}/{kind}", json=values)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _close(running: Served, stage: str, **values: Any) -> str:
    deal = await _add(running, "deals", title="x", **values)
    moved = await running.http.post(f"{API}/deals/{deal}/move", json={"stage": stage, "reason": "agreed"})
    assert moved.status_code == 200, moved.text
    return deal


async def _rows(running: Served, name: str, **params: str) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}/metrics-catalog/{name}/rows", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_number_leads_to_its_records_page_by_page(running: Served) -> None:
    account = await _add(running, "accounts", name="Wadi")
    before = await _value(running, "revenue_actual")
    deals = {await _close(running, "won", account_id=account, amount="10") for _ in range(3)}
    abroad = await _close(running, "won", account_id=account, amount="99", currency="USD")
    after = await _value(running, "revenue_actual")
    assert (after["counted"], float(after["value"])) == (before["counted"] + 3, float(before["value"]) + 30)
    found, cursor = [], None
    while True:
        page = await running.http.get(
            f"{API}/metrics-catalog/revenue_actual/rows", params={"limit": 1, **({"cursor": cursor} if cursor else {})}
        )
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert len(found) == after["counted"] and deals <= {one["id"] for one in found}
    assert sum(float(one["figure"]) for one in found) == float(after["value"]), "the number is its rows"
    assert (await running.http.get(found[0]["path"])).json()["id"] == found[0]["id"]
    assert [one["id"] for one in await _rows(running, "revenue_actual", excluded="true")] == [abroad]
    refused = await running.http.get(f"{API}/metrics-catalog/revenue_actual/rows", params={"cursor": "made-up"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_cursor")


async def test_the_cost_of_a_customer_and_its_payback_come_from_spend_and_payments(running: Served) -> None:
    old = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    assert (await _value(running, "cac", **old))["no_data"] is True
    refused = await running.http.post(
        f"{API}/spending", json={"title": "Ads", "channel": "ads", "amount": "-5", "spent_on": days_ago(1)}
    )
    assert refused.status_code == 422
    today = days_ago(0)
    customers = {one["id"] for one in await _rows(running, "cac") if one["kind"] == "account"}
    assert customers, "customers were won before"
    assert (await _value(running, "cac"))["no_data"] is True, "without spend there is no cost, and it is not zero"
    spend = await _add(running, "spending", title="Ads", channel="ads", amount="1000", spent_on=today)
    cost = await _value(running, "cac")
    assert float(cost["value"]) == round(1000 / len(customers), 2)
    assert spend in {one["id"] for one in await _rows(running, "cac")}
    assert (await _value(running, "cac_payback"))["no_data"] is True
    account = sorted(customers)[0]
    await _add(running, "payments", account_id=account, amount="1000", paid_on=today, method="transfer")
    assert [one["id"] for one in await _rows(running, "cac_payback")] == [account]
    assert float((await _value(running, "cac_payback"))["value"]) < 1


async def test_partners_share_and_lift_follow_from_deals(running: Served) -> None:
    account = await _add(running, "accounts", name="Sahab")
    partner = await _add(running, "partners", name="Rawabi", type="sales_consultant")
    before = await _value(running, "revenue_actual")
    await _close(running, "won", account_id=account, amount="70", partner_id=partner)
    share = await _value(running, "partner_revenue_share")
    assert round(float(share["value"]), 3) == round(70 / (float(before["value"]) + 70), 3)
    assert (await _value(running, "lift"))["no_data"] is True, "nothing was left alone"
    await _close(running, "lost", account_id=account, amount="5", left_alone="yes")
    lift = await _value(running, "lift")
    assert lift["no_data"] is False and float(lift["value"]) > 0


async def test_consents_are_counted_as_trust_tells_them_and_a_withdrawal_counts_at_once(running: Served) -> None:
    given = days_ago(200)
    leads = f"company,contact,title,email,opted_in_email,opted_in_email_at\nNoor,Huda Ali,CEO,huda@noor.example,yes,{given}\nNoor,Adel Ali,CFO,adel@noor.example,,\n"
    assert (await running.imported(leads))["state"] == "completed"
    contacts = (await running.http.get(f"{API}/contacts")).json()["items"]
    huda = next(one["id"] for one in contacts if one["email"] == "huda@noor.example")
    body = {
        "contact_id": huda,
        "purpose": "marketing",
        "channel": "email",
        "method": "form",
        "captured_at": f"{given}T00:00:00Z",
        "evidence": "form 7",
        "notice_version": "1",
    }
    made = await running.http.post(f"{API}/consents", json={"items": [body]})
    assert made.status_code in (200, 201), made.text

    async def covered() -> bool:
        found = await _rows(running, "consent_coverage")
        return any(one["id"] == huda and float(one["figure"]) == 1 for one in found)

    await eventually(20, covered)
    before = await _value(running, "consent_coverage")
    assert before["rows"] >= 2 and 0 < float(before["value"]) < 1
    listed = (await running.http.get(f"{API}/consents", params={"contact_id": huda})).json()["items"]
    for one in listed:
        gone = await running.http.post(f"{API}/consents/{one['consent_id']}/withdraw", json={"reason": "asked"})
        assert gone.status_code in (200, 204), gone.text

    async def uncovered() -> bool:
        found = await _rows(running, "consent_coverage")
        return any(one["id"] == huda and float(one["figure"]) == 0 for one in found)

    await eventually(20, uncovered)


async def test_the_platform_says_how_long_it_answered_and_what_was_released(running: Served) -> None:
    async def watched() -> bool:
        return (await _value(running, "uptime"))["no_data"] is False

    await eventually(60, watched)
    uptime = await _value(running, "uptime")
    assert 0 <= float(uptime["value"]) <= 1 and uptime["rows"] >= 1
    assert float((await _value(running, "deploys"))["value"]) >= 1
    assert {one["kind"] for one in await _rows(running, "deploys")} == {"release"}


async def test_a_flow_costs_what_its_vendors_price_says_and_nothing_in_the_sandbox(running: Served) -> None:
    unknown = await running.http.put(
        f"{API}/connectors/nothing/prices", json={"sar": "0.28", "reference": "contract 4"}
    )
    assert unknown.status_code == 404
    negative = await running.http.put(
        f"{API}/connectors/whatsapp/prices", json={"sar": "-1", "reference": "contract 4"}
    )
    assert negative.status_code == 422
    stored = await running.http.put(
        f"{API}/connectors/whatsapp/prices", json={"sar": "0.28", "reference": "contract 4"}
    )
    assert stored.status_code == 200 and stored.json()["items"][0]["sar"] == "0.2800", stored.text
    started = await running.http.post(f"{API}/flows", json={"flow": "health_check", "input": {}})
    assert started.status_code in (201, 202), started.text

    async def ended() -> bool:
        return (await _value(running, "cost_per_workflow"))["no_data"] is False

    await eventually(30, ended)
    assert (await _value(running, "cost_per_workflow"))["value"] == "0.00"
