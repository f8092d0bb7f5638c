"""A new sequence: choose the person, write the messages, start. Nothing is sent before people have approved it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.contracts import consent, crm, flows, trust
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import CONTACTABILITY, RECORD, RECORDS, SEARCH, START_FLOW, UNSUBSCRIBE_LINK
from services.gateway.console import present_crm
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.sequences import APPROVALS, CHANNELS
from services.gateway.console.sequence_messages import MOST, Addressed, Typed, rendered, typed, wrong
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.http.guards import require
from services.gateway.http.sequences import SEQUENCE

router = APIRouter()
SUBMITTING = require("submit")
USUAL = 3
TOKEN_PLACE = "{token}"
REACH: dict[str, tuple[str, str, Tone]] = {
    "safe": ("يجوز التواصل", "May be written to", "low"), "needs_review": ("يحتاج مراجعة", "Needs review", "medium"),
    "blocked": ("لا يجوز التواصل", "May not be written to", "high"), "unknown": ("غير معروف", "Not known", "neutral"),
}  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """What the form holds: as it was opened, or as it came back."""

    once: str
    messages: tuple[Typed, ...]
    approval: str = "whole"
    days: str = "30"
    deal: str = ""


@router.get(PATHS["sequence_new"], dependencies=[SUBMITTING])
async def new(
    desk: DeskDep,
    contact: UUID | None = None,
    count: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The form for a person; without one, the choice of the person."""
    if contact is None:
        return await _choose(desk, q.strip())
    fresh = Stated(str(new_id()), tuple(Typed(at, hours="0" if at == 1 else "16") for at in range(1, count + 1)))
    return await _form(desk, contact, fresh)


async def _choose(desk: Desk, q: str) -> Response:
    """People by name; without words, the newest."""
    found: list[tuple[str, str, str]] = []
    if q:
        hits = await desk.call(SEARCH, crm.SearchRequest(principal=desk.who, q=q, kinds=(RecordKind.CONTACT,), limit=50))  # fmt: skip
        found = [(str(one.id), one.title, one.subtitle) for one in hits.items]
    else:
        asked = crm.ListRecords(principal=desk.who, kind=RecordKind.CONTACT, where={}, page=Page(limit=25))
        for one in (await desk.call(RECORDS, asked)).items:
            found.append((str(one.id), present_crm.title(desk.lang, one), one.names.get("account_id", "")))
    rows = tuple((Cell(title, href=url("sequence_new", contact=id)), Cell(about)) for id, title, about in found)
    empty = (
        desk.say("لا أحد بهذا الاسم. جرّب كلمة أخرى.", "Nobody by that name. Try another word.") if q
        else desk.say("لا جهات اتصال بعد. استورد قائمة من صفحة الاستهداف.", "No contacts yet. Import a list on the Targeting page.")
    )  # fmt: skip
    words = Input("q", desk.say("الاسم أو المنشأة", "Name or company"), value=q, required=False)
    search = DeskForm("who", url("sequence_new"), desk.say("ابحث", "Search"), (words,), get=True)
    section = Section(
        desk.say("اختر الشخص", "Choose the person"), columns=(desk.say("الاسم", "Name"), desk.say("عنه", "About")), rows=rows, empty=empty,
        only=search,
    )  # fmt: skip
    return await desk.show(_page(desk, section))


def _page(desk: Desk, *sections: Section, error: str = "") -> DeskPage:
    return DeskPage(
        "sequences", desk.say("سلسلة جديدة", "A new sequence"), sections, error=error, back=url("sequences"),
        back_label=desk.say("سلاسل التواصل", "Sequences"),
    )  # fmt: skip


async def _person(desk: Desk, contact: UUID) -> crm.Record:
    found: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind.CONTACT, id=contact))
    return found


