"""Agents over real HTTP: what they answer fits its schema, says where it came from, is on record, and waits for a person where it must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = "company,contact,email,phone,sector,notes\nشركة الواحة,سارة القحطاني,sara@waha.example,+966500000001,retail,طلب عرض سعر\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("agents")) as made:
        await made.imported(LEADS, source="website_form")
        yield made


async def run(running: Served, agent: str, **given: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/agents/{agent}/run", json={"input": given})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def items(running: Served, path: str, **where: str) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}{path}", params=where)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_lead_is_qualified_and_written_to_and_both_are_on_record(running: Served) -> None:
    async def ranked() -> bool:
        return bool(await items(running, "/targeting/opportunities"))

    await eventually(60, ranked)
    (lead,) = await items(running, "/targeting/opportunities")
    card = await run(running, "lead_qualification", lead=lead["lead_id"])
    assert card["output"]["score"] == lead["score"] and card["output"]["tier"] == lead["tier"]
    assert card["provenance"]["model_id"] == "engine=rules" and 0 < card["provenance"]["confidence"] < 1
    assert card["provenance"]["sources"] and card["provenance"]["trace_id"]

    written = await run(running, "outreach_writer", lead=lead["lead_id"])
    (draft,) = await items(running, "/drafts")
    assert written["output"]["draft_id"] == draft["draft_id"] and written["output"]["draft"] == draft["body"]

    kept = await items(running, "/conversations", agent="lead_qualification")
    assert [(one["conversation_id"], one["via"]) for one in kept] == [(card["conversation_id"], "run")]
    assert (
        kept[0]["asked_by"].startswith(("user:", "key:"))
        and kept[0]["cost_sar"] == "0.00"
        and kept[0]["latency_ms"] > 0
    )
    assert kept[0]["output_schema"] == "LeadQualification" and ":" in kept[0]["input_digest"]
    drafted = await items(running, "/conversations", agent="outreach_writer")
    assert {one["asked_by"] for one in drafted} == {"plane:decision"}, "the day's plan wrote it before anybody asked"
    assert lead["lead_id"] not in str(drafted) and "sara" not in str(drafted)


async def test_an_objection_is_answered_from_the_playbook_and_one_on_a_large_deal_goes_to_a_person(
    running: Served,
) -> None:
    small = await run(running, "objection_handler", messages=["السعر غالي علينا"])
    assert small["output"]["objection"] == "price" and small["output"]["reply"] and small["output"]["next_step"]["ar"]
    large = await run(running, "objection_handler", messages=["السعر غالي علينا"], deal={"value_sar": 150000})
    assert (large["escalation"]["code"], large["to"]) == ("large_price_objection", "sales_manager")
    kept = await items(running, "/conversations", agent="objection_handler", verdict="handed_over")
    assert kept[0]["code"] == "large_price_objection"
    desk = await running.http.post(f"{API}/negotiation/classify", json={"text": "السعر غالي علينا"})
    assert desk.json()["objection"] == "price"
    kept = await items(running, "/conversations", agent="objection_handler")
    assert kept[0]["via"] == "desk"


async def test_a_month_is_summed_up_from_the_dictionary_and_an_approval_in_two_lines(running: Served) -> None:
    empty = await run(running, "management_summary", period="2020-01")
    assert empty["escalation"]["code"] in ("nothing_known", "unsure")
    waiting: list[dict[str, Any]] = []

    async def parked() -> bool:
        waiting[:] = await items(running, "/approvals", state="pending")
        return bool(waiting)

    await eventually(60, parked)
    brief = await run(running, "approval_briefer", approval=waiting[0]["approval_id"])
    assert brief["output"]["brief"]["ar"].count("\n") == 1 and "لا يمكن التراجع" in brief["output"]["brief"]["ar"]
    alerts = await run(running, "risk_sentinel", signals={})
    assert alerts["output"]["critical"] is False and "tickets" in alerts["output"]["looked_at"]


async def test_claims_are_compared_and_knowledge_that_is_not_there_is_not_made_up(running: Served) -> None:
    claims = [{"subject": "deal:1", "key": "discount_percent", "value": value} for value in ("5", "10")]
    found = await run(running, "contradiction_scout", claims=claims)
    assert len(found["output"]["suggestions"]) == 1 and found["escalation"]["code"] == "severe"
    nothing = await run(running, "knowledge_retrieval", query="ما سياسة الاسترجاع؟")
    assert (nothing["output"], nothing["escalation"]["code"]) == ({}, "nothing_known")


@pytest.mark.parametrize(
    ("agent", "given", "status", "code"),
    [
        ("voice_call", {"transcript": "x"}, 409, "no_engine"),
        ("nobody", {}, 404, "not_found"),
        ("qa_reviewer", {"text": "x"}, 422, "bad_agent_input"),
        ("qa_reviewer", {"content": {}}, 422, "not_asked"),
        ("approval_briefer", {"approval": "01930000-0000-7000-8000-000000000001"}, 404, "not_found"),
        ("management_summary", {"period": "2026"}, 422, "not_asked"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_both_languages(
    running: Served, agent: str, given: dict[str, Any], status: int, code: str
) -> None:
    path = f"{API}/agents/{agent}/run"
    answer = await running.http.post(path, json={"input": given}, headers={"Accept-Language": "ar"})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert any("\u0600" <= letter <= "\u06ff" for letter in answer.json()["detail"])


async def test_the_list_says_what_answers_and_how_well(running: Served) -> None:
    found = {one["agent"]["id"]: one for one in await items(running, "/agents")}
    writer, nobody = found["outreach_writer"], found["voice_call"]
    assert (writer["version"], writer["beside"]) == ("outreach-2", ["outreach-3"])
    assert writer["evaluation"]["adherence"] == 1.0
    assert (nobody["version"], nobody["beside"], nobody["evaluation"]) == ("", [], None)


async def test_the_record_can_be_paged_filtered_and_read_only_by_who_may(running: Served) -> None:
    first = (await running.http.get(f"{API}/conversations", params={"limit": "2"})).json()
    assert len(first["items"]) == 2 and first["next_cursor"]
    more = (
        await running.http.get(f"{API}/conversations", params={"limit": "2", "cursor": first["next_cursor"]})
    ).json()
    assert more["items"][0]["conversation_id"] < first["items"][1]["conversation_id"]
    for bad in ({"verdict": "perhaps"}, {"agent": "A B"}, {"cursor": "x"}):
        assert (await running.http.get(f"{API}/conversations", params=bad)).status_code in (400, 422)
    async with httpx.AsyncClient(base_url=running.http.base_url) as stranger:
        assert (await stranger.get(f"{API}/conversations")).status_code == 401
