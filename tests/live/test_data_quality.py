"""Checks of data quality over real rows: what is wrong is counted and named, and nothing to look at is no pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.catalogue.quality import quality_checks
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.quality import QualityRequest
from libs.contracts.subjects import DATA_QUALITY
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("quality"), *planes) as made:
        yield made


async def _standing(running: Served, *, now: bool = True) -> dict[str, dict[str, Any]]:
    path = f"{API}/data-quality"
    answer = await (running.http.post(f"{path}/run") if now else running.http.get(path))
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["items"]}


async def test_without_rows_no_check_passes(running: Served) -> None:
    found = await _standing(running)
    assert list(found) == list(quality_checks())
    assert {one["state"] for one in found.values()} == {"no_data"}


async def test_what_is_wrong_is_counted_and_named_and_the_trend_is_kept(running: Served) -> None:
    account = (await running.http.post(f"{API}/accounts", json={"name": "Rimal"})).json()["id"]
    for title, amount in (("a", "10"), ("b", None)):
        deal = {"title": title, "account_id": account, "amount": amount}
        made = await running.http.post(f"{API}/deals", json={k: v for k, v in deal.items() if v is not None})
        assert made.status_code == 201, made.text
    found = await _standing(running)
    valued = found["open_deal_valued"]
    assert (valued["state"], valued["latest"]["rows"], valued["latest"]["failed"]) == ("below", 2, 1)
    assert len(valued["sample"]) == 1 and valued["latest"]["share"] == 0.5
    assert found["deal_joined"]["state"] == "ok" and found["account_placed"]["state"] == "below"

    headers = {"If-Match": '"1"'}
    mended = await running.http.patch(f"{API}/deals/{valued['sample'][0]}", json={"amount": "20"}, headers=headers)
    assert mended.status_code == 200, mended.text
    after = (await _standing(running))["open_deal_valued"]
    assert after["state"] == "ok" and after["trend"][0]["share"] == 0.5
    kept = (await _standing(running, now=False))["open_deal_valued"]
    assert kept["latest"]["at"] == after["latest"]["at"]


async def test_a_source_that_may_not_be_used_and_an_unknown_one_are_seen(running: Served) -> None:
    leads = "company,contact,email,source\nOfoq,Sara Ali,sara@ofoq.example,purchased\nNajm,Omar Ali,omar@najm.example,somewhere\n"
    assert (await running.imported(leads))["state"] == "completed"
    found = await _standing(running)
    assert found["source_known"]["latest"]["rows"] == 2
    assert found["source_permitted"]["latest"]["failed"] + found["source_known"]["latest"]["failed"] >= 1
    assert found["email_valid"]["state"] == "ok" and found["lead_joined"]["state"] == "ok"


async def test_every_tenant_is_looked_at_without_being_asked_and_sees_its_own_rows_alone(running: Served) -> None:
    stranger = Principal(id="user:x", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("owner",))
    async with running.system.bus(Plane.GATEWAY) as bus:
        found = await bus.call(DATA_QUALITY, QualityRequest(principal=stranger, now=True))
        assert found.counts == {"no_data": len(quality_checks())}
    database = running.system.runtime(Plane.DATA).database

    async def looked() -> bool:
        async with database.batch() as work:
            return bool(await work.connection.fetchval("select count(*) from data.quality_turns where due_at > now()"))

    await eventually(30, looked)


async def _risks(running: Served) -> list[dict[str, Any]]:
    feed = (await running.http.get(f"{API}/cards/feed", params={"role": "support"})).json()["items"]
    return [one for one in feed if one["context"].get("event") == "data_quality_failed"]


async def test_a_check_that_fails_is_one_card_until_it_holds_again_and_operating_hears_of_it(running: Served) -> None:
    account = (await running.http.post(f"{API}/accounts", json={"name": "Sahab"})).json()["id"]
    past = {"title": "late", "account_id": account, "amount": "10", "expected_close": "2020-01-01"}
    deal = (await running.http.post(f"{API}/deals", json=past)).json()["id"]
    assert (await _standing(running))["deal_dated"]["state"] == "below"

    async def named() -> list[dict[str, Any]]:
        return [one for one in await _risks(running) if one["context"]["check"] == "deal_dated"]

    async def one_card() -> bool:
        return len(await named()) == 1

    await eventually(20, one_card)
    await _standing(running)  # the same trouble, seen again
    board = f"{API}/data-quality/board"

    async def heard() -> bool:
        found = (await running.http.get(board)).json()
        state = {one["name"]: one["state"] for one in found["checks"]}
        return bool(found["status"] == "below" and state["deal_dated"] == "below" and found["looked_at"])

    await eventually(20, heard)
    (card,) = await named()
    assert card["title_ar"] and card["title_en"].startswith("Data needs mending") and len(card["buttons"]) <= 3
    kept = await running.http.post(f"{API}/cards/{card['card_id']}/decision", json={"button": "keep"})
    assert kept.status_code == 200, kept.text
    await _standing(running)
    looked = (await _standing(running, now=False))["deal_dated"]["latest"]["at"]

    async def up_to_date() -> bool:
        return bool((await running.http.get(board)).json()["looked_at"] == looked)

    await eventually(20, up_to_date)
    assert await named() == [], "what a person closed stays closed while the same trouble lasts"

    async def closes(version: int, day: str) -> str:
        """Change the day on top of a version, and how the check stands then."""
        headers = {"If-Match": f'"{version}"'}
        changed = await running.http.patch(f"{API}/deals/{deal}", json={"expected_close": day}, headers=headers)
        assert changed.status_code == 200, changed.text
        return str((await _standing(running))["deal_dated"]["state"])

    assert await closes(1, "2099-01-01") == "ok"
    assert await closes(2, "2020-01-01") == "below"
    await eventually(20, one_card)
    assert await closes(3, "2099-01-01") == "ok"

    async def gone() -> bool:
        return not await named()

    await eventually(20, gone)