async def _form(desk: Desk, contact: UUID, stated: Stated, *, error: str = "", status: int = 200) -> Response:
    asked = crm.ListRecords(principal=desk.who, kind=RecordKind.DEAL, where={"contact_id": str(contact)}, page=Page(limit=20))  # fmt: skip
    record, deals = await asyncio.gather(_person(desk, contact), desk.call(RECORDS, asked))
    written = Section(
        desk.say("الرسائل", "Messages"),
        desk.say(
            "اكتب كل رسالة كما ستصل. اترك ما لا تحتاجه فارغًا. إن لم تذكر الرسالة طريقة إيقافها أُضيفت في آخرها.",
            "Write each message as it would arrive, and leave empty what you don't need. A line that says how to stop them is added where there is none.",
        ),
        forms=(_messages(desk, contact, stated, deals.items),),
        links={desk.say("أضف رسالة (يبدأ النموذج من جديد)", "One more message (the form begins anew)"): url("sequence_new", contact=str(contact), count=len(stated.messages) + 1)}
        if len(stated.messages) < MOST else {},
    )  # fmt: skip
    return await desk.show(_page(desk, await _whom(desk, record), written, error=error), status=status)


async def _whom(desk: Desk, record: crm.Record) -> Section:
    """The person, and what trust says of each channel."""
    facts = [(desk.say("جهة الاتصال", "Contact"), Cell(f"contact:{record.id}"))]
    if record.values.get("account_id"):
        facts.append((desk.say("المنشأة", "Account"), Cell(f"account:{record.values['account_id']}")))
    for label, value in ((desk.say("البريد", "E-mail"), "email"), (desk.say("الهاتف", "Phone"), "phone")):
        facts.append((label, Cell(str(record.values.get(value) or ""), "ltr")))
    try:
        reach: trust.ContactabilityReply = await desk.call(
            CONTACTABILITY, trust.ContactabilityRequest(tenant_id=desk.who.tenant_id, contact_ids=(record.id,))
        )
    except DealixError:
        reach = trust.ContactabilityReply(items=())
    why = []
    for one in reach.items[0].channels if reach.items else ():
        if one.channel in CHANNELS:
            ar, en, tone = REACH[one.status.value]
            facts.append((desk.say(*CHANNELS[one.channel]), Cell(desk.say(ar, en), tone=tone)))
            why += [] if one.status == "safe" else [desk.say(each.ar, each.en) for each in one.reasons]
    return Section(desk.say("إلى من", "To whom"), " ".join(dict.fromkeys(why)), facts=tuple(facts))


def _messages(desk: Desk, contact: UUID, stated: Stated, deals: tuple[crm.Record, ...]) -> DeskForm:
    approvals = tuple((key, desk.say(*said)) for key, said in APPROVALS.items())
    inputs = [
        Input("once", "", "hidden", stated.once), Input("contact", "", "hidden", str(contact)), Input("count", "", "hidden", str(len(stated.messages))),
        Input("approval", desk.say("الموافقة", "Approval"), "select", stated.approval, options=approvals),
        Input("days", desk.say("صلاحية الموافقة بالأيام", "Approval holds for (days)"), "number", stated.days,
              hint=desk.say("للموافقة الواحدة، من 1 إلى 90.", "Of one approval for all, 1 to 90.")),
    ]  # fmt: skip
    if deals:
        options = (
            ("", desk.say("لا صفقة", "No deal")),
            *((str(one.id), present_crm.title(desk.lang, one)) for one in deals),
        )
        hint = desk.say("تتوقف السلسلة إذا انتقلت الصفقة.", "The sequence ends when the deal moves.")
        inputs.append(Input("deal", desk.say("الصفقة", "Deal"), "select", stated.deal, False, options=options, hint=hint))  # fmt: skip
    channels = tuple((key, desk.say(*said)) for key, said in CHANNELS.items())
    for one in stated.messages:
        n = one.number
        inputs += [
            Input(f"part_{n}", desk.say(f"الرسالة {n}", f"Message {n}"), "part"),
            Input(f"channel_{n}", desk.say("القناة", "Channel"), "select", one.channel, options=channels),
            Input(f"hours_{n}", desk.say("ساعات العمل قبلها", "Business hours before it"), "number", one.hours, False),
            Input(f"subject_{n}", desk.say("العنوان (للبريد)", "Subject (e-mail)"), value=one.subject, required=False),
            Input(f"body_{n}", desk.say("النص", "Text"), "long", one.body, n == 1),
        ]
    return DeskForm("messages", url("sequence_new"), desk.say("ابدأ السلسلة واطلب الموافقة", "Start and ask for approval"), tuple(inputs), columns=True)  # fmt: skip


