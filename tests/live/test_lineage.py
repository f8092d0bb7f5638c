"""From a card back to the row and the file that it came from, and from the row forward to the proof, over real planes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.lineage import LineageNode, LineageRequest, LineageWay
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import LINEAGE
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = """company,contact,title,email,phone,city,sector,opted_in_email
Ofoq Trading,Sara Alharbi,CEO,sara@ofoq.example,0501234567,Riyadh,retail,yes
Rimal Co,Omar Said,Manager,omar@rimal.example,0507654321,Jeddah,logistics,yes
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("lineage"), *Plane) as made:
        yield made


async def _trace(running: Served, kind: str, id: str) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/lineage/{kind}/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["came_from"]["silent"] == found["caused"]["silent"] == []
    return found


async def test_a_draft_leads_back_to_its_row_and_file_and_forward_to_its_proof(running: Served) -> None:
    imported = await running.imported(LEADS, name="ofoq.csv")
    assert imported["state"] == "completed", imported
    import_id = imported["import_id"]
    ranked = await running.http.post(f"{API}/targeting/rank")
    assert ranked.status_code == 200, ranked.text
    leads = (await running.http.get(f"{API}/targeting/opportunities")).json()["items"]
    lead = next(one["lead_id"] for one in leads if one["account_name"] == "Ofoq Trading")

    async def proven() -> bool:
        counts = (await _trace(running, "lead", lead))["caused"]["counts"]
        return {"card", "draft", "action", "entry"} <= counts.keys()

    await eventually(30, proven)
    ahead = (await _trace(running, "lead", lead))["caused"]
    draft = next(step["id"] for step in ahead["steps"] if step["kind"] == "draft")

    traced = await _trace(running, "draft", draft)
    back = {step["kind"]: step for step in traced["came_from"]["steps"]}
    assert back["row"]["id"].startswith(import_id)
    assert back["file"]["en"] == "ofoq.csv" and back["lead"]["id"] == lead
    assert {"action", "decision", "entry"} <= traced["caused"]["counts"].keys()

    called = {step["kind"]: step["ar"] for step in traced["caused"]["steps"]}
    assert called["action"].startswith("إرسال بريد · ") and "_" not in called["action"]
    assert "إرسال بريد" in called["decision"]
    assert all("." not in step["ar"] for step in traced["caused"]["steps"] if step["kind"] == "entry")

    from_row = (await _trace(running, "row", back["row"]["id"]))["caused"]
    assert draft in {step["id"] for step in from_row["steps"]} and from_row["counts"]["lead"] == 1
    entry = next(step["id"] for step in traced["caused"]["steps"] if step["kind"] == "entry")
    assert {"file", "row", "lead", "action"} <= (await _trace(running, "entry", entry))["came_from"]["counts"].keys()
    other = {step["id"] for step in from_row["steps"]}
    second = next(one["lead_id"] for one in leads if one["account_name"] == "Rimal Co")
    assert second not in other


async def test_another_tenant_sees_no_step_of_it(running: Served) -> None:
    lead = (await running.http.get(f"{API}/targeting/opportunities")).json()["items"][0]["lead_id"]
    stranger = Principal(id="user:x", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("owner",))
    async with running.system.bus(Plane.GATEWAY) as bus:
        for plane, call in LINEAGE.items():
            for way in LineageWay:
                asked = LineageRequest(principal=stranger, nodes=(LineageNode(kind="lead", id=lead),), way=way)
                found = await bus.call(call, asked)
                assert (found.edges, found.titles) == ((), ()), plane


async def test_an_unknown_thing_is_404(running: Served) -> None:
    assert (await running.http.get(f"{API}/lineage/card/{new_id()}")).status_code == 404
