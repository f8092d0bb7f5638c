"""Sequences as pages: begun from what a person typed, followed message by message, ended with a reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.contracts import crm, data, subjects, trust
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.consent import LinkReply
from libs.contracts.errors import Conflict
from libs.contracts.execution import Action
from libs.contracts.flows import Flow, FlowsReply, FlowStatus, FlowWait, WaitKind
from libs.contracts.lineage import LineageReply
from libs.contracts.message import Plane, new_id
from tests.contracts.examples import AT, example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import CONTACT, record
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
ONE, APPROVAL, ACTION = UUID(int=2**124), UUID(int=2**124 + 1), UUID(int=2**124 + 2)
MESSAGES = [
    {"channel": "email", "payload": {"subject": "تعارف", "body": "السلام عليكم، اتصلوا على +966 50 123 4567."}, "after_business_hours": 0},
    {"channel": "whatsapp", "payload": {"body": f"متابعة لرسالتنا. https://example.com/u/{'A1b2' * 40}"}, "after_business_hours": 16},
]  # fmt: skip


def sequence(**changes: Any) -> Flow:
    base = Flow(
        flow_id=ONE, tenant_id=new_id(), flow="outreach_sequence", version=2, status=FlowStatus.RUNNING, seq=4,
        state={"contact_id": str(CONTACT), "messages": MESSAGES, "sent": 1, "approval": "whole", "good_for_days": 30},
        waits=(FlowWait(step="send", kind=WaitKind.ACTION, ref=ACTION),), started_by="user:1", created_at=AT, updated_at=AT,
    )  # fmt: skip
    made: Flow = base.evolve(**changes)
    return made


def fill(site: Site, **contact: Any) -> None:
    """A sequence that waits for approval, one that listens and one that a reply ended, to somebody who may be written to."""
    answers = site.planes.answer
    listening = sequence(flow_id=new_id(), waits=(FlowWait(step="listen", kind=WaitKind.TIMER, until=AT),))
    replied = sequence(flow_id=new_id(), status=FlowStatus.COMPLETED, outcome="replied", waits=())
    answers(subjects.FLOWS, FlowsReply(items=(sequence(), listening, replied), next_cursor="after"))
    answers(subjects.FLOW, sequence())
    answers(subjects.SIGNAL_FLOW, sequence(status=FlowStatus.CANCELLED))
    answers(subjects.START_FLOW, sequence())
    waiting = example(Action).evolve(action_id=ACTION, state="awaiting_approval", approval_id=APPROVAL)
    answers(subjects.ACTION, waiting)
    values = {"full_name": "نورة العتيبي", "email": "noura@riyadhtech.example", "phone": "+966501234567", **contact}
    person = record(RecordKind.CONTACT, CONTACT, **values)
    answers(subjects.RECORD, person)
    answers(subjects.RECORDS, lambda asked: crm.RecordsReply(items=(person,) if asked.kind is RecordKind.CONTACT else ()))  # fmt: skip
    answers(
        subjects.SEARCH, crm.SearchReply(items=(crm.Hit(kind=RecordKind.CONTACT, id=CONTACT, title="نورة", score=1),))
    )
    channels = (
        trust.ChannelContactability(channel="email", status=trust.Contactability.SAFE, reasons=()),
        trust.ChannelContactability(channel="whatsapp", status=trust.Contactability.BLOCKED, reasons=()),
    )
    reach = trust.ContactContactability(contact_id=CONTACT, channels=channels)
    answers(subjects.CONTACTABILITY, trust.ContactabilityReply(items=(reach,)))
    answers(subjects.LINEAGE[Plane.DATA], LineageReply(edges=(), titles=()))
    answers(subjects.UNSUBSCRIBE_LINK, LinkReply(token="tok3n"))
    answers(
        subjects.TENANT,
        data.TenantProfile(
            tenant_id=site.tenant.tenant_id, slug="demo", name_en="Example", name_ar="المثال", sender_name="شركة المثال",
            sender_email="sales@example.com", opt_out_url="https://example.com/u/{token}",
        ),
    )  # fmt: skip


def form(token: str, **fields: str) -> dict[str, str]:
    return {
        "csrf": token, "once": str(ONE), "contact": str(CONTACT), "count": "3", "approval": "whole", "days": "14", "deal": "",
        "channel_1": "email", "hours_1": "0", "subject_1": "تعارف", "body_1": "السلام عليكم.",
        "channel_2": "whatsapp", "hours_2": "16", "subject_2": "", "body_2": "لإيقاف رسائلنا أرسلوا: إيقاف",
        "channel_3": "email", "hours_3": "16", "subject_3": "", "body_3": "", **fields,
    }  # fmt: skip


async def test_the_list_says_what_each_waits_for_and_keeps_its_status_on_the_next_page(site: Site) -> None:
    await enter(site, "operator")
    fill(site)
    page = await site.client.get("/console/sequences?status=running")
    for said in ("الموافقة على الرسالة 2 أو إرسالها", "انتظار الرد", "وصل رد", "1/2", "ابدأ سلسلة", "status=running&amp;cursor="):  # fmt: skip
        assert said in page.text, said
    (asked,) = site.planes.requests(subjects.FLOWS)
    assert (asked.flow, asked.status) == ("outreach_sequence", FlowStatus.RUNNING)
    assert (await site.client.get("/console/sequences?cursor=made-up")).status_code == 422
    site.planes.answer(subjects.FLOWS, FlowsReply(items=()))
    assert "لا سلاسل بعد. ابدأ سلسلة" in (await site.client.get("/console/sequences")).text


async def test_one_sequence_shows_its_messages_and_leads_to_the_approval_it_waits_for(site: Site) -> None:
    await enter(site, "operator")
    fill(site)
    page = (await site.client.get(f"/console/sequences/{ONE}")).text
    for said in ("الرسالة 1: أُرسلت", "الرسالة 2: التالية", "متابعة لرسالتنا.", f"/console/approvals/{APPROVAL}", "واحدة للسلسلة كاملة"):  # fmt: skip
        assert said in page, said
    site.planes.answer(subjects.FLOW, sequence(flow="meeting_booking"))
    assert (await site.client.get(f"/console/sequences/{ONE}")).status_code == 404


async def test_a_sequence_starts_with_every_message_complete_and_the_way_out_in_it(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    answer = await site.client.post("/console/sequences/new", data=form(token))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/sequences/{ONE}"), answer.text
    (asked,) = site.planes.requests(subjects.START_FLOW)
    assert (asked.flow_id, asked.input["approval"], asked.input["good_for_days"]) == (ONE, "whole", 14)
    first, second = asked.input["messages"]
    assert first["payload"] == {
        "to": "noura@riyadhtech.example", "subject": "تعارف", "from_name": "شركة المثال", "from_email": "sales@example.com", "language": "ar",
        "account_name": "", "opt_out_url": "https://example.com/u/tok3n",
        "body": "السلام عليكم.\n\nإن كنتم لا ترغبون في استلام رسائلنا، يمكنكم إلغاء الاشتراك من هنا: https://example.com/u/tok3n",
    }  # fmt: skip
    assert (second["payload"]["to"], second["after_business_hours"]) == ("+966501234567", 16)
    assert second["payload"]["body"] == "لإيقاف رسائلنا أرسلوا: إيقاف", "a text that says so is left as it is"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"body_1": "", "subject_1": "", "body_2": ""}, "اكتب رسالة واحدة على الأقل."),
        ({"subject_1": ""}, "الرسالة 1: اكتب العنوان."),
        ({"hours_2": "9000"}, "الرسالة 2: ساعات الانتظار"),
        ({"hours_2": "²"}, "الرسالة 2: ساعات الانتظار"),
        ({"days": "91"}, "صلاحية الموافقة"),
        ({"approval": "none"}, "اختر نوع الموافقة."),
        ({"channel_2": "fax"}, "الرسالة 2: اختر القناة."),
        ({"body_2": "م" * 1000}, "الرسالة 2: اختصر النص."),
    ],
)
async def test_what_can_t_be_sent_is_said_above_what_was_typed(site: Site, fields: dict[str, str], said: str) -> None:
    token = await enter(site, "operator")
    fill(site)
    answer = await site.client.post("/console/sequences/new", data=form(token, **fields))
    assert answer.status_code == 422 and said in answer.text and str(ONE) in answer.text
    assert not site.planes.requests(subjects.START_FLOW)


async def test_nobody_is_written_to_without_an_address_and_a_refusal_is_told(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site, phone=None)
    answer = await site.client.post("/console/sequences/new", data=form(token))
    assert answer.status_code == 422 and "الرسالة 2: لا رقم مسجّل" in answer.text
    fill(site)
    site.planes.answer(subjects.START_FLOW, Conflict("taken", "It is taken.", "المعرّف مستخدم."))
    answer = await site.client.post("/console/sequences/new", data=form(token))
    assert answer.status_code == 409 and "المعرّف مستخدم." in answer.text and "السلام عليكم." in answer.text


async def test_the_person_is_chosen_by_name_and_trust_says_which_channel_is_open(site: Site) -> None:
    await enter(site, "operator")
    fill(site)
    assert f"/console/sequences/new?contact={CONTACT}" in (await site.client.get("/console/sequences/new?q=نورة")).text
    page = (await site.client.get(f"/console/sequences/new?contact={CONTACT}&count=6")).text
    assert "يجوز التواصل" in page and "لا يجوز التواصل" in page and "body_6" in page and "أضف رسالة" not in page


async def test_a_sequence_is_ended_with_a_reason_once_and_only_by_who_may(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    told = {"csrf": token, "signal_id": str(APPROVAL), "why": "replied", "note": "اتصل"}
    answer = await site.client.post(f"/console/sequences/{ONE}/stop", data=told)
    assert answer.status_code == 303
    (sent,) = site.planes.requests(subjects.SIGNAL_FLOW)
    assert (sent.signal_id, sent.name, sent.payload) == (APPROVAL, "replied", {"note": "اتصل"})
    bored = await site.client.post(f"/console/sequences/{ONE}/stop", data={**told, "why": "bored"})
    assert bored.status_code == 422 and len(site.planes.requests(subjects.SIGNAL_FLOW)) == 1
    site.planes.answer(subjects.FLOW, sequence(status=FlowStatus.COMPLETED, outcome="replied", waits=()))
    assert "/stop" not in (await site.client.get(f"/console/sequences/{ONE}")).text


async def test_an_auditor_looks_and_is_offered_nothing(site: Site) -> None:
    token = await enter(site, "auditor")
    fill(site)
    assert "/console/sequences/new" not in (await site.client.get("/console/sequences")).text
    assert "/stop" not in (await site.client.get(f"/console/sequences/{ONE}")).text
    assert (await site.client.post("/console/sequences/new", data=form(token))).status_code == 403
    assert not site.planes.requests(subjects.START_FLOW)
