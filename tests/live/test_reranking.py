"""Ranking as records change, on real servers: what changed is ranked among all, and nothing else is ranked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from services.decision import ranking
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
HEADER = "company,name,title,mobile,email,city,sector,employees,estimated_value,notes\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.EXECUTION, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("reranking"), *planes) as made:
        await made.imported(HEADER + "\n".join(_row(n) for n in range(40)))
        await eventually(30, lambda: _ranked(made, 40))
        yield made


def _row(n: int, note: str = "") -> str:
    name, mobile, value = f"شركة الميدان {n} للتجارة", f"0554{n:06d}", 1000 * (n + 1)
    return f"{name},سالم {n},مدير المشتريات,{mobile},salem{n}@midan{n}.example,الرياض,تقنية,{20 + n},{value},{note}"


async def _opportunities(running: Served) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}/targeting/opportunities", params={"limit": 100})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _ranked(running: Served, count: int) -> bool:
    return len(await _opportunities(running)) == count


def _when(items: list[dict[str, Any]]) -> dict[str, str]:
    return {one["lead_id"]: one["provenance"]["generated_at"] for one in items}


async def _as_all_would_be(running: Served) -> None:
    """The order is the one that ranking all of them gives."""
    here = [(one["lead_id"], one["score"]) for one in await _opportunities(running)]
    assert (await running.http.post(f"{API}/targeting/rank")).status_code == 200
    assert here == [(one["lead_id"], one["score"]) for one in await _opportunities(running)]


async def test_a_changed_lead_takes_its_new_place_and_the_others_are_not_ranked_again(running: Served) -> None:
    before = await _opportunities(running)
    last = before[-1]["lead_id"]
    notes = "طلب عرض سعر قبل نهاية الشهر"
    answer = await running.http.patch(f"{API}/leads/{last}", json={"notes": notes})
    assert answer.status_code == 200, answer.text

    async def higher() -> bool:
        return bool((await _opportunities(running))[-1]["lead_id"] != last)

    await eventually(30, higher)
    after = await _opportunities(running)
    was, now = _when(before), _when(after)
    assert {lead for lead in was if was[lead] != now[lead]} == {last}
    await _as_all_would_be(running)


async def test_reasons_found_page_by_page_leave_everybody_at_their_place(
    running: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [(one["lead_id"], one["score"]) for one in await _opportunities(running)]
    monkeypatch.setattr(ranking, "PAGE", 7)
    assert (await running.http.post(f"{API}/targeting/rank")).status_code == 200
    assert [(one["lead_id"], one["score"]) for one in await _opportunities(running)] == before


async def test_a_changed_account_ranks_its_leads_and_no_others(running: Served) -> None:
    before = await _opportunities(running)
    one = before[10]
    answer = await running.http.patch(f"{API}/accounts/{one['account_id']}", json={"employees": 4000})
    assert answer.status_code == 200, answer.text

    async def ranked() -> bool:
        return bool(_when(await _opportunities(running))[one["lead_id"]] != one["provenance"]["generated_at"])

    await eventually(30, ranked)
    was, now = _when(before), _when(await _opportunities(running))
    assert {lead for lead in was if was[lead] != now[lead]} == {one["lead_id"]}
    await _as_all_would_be(running)


async def test_a_few_new_leads_join_the_order_and_what_goes_leaves_it(running: Served) -> None:
    before = await _opportunities(running)
    done = await running.imported(HEADER + _row(100, "نحتاج عرض سعر هذا الأسبوع"))
    await eventually(30, lambda: _ranked(running, 41))
    was, now = _when(before), _when(await _opportunities(running))
    assert {lead: now[lead] for lead in was} == was
    answer = await running.http.post(f"{API}/targeting/imports/{done['import_id']}/undo")
    assert answer.status_code == 200, answer.text
    await eventually(30, lambda: _ranked(running, 40))
    assert _when(await _opportunities(running)) == was
