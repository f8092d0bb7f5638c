"""Onboarding on real servers: it begins with a won deal, moves by rows and people, survives a merge, and asks once it is stuck."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("onboarding")) as made:
        yield made


async def create(running: Served, path: str, **values: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def won(running: Served, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    account = await create(running, "accounts", name=name)
    deal = await create(running, "deals", account_id=account["id"], title="عقد", amount="9000")
    moved = await running.http.post(f"{API}/deals/{deal['id']}/move", json={"stage": "won"})
    assert moved.status_code == 200, moved.text
    return account, deal


async def shown(running: Served, deal: dict[str, Any]) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/onboarding/{deal['id']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["step"]: one["state"] for one in found["steps"]}


async def say(running: Served, deal: dict[str, Any], step: str, **body: Any) -> Any:
    return await running.http.post(f"{API}/onboarding/{deal['id']}/steps/{step}", json=body)


async def set_back(running: Served, deal: dict[str, Any], hours: int) -> None:
    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        await connection.execute(
            "update data.deals set closed_at = closed_at - make_interval(hours => $2) where deal_id = $1::uuid",
            deal["id"],
            hours,
        )
    finally:
        await connection.close()


async def test_a_won_deal_begins_it_and_what_happens_moves_it_on(running: Served) -> None:
    account = await create(running, "accounts", name="Open")
    unwon = await create(running, "deals", account_id=account["id"], title="لم تُكسب")
    assert (await running.http.get(f"{API}/onboarding/{unwon['id']}")).status_code == 404

    account, deal = await won(running, "Rimal")
    begun = await shown(running, deal)
    assert (begun["state"], begun["current"], begun["done"]) == ("active", "handover", 0)
    later = datetime.now(UTC) + timedelta(days=2)
    await create(
        running, "activities", type="meeting", subject="انطلاق", at=later.isoformat(), account_id=account["id"]
    )
    assert states(await shown(running, deal)) | {"kickoff_set": "done", "kickoff_held": "open"} == states(
        await shown(running, deal)
    )
    now = datetime.now(UTC).isoformat()
    held = await create(running, "activities", type="meeting", subject="انطلاق", at=now, deal_id=deal["id"])
    await create(
        running, "activities", type="email", direction="inbound", subject="الملفات", at=now, account_id=account["id"]
    )
    await create(
        running,
        "payments",
        account_id=account["id"],
        amount="4500",
        paid_on=(datetime.now(UTC) + timedelta(hours=3)).date().isoformat(),
    )
    found = await shown(running, deal)
    assert {key for key, state in states(found).items() if state == "done"} == {
        "kickoff_set",
        "kickoff_held",
        "inputs_received",
        "first_payment",
    }
    assert next(one for one in found["steps"] if one["step"] == "kickoff_held")["source"] == f"activity:{held['id']}"


async def test_people_say_what_no_row_shows_and_cannot_deny_what_one_does(running: Served) -> None:
    account, deal = await won(running, "Wadi")
    done = await say(running, deal, "handover", state="done", note="سُلّم الملف")
    assert done.status_code == 200 and done.json()["current"] == "kickoff_set", done.text
    assert (await say(running, deal, "handover", state="open")).json()["current"] == "handover"
    for step, body, code in (
        ("handover", {"state": "skipped"}, "note_needed"),
        ("dance", {"state": "done"}, "unknown_step"),
        ("handover", {"state": "maybe"}, "invalid_request"),
    ):
        refused = await running.http.post(
            f"{API}/onboarding/{deal['id']}/steps/{step}", json=body, headers={"Accept-Language": "ar"}
        )
        assert refused.status_code in (400, 422), refused.text
        assert code in (refused.json()["code"], "invalid_request")
        assert any("\u0621" <= letter <= "\u064a" for letter in refused.json()["detail"])
    now = datetime.now(UTC).isoformat()
    await create(running, "activities", type="visit", subject="زيارة", at=now, account_id=account["id"])
    denied = await say(running, deal, "kickoff_held", state="open")
    assert (denied.status_code, denied.json()["code"]) == (409, "shown_by_rows")
    trail = (await running.http.get(f"{API}/audit")).json()["items"]
    assert any(one["kind"] == "onboarding.step_marked" for one in trail)


async def test_a_stuck_one_is_a_card_whose_button_moves_it_on_and_which_then_goes(running: Served) -> None:
    _, deal = await won(running, "Stuck")
    await set_back(running, deal, 50)
    listed = (await running.http.get(f"{API}/onboarding", params={"state": "stuck"})).json()
    assert [one["onboarding_id"] for one in listed["items"]] == [deal["id"]] and listed["counts"]["stuck"] == 1
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        answer = await running.http.get(f"{API}/cards/feed", params={"role": "service_delivery"})
        found[:] = [one for one in answer.json()["items"] if one["context"]["event"] == "onboarding_stuck"]
        return bool(found)

    await eventually(40, there)
    card = found[0]
    assert card["context"]["deal_id"] == deal["id"] and card["context"]["step"] == "handover"
    pressed = await running.http.post(
        f"{API}/cards/{card['card_id']}/decision", json={"button": "onboarding_done", "note": "سُلّم"}
    )
    assert pressed.status_code == 200, pressed.text
    after = await shown(running, deal)
    assert (after["state"], after["current"]) == ("active", "kickoff_set")


async def test_it_survives_a_merge_of_its_account_and_pages_go_on(running: Served) -> None:
    account, deal = await won(running, "Mada One")
    await say(running, deal, "handover", state="done")
    other = await create(running, "accounts", name="Mada Two")
    merged = await running.http.post(f"{API}/accounts/{other['id']}/merge", json={"gone_id": account["id"]})
    assert merged.status_code in (200, 201), merged.text
    assert (await shown(running, deal))["account_id"] == other["id"] and (await shown(running, deal))["done"] == 1
    first = (await running.http.get(f"{API}/onboarding", params={"limit": 1})).json()
    second = (await running.http.get(f"{API}/onboarding", params={"limit": 200, "cursor": first["next_cursor"]})).json()
    seen = [one["onboarding_id"] for one in (*first["items"], *second["items"])]
    assert len(seen) == len(set(seen)) == sum(first["counts"].values()) and seen == sorted(seen, reverse=True)


async def test_customers_won_long_ago_are_not_asked_about(running: Served) -> None:
    _, deal = await won(running, "Old")
    await set_back(running, deal, 24 * 130)
    assert (await running.http.get(f"{API}/onboarding/{deal['id']}")).status_code == 404
