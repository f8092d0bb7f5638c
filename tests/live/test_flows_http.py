"""Flows over HTTP on real servers: agents that answer and hand over, approvals, signals, rolling back, and many that sleep."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, Principal, PrincipalKind
from libs.contracts.subjects import APPROVE
from libs.contracts.trust import ApproveRequest
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FLOWS = "/api/v1/flows"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("flows-http")) as made:
        yield made


async def start(running: Served, flow: str, **given: Any) -> str:
    answer = await running.http.post(FLOWS, json={"flow": flow, "input": given})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["flow_id"])


async def get(running: Served, flow_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await running.http.get(f"{FLOWS}/{flow_id}")).json()
    return found


async def reaches(running: Served, flow_id: str, **wanted: Any) -> dict[str, Any]:
    """The flow once these fields hold; `waits_for` is the signal of its first wait."""
    found: dict[str, Any] = {}

    async def holds() -> bool:
        nonlocal found
        found = await get(running, flow_id)
        seen = {**found, "waits_for": found["waits"][0]["signal"] if found["waits"] else None}
        return all(seen[name] == value for name, value in wanted.items())

    try:
        await eventually(30, holds)
    except TimeoutError:
        pytest.fail(f"{wanted} never held: {found}")
    return found


async def signal(running: Served, flow_id: str, name: str, key: str | None = None, **payload: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await running.http.post(f"{FLOWS}/{flow_id}/signal/{name}", json={"payload": payload}, headers=headers)


async def test_a_flow_goes_through_trust_and_a_local_agent_answers(running: Served) -> None:
    health = await start(running, "health_check")
    scan = await start(running, "compliance_scan", content_id="c-1", body="السلام عليكم، نضمن لكم مضاعفة المبيعات.")
    await reaches(running, health, status="completed")
    found = await get(running, scan)
    await eventually(20, lambda: _standing(running, scan))
    found = await get(running, scan)
    if found["status"] == "running":  # a violation or a doubt goes to a person, with what the agent found
        assert found["waits"][0]["signal"] == "read.answered"
        assert (await signal(running, scan, "read.answered", output={"status": "violation"})).status_code == 200
    await reaches(running, scan, status="completed")
    history = (await running.http.get(f"{FLOWS}/{health}/revisions")).json()["items"]
    assert [one["seq"] for one in history] == list(range(1, len(history) + 1))


async def _standing(running: Served, flow_id: str) -> bool:
    found = await get(running, flow_id)
    return found["status"] == "completed" or any(wait["kind"] == "person" for wait in found["waits"])


async def test_an_agent_without_an_engine_becomes_a_task_and_the_answer_counts_once(running: Served) -> None:
    flow_id = await start(running, "knowledge_retrieval", query="ما سعر الباقة؟")
    found = await reaches(running, flow_id, waits_for="retrieve.answered")
    task_id = found["waits"][0]["ref"]

    async def task_is_there() -> bool:
        return (await running.http.get(f"/api/v1/tasks/{task_id}")).status_code == 200

    await eventually(20, task_is_there)
    for _ in range(2):
        answer = await signal(
            running, flow_id, "retrieve.answered", key="one-answer", output={"passages": ["499 ريال"]}
        )
        assert answer.status_code == 200, answer.text
    done = await reaches(running, flow_id, status="completed")
    assert done["state"]["answer"] == {"passages": ["499 ريال"]}
    late = await signal(running, flow_id, "retrieve.answered", output={})
    assert (late.status_code, late.json()["code"]) == (409, "flow_ended")


async def test_many_start_at_once_and_each_is_answered_by_itself(running: Served) -> None:
    wanted = [{"flow": "expansion_launch", "input": {"market": f"سوق {n}"}} for n in range(150)]
    wanted[3] = {"flow": "no_such_flow", "input": {}}
    wanted[5] = {"flow": "expansion_launch", "input": {"market": ["not", "text"]}}
    headers = {"Idempotency-Key": "many-flows"}
    answer = await running.http.post(FLOWS, json={"items": wanted}, headers=headers)
    assert answer.status_code == 202, answer.text
    items = answer.json()["items"]
    refused = {at: one["error"]["code"] for at, one in enumerate(items) if one["error"]}
    assert refused == {3: "unknown_flow", 5: "invalid_payload"}
    assert items[3]["error"]["ar"] == "لا يوجد مسار باسم no_such_flow."
    again = await running.http.post(FLOWS, json={"items": wanted}, headers=headers)
    assert again.json()["items"] == items
    last = await reaches(running, items[-1]["flow_id"], waits_for="readiness.confirmed")
    assert last["state"]["market"] == "سوق 149"
    assert (await running.http.get(f"{FLOWS}/{items[3]['flow_id']}")).status_code == 404
    none = await running.http.post(FLOWS, json={"items": []})
    assert none.status_code == 422


async def test_a_market_is_closed_again_through_approvals(running: Served) -> None:
    """The canary needs an approver; what it did is undone by an action that needs one too."""
    flow_id = await start(running, "expansion_launch", market="جدة")
    await reaches(running, flow_id, waits_for="readiness.confirmed")
    assert (await signal(running, flow_id, "readiness.confirmed", approved=True)).status_code == 200
    await eventually(20, lambda: _parked(running, flow_id))
    rolled = await running.http.post(f"{FLOWS}/{flow_id}/rollback", json={})
    assert rolled.status_code == 200, rolled.text
    done = await reaches(running, flow_id, status="rolled_back")
    assert [one["state"] for one in done["compensations"]] == ["not_needed"]
    again = await running.http.post(f"{FLOWS}/{flow_id}/resume", json={}, headers={"Accept-Language": "ar"})
    assert (again.status_code, again.json()["code"]) == (409, "not_in_this_state")
    assert "المسار" in again.json()["detail"]


async def _parked(running: Served, flow_id: str) -> bool:
    found = await get(running, flow_id)
    refs = [wait["ref"] for wait in found["waits"] if wait["kind"] == "action"]
    if not refs:
        return False
    return bool((await running.http.get(f"/api/v1/actions/{refs[0]}")).json()["state"] == "awaiting_approval")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"flow": "no_such_flow", "input": {}}, 404, "unknown_flow"),
        ("", {"flow": "lead_scoring", "input": {"colour": "red"}}, 422, "invalid_payload"),
        ("/{id}/signal/shouted", {"payload": {}}, 422, "unknown_signal"),
        ("/{id}/signal/readiness.confirmed", {"payload": {"approved": "x"}}, 422, "invalid_payload"),
        ("/{id}/fork", {"step": "canary"}, 409, "step_never_ran"),
        ("/{id}/skip", {"step": "canary"}, 409, "step_not_here"),
        ("/{id}/migrate", {}, 409, "no_migration"),
    ],
)
async def test_what_cannot_be_done_is_said_with_a_code_in_both_languages(
    running: Served, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    flow_id = await start(running, "expansion_launch", market="الدمام")
    await reaches(running, flow_id, waits_for="readiness.confirmed")
    texts = set()
    for lang in ("ar", "en"):
        answer = await running.http.post(
            f"{FLOWS}{path.format(id=flow_id)}", json=body, headers={"Accept-Language": lang}
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        texts.add(answer.json()["detail"])
    assert len(texts) == 2


async def test_over_a_thousand_flows_sleep_and_each_still_hears_its_signal(running: Served) -> None:
    gate = asyncio.Semaphore(16)

    async def one(number: int) -> str:
        async with gate:
            return await start(running, "expansion_launch", market=f"سوق {number}")

    ids = await asyncio.gather(*(one(number) for number in range(1100)))
    await reaches(running, ids[-1], waits_for="readiness.confirmed")
    backend = running.system.runtime(Plane.EXECUTION).gauges["dealix_flows_live"]
    assert await backend() >= 1100
    for flow_id in (ids[0], ids[550], ids[-1]):
        assert (await signal(running, flow_id, "readiness.confirmed", approved=False)).status_code == 200
    for flow_id in (ids[0], ids[550], ids[-1]):
        await reaches(running, flow_id, status="rolled_back")


async def test_a_sequence_is_started_listed_and_stopped(running: Served) -> None:
    account = (await running.http.post("/api/v1/accounts", json={"name": "شركة الرمال"})).json()
    contact = (
        await running.http.post(
            "/api/v1/contacts", json={"account_id": account["id"], "email": "noura@customer.example"}
        )
    ).json()
    message = {
        "channel": "email",
        "payload": {"to": "noura@customer.example", "subject": "س", "body": "ن"},
        "after_business_hours": 8,
    }
    answer = await running.http.post("/api/v1/sequences", json={"contact_id": contact["id"], "messages": [message]})
    assert answer.status_code == 202, answer.text
    flow_id = answer.json()["flow_id"]
    listed = (await running.http.get("/api/v1/sequences")).json()["items"]
    assert flow_id in {one["flow_id"] for one in listed}
    found = await get(running, flow_id)
    if found["status"] == "running":
        stopped = await running.http.post(
            f"/api/v1/sequences/{flow_id}/stop", json={"why": "replied", "note": "اتصلوا"}
        )
        assert stopped.status_code == 200, stopped.text


async def test_one_approval_stands_for_a_whole_sequence(running: Served) -> None:
    account = (await running.http.post("/api/v1/accounts", json={"name": "شركة الواحة"})).json()
    contact = (
        await running.http.post(
            "/api/v1/contacts", json={"account_id": account["id"], "email": "huda@customer.example"}
        )
    ).json()
    payload = {
        "to": "huda@customer.example", "body": "السلام عليكم، معكم شركة أفق. لإيقاف الرسائل: رد بكلمة إيقاف.",
        "from_name": "شركة أفق", "from_email": "sales@ofoq.example",
    }  # fmt: skip
    messages = [{"channel": "email", "payload": {**payload, "subject": f"رسالة {n}"}} for n in (1, 2)]
    answer = await running.http.post(
        "/api/v1/sequences", json={"contact_id": contact["id"], "messages": messages, "approval": "whole"}
    )
    assert answer.status_code == 202, answer.text
    flow_id = str(answer.json()["flow_id"])
    found = await waits_at(running, flow_id, "approve")
    action = await parked(running, found["waits"][0]["ref"])
    approval = (await running.http.get(f"/api/v1/approvals/{action['approval_id']}")).json()
    assert {"1. الموضوع", "2. الموضوع"} <= {one["label_ar"] for one in approval["view"]["fields"]}
    refused = await running.http.post(
        "/api/v1/sequences", json={"contact_id": contact["id"], "messages": messages, "approval": "none"}
    )
    assert refused.status_code == 422, refused.text
    vote = {"payload_hash": approval["payload_hash"], "view_hash": approval["view_hash"], "note": ""}
    of = UUID(str((await running.http.get("/api/v1/me")).json()["tenant_id"]))
    who = Principal(id="user:900", kind=PrincipalKind.USER, tenant_id=of, roles=("approver",))
    async with running.system.bus(Plane.GATEWAY) as bus:
        await bus.call(APPROVE, ApproveRequest(principal=who, approval_id=UUID(approval["approval_id"]), **vote))
    await waits_at(running, flow_id, "pause", "send", "again")


async def test_a_message_from_the_contacts_own_number_ends_the_sequence(running: Served) -> None:
    flow_id, _ = await sequence(running, "+966501112233")
    made = await running.http.post(
        "/api/v1/webhook-bindings",
        json={"connector": "whatsapp", "account": "1055512345", "secret": "an-app-secret-of-the-vendor"},
    )
    assert made.status_code == 201, made.text
    written = int(time.time()) - 3600
    one = {
        "from": "966501112233", "id": "wamid.1", "timestamp": str(written), "type": "text", "text": {"body": "مهتم، متى نلتقي؟"},
    }  # fmt: skip
    value = {"metadata": {"phone_number_id": "1055512345"}, "messages": [one]}
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    signature = "sha256=" + hmac.new(b"an-app-secret-of-the-vendor", body, hashlib.sha256).hexdigest()
    for _ in range(2):  # a vendor may deliver again
        answer = await running.http.post(made.json()["path"], content=body, headers={"X-Hub-Signature-256": signature})
        assert [taken["outcome"] for taken in answer.json()["taken"]] == ["received"], answer.text
    found = await reaches(running, flow_id, status="completed", outcome="replied")
    timeline = (await running.http.get(f"/api/v1/contacts/{found['state']['contact_id']}/timeline")).json()["items"]
    (kept,) = [one for one in timeline if one["what"] == "whatsapp"]
    activities = (await running.http.get("/api/v1/activities")).json()["items"]
    (activity,) = [one for one in activities if one["type"] == "whatsapp"]
    assert datetime.fromisoformat(kept["at"]).timestamp() == written == (UUID(activity["id"]).int >> 80) / 1000


async def test_another_stage_of_the_deal_ends_the_sequence(running: Served) -> None:
    flow_id, deal_id = await sequence(running, "+966501112244")
    moved = await running.http.post(f"/api/v1/deals/{deal_id}/move", json={"stage": "open"})
    assert moved.status_code == 200, moved.text
    await reaches(running, flow_id, status="completed", outcome="stage_changed")


async def sequence(running: Served, phone: str) -> tuple[str, str]:
    """A sequence to a contact with a number, about a deal of its own: their ids."""
    made = {"name": f"شركة {phone}"}
    account = (await running.http.post("/api/v1/accounts", json=made)).json()["id"]
    contact = (
        await running.http.post(
            "/api/v1/contacts", json={"account_id": account, "phone": phone, "email": f"a{phone[1:]}@customer.example"}
        )
    ).json()
    deal = (
        await running.http.post(
            "/api/v1/deals", json={"account_id": account, "contact_id": contact["id"], "title": "عقد"}
        )
    ).json()
    payload = {
        "to": contact["email"],
        "subject": "س",
        "body": "السلام عليكم، معكم شركة أفق. لإيقاف الرسائل: رد بكلمة إيقاف.",
        "from_name": "شركة أفق",
    }
    messages = [{"channel": "email", "payload": payload}]
    given = {"contact_id": contact["id"], "deal_id": deal["id"], "messages": messages, "approval": "whole"}
    answer = await running.http.post("/api/v1/sequences", json=given)
    assert answer.status_code == 202, answer.text
    flow_id = str(answer.json()["flow_id"])
    await waits_at(running, flow_id, "approve")
    return flow_id, str(deal["id"])


async def waits_at(running: Served, flow_id: str, *steps: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def holds() -> bool:
        nonlocal found
        found = await get(running, flow_id)
        return bool(found["waits"]) and found["waits"][0]["step"] in steps

    try:
        await eventually(30, holds)
    except TimeoutError:
        pytest.fail(f"it never stood at {steps}: {found}")
    return found


async def parked(running: Served, action_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def holds() -> bool:
        nonlocal found
        found = (await running.http.get(f"/api/v1/actions/{action_id}")).json()
        return bool(found["state"] == "awaiting_approval")

    await eventually(30, holds)
    return found
