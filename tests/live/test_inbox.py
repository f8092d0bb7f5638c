"""The inbox on real servers: rows of data and votes of trust in one list, filtered to the person in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.errors import RemoteFault
from libs.contracts.inbox import InboxKind, InboxReply, InboxRequest
from libs.contracts.message import Page, Plane, Principal
from libs.contracts.subjects import INBOX
from tests.live.served import Served, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("inbox")) as made:
        yield made


async def create(running: Served, path: str, **values: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def said(running: Served, minutes_ago: int, direction: str = "inbound", **about: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    return await create(
        running, "activities", type="email", direction=direction, subject="رد", body="متى نبدأ؟", at=at, **about
    )


async def inbox(running: Served, **query: Any) -> dict[str, Any]:
    answer = await running.http.get(f"{API}/inbox", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def of(
    running: Served, role: str | None, name: str = "Nora", *, roles: tuple[str, ...] = ("member",), **more: Any
) -> InboxReply:
    tenant = UUID((await running.http.get(f"{API}/me")).json()["tenant_id"])
    who = Principal(id="user:77", kind="user", tenant_id=tenant, roles=roles, business_role=role, name=name)
    async with running.system.bus(Plane.GATEWAY) as bus:
        return await bus.call(INBOX, InboxRequest(principal=who, **more))


def ids(reply: InboxReply, kind: InboxKind) -> set[str]:
    return {str(one.id) for one in reply.items if one.kind is kind}


async def test_a_conversation_waits_as_one_until_somebody_answers_it(running: Served) -> None:
    account = await create(running, "accounts", name="Rimal", name_ar="رمال")
    contact = await create(running, "contacts", account_id=account["id"], full_name="سارة", email="sara@rimal.example")
    await said(running, 50, contact_id=contact["id"])
    last = await said(running, 20, contact_id=contact["id"])
    found = [one for one in (await inbox(running, kind="message"))["items"] if one["contact_id"] == contact["id"]]
    assert [(one["id"], one["count"], one["account_name"]) for one in found] == [(last["id"], 2, "رمال")]
    assert found[0]["text"] == "متى نبدأ؟" and found[0]["due_at"] > found[0]["since"]
    await said(running, 1, "outbound", contact_id=contact["id"])
    after = (await inbox(running, kind="message"))["items"]
    assert all(one["contact_id"] != contact["id"] for one in after)


async def test_who_asked_not_to_be_contacted_waits_for_no_answer(running: Served) -> None:
    account = await create(running, "accounts", name="Quiet", name_ar="هدوء")
    contact = await create(
        running, "contacts", account_id=account["id"], full_name="ليلى", email="l@quiet.example", opted_out="yes"
    )
    await said(running, 5, contact_id=contact["id"])
    assert all(one["contact_id"] != contact["id"] for one in (await inbox(running))["items"])


async def test_tasks_are_shown_when_due_and_only_to_whom_they_are_given(running: Served) -> None:
    soon, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (2, 90))
    mine = await create(running, "tasks", title="اتصل بالعميل", assignee=" NORA ", due_at=soon.isoformat())
    anothers = await create(running, "tasks", title="راجِع العقد", assignee="Huda", due_at=soon.isoformat())
    nobodys = await create(running, "tasks", title="رتّب الملف", due_at=soon.isoformat())
    far = await create(running, "tasks", title="خطة العام", assignee="Nora", due_at=later.isoformat())
    reply = await of(running, "ceo")
    assert ids(reply, InboxKind.TASK) >= {mine["id"], nobodys["id"]}
    assert not ids(reply, InboxKind.TASK) & {anothers["id"], far["id"]}
    assert reply.counts["task"] == len(ids(reply, InboxKind.TASK))
    by_address = await of(running, None, "x", known_as=("huda",))
    assert anothers["id"] in ids(by_address, InboxKind.TASK)
    await running.http.patch(f"{API}/tasks/{mine['id']}", json={"status": "done"})
    assert mine["id"] not in ids(await of(running, "ceo"), InboxKind.TASK)


async def test_a_member_never_sees_the_teams_inbox_and_an_operator_does(running: Served) -> None:
    await create(running, "tasks", title="خاص بهدى", assignee="Huda", due_at=datetime.now(UTC).isoformat())
    with pytest.raises(RemoteFault) as refused:
        await of(running, "ceo", scope="team")
    assert (refused.value.status, refused.value.code) == (403, "others_inbox") and refused.value.ar
    whole = await of(running, None, "Salem", roles=("operator",), scope="team")
    assert "خاص بهدى" in {one.title for one in whole.items}
    assert "خاص بهدى" not in {one.title for one in (await of(running, None, "Salem", roles=("operator",))).items}


async def test_a_ticket_concerns_support_and_not_sales(running: Served) -> None:
    ticket = await create(running, "tickets", title="تعذّر الدخول", priority="P0")
    assert ticket["id"] in ids(await of(running, "support"), InboxKind.TICKET)
    assert ticket["id"] not in ids(await of(running, "sales_manager"), InboxKind.TICKET)
    shown = next(one for one in (await inbox(running, kind="ticket"))["items"] if one["id"] == ticket["id"])
    assert shown["priority"] == "P0" and shown["late"] is False


async def test_a_request_waits_for_its_approver_and_for_nobody_else(running: Served) -> None:
    asked = await running.http.post(
        f"{API}/actions",
        json={"action_type": "crm_update", "resource": {"type": "deal", "id": "d-1"}, "payload": {"deal": "d-1"}, "reason": "تحديث"},
        headers={"Prefer": "wait=5"},
    )  # fmt: skip
    assert asked.status_code == 202 and asked.json()["state"] == "awaiting_approval", asked.text
    manager = await of(running, "sales_manager", roles=("approver",), kinds=(InboxKind.APPROVAL,))
    assert asked.json()["approval_id"] in ids(manager, InboxKind.APPROVAL)
    assert not ids(await of(running, "support", roles=("approver",)), InboxKind.APPROVAL)
    assert not ids(await of(running, "sales_manager"), InboxKind.APPROVAL)


async def test_pages_go_on_where_they_ended_and_bad_input_is_told(running: Served) -> None:
    due = datetime.now(UTC).isoformat()
    for number in range(5):
        await create(running, "tasks", title=f"صفحة {number}", assignee="Pager", due_at=due)
    seen: list[UUID] = []
    page = Page(limit=2)
    while True:
        reply = await of(running, None, "Pager", kinds=(InboxKind.TASK,), page=page)
        seen += [one.id for one in reply.items]
        if reply.next_cursor is None:
            break
        page = Page(limit=2, cursor=reply.next_cursor)
    assert len(seen) == len(set(seen)) == reply.counts["task"] >= 5
    for query in ({"cursor": "x"}, {"kind": "letters"}, {"scope": "all"}):
        answer = await running.http.get(f"{API}/inbox", params=query, headers={"Accept-Language": "ar"})
        assert answer.status_code in (400, 404, 422), answer.text
        assert any("\u0621" <= letter <= "\u064a" for letter in answer.json()["detail"])


async def test_another_tenants_person_sees_nothing_of_this_one(running: Served) -> None:
    await create(running, "tasks", title="لنا وحدنا", due_at=datetime.now(UTC).isoformat())
    stranger = Principal(id="user:77", kind="user", tenant_id=UUID(int=99), roles=("owner",), name="Nora")
    async with running.system.bus(Plane.GATEWAY) as bus:
        reply = await bus.call(INBOX, InboxRequest(principal=stranger, scope="team"))
    assert reply.items == () and set(reply.counts.values()) == {0}
