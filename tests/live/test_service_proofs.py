"""The numbers that show whether a service worked, on real servers: each from its own rows, and none without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.catalogue.services import services
from tests.live.served import Served, days_ago, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("proofs")) as made:
        yield made


async def create(running: Served, path: str, **values: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def value(running: Served, name: str) -> Any:
    answer = await running.http.get(f"{API}/metrics-catalog/{name}/value")
    assert answer.status_code == 200, answer.text
    return None if answer.json()["no_data"] else float(answer.json()["value"])


async def test_no_proof_of_any_service_has_a_value_before_something_happened(running: Served) -> None:
    listed = (await running.http.get(f"{API}/services")).json()["items"]
    assert len(listed) == len(services())
    for one in listed:
        answer = await running.http.get(one["proof"]["value_path"])
        assert answer.status_code == 200 and answer.json()["no_data"] is True, one["key"]


async def test_leads_meetings_customers_and_their_word_are_counted_from_rows(running: Served) -> None:
    now = datetime.now(UTC)
    account = await create(running, "accounts", name="Rimal")
    await create(running, "leads", account_id=account["id"], source="website_form", obtained_at=now.date().isoformat())
    other = await create(running, "accounts", name="Wadi")
    await create(running, "leads", account_id=other["id"], source="referral", obtained_at=now.date().isoformat())
    assert await value(running, "form_leads") == 1
    assert await value(running, "lead_conversion") == 0
    deal = await create(running, "deals", account_id=account["id"], title="عقد", amount="8000")
    assert await value(running, "lead_conversion") == 0.5

    await create(
        running,
        "activities",
        type="meeting",
        subject="غدًا",
        at=(now + timedelta(days=1)).isoformat(),
        account_id=account["id"],
    )
    await create(
        running,
        "activities",
        type="visit",
        direction="outbound",
        subject="اليوم",
        at=now.isoformat(),
        account_id=account["id"],
    )
    assert await value(running, "meetings_held") == 1

    quiet = await create(running, "deals", account_id=other["id"], title="دون تواصل", amount="5000")
    for one in (deal, quiet):
        assert (await running.http.post(f"{API}/deals/{one['id']}/move", json={"stage": "won"})).status_code == 200
    assert await value(running, "new_customers") == 2
    assert await value(running, "revenue_influenced") == 8000

    assert await value(running, "value_confirmed") is None
    said = await running.http.post(f"{API}/onboarding/{deal['id']}/steps/value_confirmed", json={"state": "done"})
    assert said.status_code == 200
    assert await value(running, "value_confirmed") == 1
    rows = (await running.http.get(f"{API}/metrics-catalog/value_confirmed/rows")).json()["items"]
    assert [(one["kind"], one["id"]) for one in rows] == [("deal", deal["id"])]


async def test_cards_approvals_and_refusals_are_counted_as_they_were_decided(running: Served) -> None:
    contact_of = await create(running, "accounts", name="Nakheel", name_ar="نخيل")
    contact = await create(
        running,
        "contacts",
        account_id=contact_of["id"],
        full_name="نورة",
        email="n@nakheel.example",
        phone="+966501234567",
    )
    lead = await create(
        running,
        "leads",
        account_id=contact_of["id"],
        contact_id=contact["id"],
        source="website_form",
        obtained_at=days_ago(12),
    )

    async def judged() -> bool:
        return bool(lead["id"]) and await value(running, "list_safe_ratio") is not None

    await eventually(30, judged)
    refused = await running.http.post(
        f"{API}/actions",
        json={"action_type": "send_whatsapp", "resource": {"type": "contact", "id": contact["id"]}, "reason": "بارد",
              "payload": {"to": "+966501234567", "text": "مرحبا", "contact_id": contact["id"]}},
        headers={"Prefer": "wait=5"},
    )  # fmt: skip
    assert refused.status_code in (200, 202) and refused.json()["state"] == "refused", refused.text
    assert await value(running, "cold_blocked") == 1

    ticket = await create(running, "tickets", title="تعذّر الدخول", priority="P0")
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        items = (await running.http.get(f"{API}/cards/feed", params={"role": "support"})).json()["items"]
        found[:] = [one for one in items if one["context"].get("ticket_id") == ticket["id"]]
        return bool(found)

    await eventually(40, there)
    assert await value(running, "cards_approved") in (None, 0)
    pressed = await running.http.post(
        f"{API}/cards/{found[0]['card_id']}/decision", json={"button": "take_ticket", "note": ""}
    )
    assert pressed.status_code == 200, pressed.text
    assert await value(running, "cards_approved") == 1
    assert await value(running, "executive_decisions") == 0
