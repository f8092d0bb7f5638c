"""The inbox over HTTP and as pages: one list, cursors of ours, and each thing with what can be done about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import crm, subjects
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.errors import CallTimeout, Conflict, Forbidden
from libs.contracts.inbox import InboxItem, InboxKind, InboxReply
from libs.contracts.message import Text
from tests.contracts.examples import AT, example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

MESSAGE, APPROVAL, TASK, TICKET = (UUID(int=2**122 + n) for n in range(4))
SAID = "السلام عليكم، متى يبدأ التنفيذ؟ رقمي +966 50 123 4567"


def item(kind: InboxKind, id: UUID, **fields: Any) -> InboxItem:
    values: dict[str, Any] = {
        "title": "عنوان",
        "since": AT - timedelta(hours=3),
        "due_at": AT + timedelta(hours=4),
        "late": False,
        **fields,
    }
    return InboxItem(kind=kind, id=id, **values)


def filled() -> InboxReply:
    items = (
        item(InboxKind.TICKET, TICKET, title="تعذّر الدخول إلى لوحة التقارير", account_name="شركة نجد", priority="P0", late=True, due_at=AT - timedelta(hours=1)),
        item(InboxKind.MESSAGE, MESSAGE, title="رد على العرض", text=SAID, account_name="شركة الرياض للتقنية", channel="email", count=2, assignee="نورة"),
        item(InboxKind.APPROVAL, APPROVAL, title="مؤسسة رمال", what=Text(en="Send an e-mail", ar="إرسال بريد"), priority="medium", assignee="sales_manager"),
        item(InboxKind.TASK, TASK, title="اتصل بالعميل قبل الاجتماع"),
    )  # fmt: skip
    return InboxReply(
        items=items, counts={kind.value: 1 for kind in InboxKind}, next_cursor="2026-11-22T06:00:00+00:00|x"
    )


def _record(request: crm.GetRecord) -> crm.Record:
    values = {
        RecordKind.ACTIVITY: {"type": "email", "direction": "inbound", "subject": "رد على العرض", "body": SAID, "at": AT.isoformat(), "contact_id": str(TASK)},
        RecordKind.TASK: {"title": "اتصل بالعميل", "status": "open", "due_at": AT.isoformat()},
        RecordKind.TICKET: {"title": "تعذّر الدخول", "status": "open", "priority": "P0", "body": "لا تفتح لوحة التقارير."},
    }[request.kind]  # fmt: skip
    made: crm.Record = example(crm.Record).evolve(
        id=request.id, kind=request.kind, version=3, values=values, custom={}, names={"contact_id": "سارة القحطاني"}, created_at=AT, updated_at=AT
    )  # fmt: skip
    return made


def fill(site: Site) -> None:
    site.planes.answer(subjects.INBOX, filled())
    site.planes.answer(subjects.RECORD, _record)


async def test_the_list_is_asked_for_the_person_who_is_signed_in_and_goes_on_by_our_cursor(site: Site) -> None:
    fill(site)
    user = await site.user("member", business_role="support")
    await site.sign_in(user.email)
    first = await site.client.get("/api/v1/inbox", params={"kind": ["task", "message"], "limit": 4})
    assert first.status_code == 200, first.text
    body = first.json()
    assert [one["kind"] for one in body["items"]] == ["ticket", "message", "approval", "task"] and body["counts"][
        "task"
    ] == 1
    asked = site.planes.requests(subjects.INBOX)[-1]
    assert asked.principal.id == user.principal().id and asked.known_as == (user.email,) and asked.scope == "mine"
    assert asked.kinds == (InboxKind.TASK, InboxKind.MESSAGE) and asked.page.limit == 4
    await site.client.get("/api/v1/inbox", params={"cursor": body["next_cursor"]})
    assert site.planes.requests(subjects.INBOX)[-1].page.cursor == filled().next_cursor
    made_up = await site.client.get("/api/v1/inbox", params={"cursor": "abc"})
    assert made_up.status_code in (400, 422) and made_up.json()["code"] == "bad_cursor"
    for page in ("/console/inbox", "/console/onboarding"):
        assert (await site.client.get(page, params={"cursor": "abc"})).status_code == 422, page


async def test_nobody_reads_an_inbox_without_signing_in_and_a_key_is_known_by_no_address(site: Site) -> None:
    fill(site)
    assert (await site.client.get("/api/v1/inbox")).status_code == 401
    headers = await site.bearer("operator")
    assert (await site.client.get("/api/v1/inbox", headers=headers)).status_code == 200
    assert site.planes.requests(subjects.INBOX)[-1].known_as == ()


async def test_a_refusal_reaches_the_reader_in_arabic(site: Site) -> None:
    site.planes.answer(subjects.INBOX, Forbidden("others_inbox", "Yours alone.", "ما يخصك وحدك."))
    headers = {**await site.bearer("member"), "Accept-Language": "ar"}
    told = await site.client.get("/api/v1/inbox", params={"scope": "team"}, headers=headers)
    assert told.status_code == 403 and told.json()["detail"] == "ما يخصك وحدك."


async def test_the_page_shows_each_thing_with_its_kind_clock_and_way_in(site: Site) -> None:
    await enter(site, "operator")
    fill(site)
    page = await site.client.get("/console/inbox")
    assert page.status_code == 200, page.text
    for said in (
        "تجاوز المهلة",
        "ضمن المهلة",
        "شركة نجد",
        "إرسال بريد",
        "(2)",
        "مدير المبيعات",
        f"/console/approvals/{APPROVAL}",
        f"/console/inbox/{TASK}?kind=task",
    ):
        assert said in page.text, said
    assert "cursor=" in page.text
    empty = InboxReply(items=(), counts={}, missing=(InboxKind.APPROVAL,))
    site.planes.answer(subjects.INBOX, empty)
    nothing = await site.client.get("/console/inbox")
    assert "لا شيء ينتظرك الآن." in nothing.text and "تعذّرت قراءة: الموافقات" in nothing.text
    site.planes.answer(subjects.INBOX, CallTimeout("decision.inbox.v1"))
    assert (await site.client.get("/console/inbox")).status_code == 503


async def test_an_answer_is_recorded_beside_the_message_and_about_the_same_person(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    site.planes.answer(subjects.CREATE_RECORD, example(crm.Record))
    page = await site.client.get(f"/console/inbox/{MESSAGE}?kind=message")
    assert page.status_code == 200 and "متى يبدأ التنفيذ" in page.text and "سارة القحطاني" in page.text
    bare = await site.client.post(
        f"/console/inbox/{MESSAGE}/done", data={"csrf": token, "kind": "message", "note": " "}
    )
    assert bare.status_code == 422 and "اكتب ما جرى." in bare.text and not site.planes.requests(subjects.CREATE_RECORD)
    kept = await site.client.post(
        f"/console/inbox/{MESSAGE}/done", data={"csrf": token, "kind": "message", "note": "نبدأ الأحد"}
    )
    assert kept.status_code == 303 and kept.headers["location"].startswith("/console/inbox")
    (sent,) = site.planes.requests(subjects.CREATE_RECORD)
    assert (sent.values["direction"], sent.values["contact_id"], sent.values["body"]) == (
        "outbound",
        str(TASK),
        "نبدأ الأحد",
    )


async def test_a_task_ends_a_ticket_is_solved_and_a_change_meanwhile_is_told(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    site.planes.answer(subjects.CHANGE_RECORD, example(crm.Record))
    await site.client.post(f"/console/inbox/{TASK}/done", data={"csrf": token, "kind": "task", "version": "3"})
    solved = {"csrf": token, "kind": "ticket", "version": "3", "note": "أُعيد تشغيل الخدمة"}
    await site.client.post(f"/console/inbox/{TICKET}/done", data=solved)
    taken = await site.client.post(f"/console/inbox/{TICKET}/take", data={"csrf": token, "version": "3"})
    task, ticket, mine = site.planes.requests(subjects.CHANGE_RECORD)
    assert (task.kind, task.values, task.version) == (RecordKind.TASK, {"status": "done"}, 3)
    assert ticket.values["status"] == "resolved" and ticket.values["resolution"] and ticket.values["answered_at"]
    assert taken.status_code == 303 and mine.values["assignee"]
    site.planes.answer(subjects.CHANGE_RECORD, Conflict("changed", "It was changed.", "تغيّر السجل."))
    told = await site.client.post(f"/console/inbox/{TASK}/done", data={"csrf": token, "kind": "task", "version": "3"})
    assert told.status_code == 409 and "تغيّر السجل." in told.text


async def test_who_may_only_look_gets_no_form_and_is_refused(site: Site) -> None:
    token = await enter(site, "auditor")
    fill(site)
    page = await site.client.get(f"/console/inbox/{TASK}?kind=task")
    assert page.status_code == 200 and "/done" not in page.text
    refused = await site.client.post(f"/console/inbox/{TASK}/done", data={"csrf": token, "kind": "task"})
    assert refused.status_code == 403 and not site.planes.requests(subjects.CHANGE_RECORD)
    assert (await site.client.get(f"/console/inbox/{APPROVAL}?kind=approval")).status_code == 404