@router.post(PATHS["sequence_new"], dependencies=[SUBMITTING])
async def start(request: Request, desk: DeskDep) -> Response:
    """Start it. The form's own id makes pressing twice one sequence; what is wrong is told above what was typed."""
    form = await request.form()
    try:
        contact, once = UUID(str(form.get("contact", ""))), UUID(str(form.get("once", "")))
        count = min(MOST, max(1, int(str(form.get("count", "")))))
    except ValueError as error:
        raise NotFound from error
    stated = Stated(
        str(once), typed({key: str(value) for key, value in form.items()}, count), str(form.get("approval", "")),
        str(form.get("days", "")).strip(), str(form.get("deal", "")),
    )  # fmt: skip
    record = await _person(desk, contact)
    to = Addressed(
        str(record.values.get("email") or ""), str(record.values.get("phone") or ""), record.names.get("account_id", "")
    )
    if (mend := _wrong(stated, to)) is not None:
        return await _form(desk, contact, stated, error=desk.say(*mend), status=422)
    try:
        given = await _given(desk, contact, stated, to)
        await desk.call(START_FLOW, flows.StartFlow(principal=desk.who, flow_id=once, flow=SEQUENCE, input=given))
    except DealixError as error:
        return await _form(desk, contact, stated, error=desk.error(error), status=error.status)
    return desk.go("sequence", str(once))


def _wrong(stated: Stated, to: Addressed) -> tuple[str, str] | None:
    filled = [one for one in stated.messages if not one.empty]
    if not filled:
        return "اكتب رسالة واحدة على الأقل.", "Write at least one message."
    if stated.approval not in APPROVALS:
        return "اختر نوع الموافقة.", "Choose the approval."
    if not stated.days.isascii() or not stated.days.isdigit() or not 1 <= int(stated.days) <= 90:
        return "صلاحية الموافقة من 1 إلى 90.", "The approval holds for 1 to 90 days."
    return next((mend for one in filled if (mend := wrong(one, to)) is not None), None)


async def _given(desk: Desk, contact: UUID, stated: Stated, to: Addressed) -> dict[str, object]:
    """The input of the flow: every message complete. Raises DealixError where the tenant or the link can't be read."""
    profile = await desk.gateway.profile(desk.who.tenant_id)
    if profile is None:
        raise NotFound("no_tenant", "Your company's sender could not be read just now.", "تعذّرت قراءة بيانات المرسِل الآن.")  # fmt: skip
    filled, link = [one for one in stated.messages if not one.empty], profile.opt_out_url
    if TOKEN_PLACE in link and any(one.channel == "email" for one in filled):
        asked = consent.LinkRequest(tenant_id=desk.who.tenant_id, contact_id=contact, channel="email")
        link = link.replace(TOKEN_PLACE, (await desk.call(UNSUBSCRIBE_LINK, asked)).token)
    messages = [
        {"channel": one.channel, "payload": rendered(one, to, profile, link), "after_business_hours": int(one.hours)}
        for one in filled
    ]
    return {
        "contact_id": str(contact), "lead_id": "", "deal_id": stated.deal, "messages": messages, "approval": stated.approval,
        "good_for_days": int(stated.days),
    }  # fmt: skip
