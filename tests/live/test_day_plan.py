"""The day's plan on real servers: whom it leaves out, that it moves on from day to day, and that its cards say what the ranking says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = 24
HEADER = "الشركة,الاسم,البريد,المسمى,الموظفون,ملاحظات\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.EXECUTION, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("plan"), *planes) as made:
        rows = "\n".join(
            f"مصنع الواحة {n},سارة العمري,sara@waha{n}.example,مدير عام,{40 + n},طلبت عرض سعر" for n in range(LEADS)
        )
        await made.imported(HEADER + rows, source="website_form")
        await eventually(60, lambda: _drafted(made))
        yield made


async def plan(running: Served) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/growth/daily-plan")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _drafted(running: Served) -> bool:
    now = await plan(running)
    return len(now["prospects"]) == 20 and sum(bool(one["draft_id"]) for one in now["prospects"]) == 3


async def rank(running: Served) -> None:
    answer = await running.http.post(f"{API}/targeting/rank")
    assert answer.status_code == 200, answer.text


async def press(running: Served, card: str, button: str) -> Any:
    return await running.http.post(f"{API}/cards/{card}/decision", json={"button": button})


async def cards(running: Served, role: str, event: str) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}/cards/feed", params={"role": role})
    return [one for one in answer.json()["items"] if one["context"]["event"] == event]


async def change(running: Served, statement: str, *values: Any) -> Any:
    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def test_whom_a_person_skips_leaves_the_plan_and_approving_it_does_not_write_to_them(running: Served) -> None:
    before = await plan(running)
    planned = [one for one in before["prospects"] if one["drafted"]]
    assert len(planned) == 10 and before["plan_open"] and len(await cards(running, "growth_manager", "daily_plan")) == 1
    skipped = next(one for one in planned if one["draft_id"] is None)
    assert (await press(running, skipped["skip_card"], "skip")).status_code == 200
    still = await change(
        running, "select 1 from decision.cards where status = 'open' and document->'context'->>'lead_id' = $1", skipped["lead_id"]
    )  # fmt: skip
    assert still == [], "another role is still asked to write to whom somebody skipped"
    without = await plan(running)
    assert skipped["lead_id"] not in [one["lead_id"] for one in without["prospects"]] and without["set_aside"] == 1

    approved = await press(running, before["plan_card"], "prepare_drafts")
    assert approved.status_code == 200 and approved.json()["result"] == "drafts:6", approved.text
    after = await plan(running)
    assert not after["plan_open"] and after["decided_button"] == "prepare_drafts" and after["decided_by"]
    written = {one["lead_id"] for one in after["prospects"] if one["draft_id"]}
    assert written == {one["lead_id"] for one in planned} - {skipped["lead_id"]}
    assert await cards(running, "growth_manager", "daily_plan") == [], "what one role approved is asked of another"
    await rank(running)
    proposed = await change(
        running,
        "select document->'context'->>'lead_id' as lead from decision.cards where status = 'open' and type = 'opportunity'",
    )
    assert not {row["lead"] for row in proposed} & (written | {skipped["lead_id"]})


async def test_the_next_days_plan_has_others_than_those_written_to_before(running: Served) -> None:
    written = {one["lead_id"] for one in (await plan(running))["prospects"] if one["draft_id"]}
    assert written
    await change(running, "update decision.drafts set created_at = created_at - interval '1 day'")
    await change(running, "delete from decision.cards where type = 'daily_decision'")
    await rank(running)
    now = await plan(running)
    named = {one["lead_id"] for one in now["prospects"]}
    assert not named & written and now["plan_open"]
    (card,) = await cards(running, "ceo", "daily_plan")
    assert not set(card["context"]["leads"]) & written and len(card["context"]["leads"]) == 10
    assert {one["lead_id"] for one in now["prospects"] if one["drafted"]} == set(card["context"]["leads"])


async def test_a_card_that_ran_out_makes_room_for_a_new_one_about_the_same_lead(running: Served) -> None:
    rows = await change(
        running, "update decision.cards set card_id = gen_random_uuid(), expires_at = now() - interval '1 minute' where status = 'open' "
        "and type = 'opportunity' returning role, dedupe_key",
    )  # fmt: skip
    assert rows
    await rank(running)
    open_again = await change(
        running,
        "select role, dedupe_key from decision.cards where status = 'open' and type = 'opportunity' and expires_at > now()",
    )
    assert {(row["role"], row["dedupe_key"]) for row in rows} <= {
        (row["role"], row["dedupe_key"]) for row in open_again
    }


async def test_a_card_goes_once_nobody_may_write_to_its_lead(running: Served) -> None:
    (row,) = await change(
        running, "select document->'context'->>'lead_id' as lead from decision.cards where status = 'open' and type = 'opportunity' "
        "and role = 'sales_manager' and expires_at > now() order by priority desc limit 1",
    )  # fmt: skip
    lead = (await running.http.get(f"{API}/leads/{row['lead']}")).json()
    stopped = await running.http.patch(f"{API}/leads/{lead['id']}", json={"notes": "طلبوا عدم التواصل معهم"})
    assert stopped.status_code == 200, stopped.text

    async def gone() -> bool:
        left = await change(
            running, "select 1 from decision.cards where status = 'open' and document->'context'->>'lead_id' = $1", row["lead"]
        )  # fmt: skip
        return left == []

    await eventually(30, gone)
