"""Partners: the board, one partner with its fit by parts, a brief for the meeting, and a first message as a proposal."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from libs.contracts import crm
from libs.contracts import partners as contract
from libs.contracts.arabic import DAYS
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.partners import partner_rules
from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, records
from libs.contracts.errors import DealixError
from libs.contracts.message import new_id
from libs.contracts.subjects import (
    CHANGE_RECORD,
    CREATE_RECORD,
    PARTNER_BRIEF,
    PARTNER_MESSAGE,
    PARTNER_OFFER,
    PARTNER_PIPELINE,
    RECORD,
    SCORE_PARTNER,
)
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, InputKind, Note, Section
from services.gateway.console.pages_partners import PartnerCard, PartnerColumn, PartnersPage
from services.gateway.console.routes import partner_figures
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Reading = require("read", reading=True)
Editing = require("import")
Asking = require("submit")
Words = Annotated[str, Form(max_length=1000)]
PARTS = {
    "type": ("النوع", "Type"), "b2b": ("يبيع إلى منشآت", "Sells to businesses"), "customers": ("عملاؤه", "Its customers"),
    "saudi": ("سعودي", "Saudi"), "region": ("في المنطقة", "In the region"), "bonus": ("تعريفات قدّمها", "Introductions made"),
}  # fmt: skip
VERDICTS = {
    "pass": ("مقبول", "Pass", "low"), "clear": ("سليم", "Clear", "low"), "revise": ("يُعدَّل", "Revise", "medium"),
    "ambiguous": ("غير محسوم", "Not clear", "medium"), "fail": ("مرفوض", "Fail", "high"), "violation": ("مخالف", "Violation", "high"),
}  # fmt: skip
REVIEWERS = {"qa_reviewer": ("مراجعة الجودة", "Quality"), "compliance_reviewer": ("مراجعة الامتثال", "Compliance")}
FACTS = (
    "type", "city", "sells_to", "customers", "saudi", "intros", "paid_pilots", "amount", "contact_name", "email", "phone", "owner", "next_step",
    "next_step_on", "partner_since",
)  # fmt: skip
ADDED = ("name", "name_ar", "type", "city", "sells_to", "customers", "saudi", "contact_name", "email", "phone", "next_step", "next_step_on")  # fmt: skip
_KINDS: dict[FieldType, InputKind] = {FieldType.DATE: "date", FieldType.INTEGER: "number", FieldType.LONG_TEXT: "long"}
_LTR = (FieldType.PHONE, FieldType.EMAIL, FieldType.DATE, FieldType.MONEY, FieldType.INTEGER)


@router.get(PATHS["partners"], dependencies=[Reading])
async def partners(desk: DeskDep) -> Response:
    return await _board(desk)


async def _board(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    found: contract.PipelineReply = await desk.call(PARTNER_PIPELINE, contract.PipelineRequest(principal=desk.who))
    stages = tuple((one.stage, desk.text(one.name)) for one in found.stages)
    following = dict(zip(stages, (*stages[1:], ("", "")), strict=True))
    columns = tuple(
        PartnerColumn(
            one.stage, desk.text(one.name), tuple(_card(desk, partner, following) for partner in one.partners)
        )
        for one in found.stages
    )
    may = allowed(desk.who, "import") is not None
    return await desk.show(PartnersPage(columns, stages, may, error), status=status)


def _card(desk: Desk, one: contract.PipelinePartner, following: dict[tuple[str, str], tuple[str, str]]) -> PartnerCard:
    named = cards().partner_stages[one.stage]
    onward, word = following[one.stage, desk.say(named.ar, named.en)]
    offer = next(offer for offer in partner_rules().offers if offer.key == one.offer)
    age = desk.say(f"آخر تغيير قبل {DAYS(one.age_days)}", f"last changed {one.age_days} days ago")
    return PartnerCard(
        id=str(one.partner_id), name=one.name, type=desk.text(one.type_name), fit=f"{one.fit:g} / 100",
        offer=desk.say(offer.ar, offer.en), amount=Decimal(one.amount) if one.amount else None, owner=one.owner or "",
        next_step=one.next_step or "", age=desk.say("تغيّر اليوم", "changed today") if not one.age_days else age,
        version=one.version, next_stage=onward, next_word=word,
    )  # fmt: skip


@router.post(PATHS["partner_move"], dependencies=[Editing])
async def move(id: UUID, desk: DeskDep, stage: Words, version: Words = "") -> Response:
    """Move a partner to a stage, by button or by dragging: the same form, and a change that its history keeps."""
    request = crm.ChangeRecord(
        principal=desk.who, kind=RecordKind.PARTNER, id=id, values={"stage": stage},
        version=int(version) if version.isdigit() else None,
    )  # fmt: skip
    try:
        await desk.call(CHANGE_RECORD, request)
    except DealixError as error:
        return await _board(desk, error=desk.error(error), status=error.status)
    return desk.go("partners")


@router.get(PATHS["partner_add"], dependencies=[Editing])
async def add_form(desk: DeskDep) -> Response:
    return await _adding(desk, {})


@router.post(PATHS["partner_add"], dependencies=[Editing])
async def add(request: Request, desk: DeskDep) -> Response:
    """Record a partner; what is wrong is said above the form, which keeps what was entered."""
    sent = await request.form()
    values = {name: str(sent.get(name) or "")[:10_000] for name in ADDED}
    made = crm.CreateRecord(
        principal=desk.who, kind=RecordKind.PARTNER, id=new_id(),
        values={name: value for name, value in values.items() if value},
    )  # fmt: skip
    try:
        record: crm.Record = await desk.call(CREATE_RECORD, made)
    except DealixError as error:
        return await _adding(desk, values, error=desk.error(error), status=error.status)
    return desk.go("partner", str(record.id))


async def _adding(desk: Desk, values: dict[str, str], *, error: str = "", status: int = 200) -> Response:
    fields = records().kinds[RecordKind.PARTNER].fields
    inputs = tuple(_input(desk, name, fields[name], values.get(name, "")) for name in ADDED)
    form = DeskForm("partner", url("partner_add"), desk.say("سجّل الشريك", "Record the partner"), inputs)
    title = desk.say("شريك جديد", "A new partner")
    text = desk.say("ما لا يُعرف يُترك فارغًا، ولا يُحسب له شيء.", "What is not known stays empty, and earns nothing.")
    page = DeskPage(
        "partners",
        title,
        (Section(title, text, forms=(form,)),),
        error=error,
        back=url("partners"),
        back_label=desk.say("الشركاء", "Partners"),
    )
    return await desk.show(page, status=status)


def _input(desk: Desk, name: str, field: RecordField, value: str) -> Input:
    if field.choices:
        blank = () if field.required else (("", desk.say("غير معروف", "Not known")),)
        options = (*blank, *((choice, desk.text(partner_rules().said(choice))) for choice in field.choices))
        return Input(name, desk.say(field.ar, field.en), "select", value, field.required, options=options)
    kind = _KINDS.get(field.type, "text")
    return Input(name, desk.say(field.ar, field.en), kind, value, field.required, ltr=field.type in _LTR)


@router.get(PATHS["partner"], dependencies=[Reading])
async def partner(id: UUID, desk: DeskDep) -> Response:
    return await _partner(desk, id)


@router.post(PATHS["partner_message"], dependencies=[Asking])
async def message(id: UUID, desk: DeskDep, language: Words = "ar") -> Response:
    """A first message, on the partner's page: nothing is sent or kept."""
    wanted = contract.PartnerMessage(principal=desk.who, partner_id=id, language=language)
    try:
        found: contract.PartnerMessageReply = await desk.call(PARTNER_MESSAGE, wanted)
    except DealixError as error:
        return await _partner(desk, id, error=desk.error(error), status=error.status)
    return await _partner(desk, id, _message(desk, found))


@router.post(PATHS["partner_offer"], dependencies=[Asking])
async def offer(
    id: UUID, desk: DeskDep, kind: Words = "", commission: Words = "", language: Words = "ar", send: Words = ""
) -> Response:
    """An offer, on the partner's page. With `send` it is submitted, and waits for a person's approval."""
    try:
        wanted = partner_figures.order(desk, id, kind, commission, language, send=send == "yes")
        found: contract.PartnerOffer = await desk.call(PARTNER_OFFER, wanted)
    except DealixError as error:
        return await _partner(desk, id, error=desk.error(error), status=error.status)
    if found.action_id is not None:
        desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals")
    return await _partner(desk, id, *partner_figures.offer(desk, found, commission))


async def _partner(desk: Desk, id: UUID, *first: Section, error: str = "", status: int = 200) -> Response:
    asked = contract.PartnerGet(principal=desk.who, partner_id=id)
    record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind.PARTNER, id=id))
    score: contract.PartnerScore = await desk.call(SCORE_PARTNER, asked)
    brief: contract.MeetingBrief = await desk.call(PARTNER_BRIEF, asked)
    card = await partner_figures.scorecard(desk, asked)
    fields = records().kinds[RecordKind.PARTNER].fields
    facts = [(desk.say("المرحلة", "Stage"), Cell(desk.text(brief.stage)))]
    for name in FACTS:
        value = record.values.get(name)
        if value not in (None, ""):
            field = fields[name]
            shown = (
                f"{Decimal(str(value)):,.2f}"
                if field.type is FieldType.MONEY
                else desk.text(partner_rules().said(str(value)))
                if field.choices
                else str(value)
            )
            facts.append((desk.say(field.ar, field.en), Cell(shown, "ltr" if field.type in _LTR else "text")))
    names = _pick_name(desk, record.values)
    sections = (*first, card, Section(desk.say("ما نعرفه", "What we know"), facts=tuple(facts)), _score(desk, score), _brief(desk, brief), *_forms(desk, record))  # fmt: skip
    return await desk.show(
        DeskPage(
            "partners", names, sections, error=error, back=url("partners"), back_label=desk.say("الشركاء", "Partners")
        ),
        status=status,
    )


def _forms(desk: Desk, record: crm.Record) -> tuple[Section, ...]:
    out = []
    if allowed(desk.who, "submit") is not None:
        languages = (("ar", "العربية"), ("en", "English"))
        ask = DeskForm(
            "message", url("partner_message", str(record.id)), desk.say("اكتب مسودة", "Write a draft"),
            (Input("language", desk.say("اللغة", "Language"), "select", desk.lang, options=languages),),
        )  # fmt: skip
        text = desk.say("تُعرض عليك ولا تُرسل ولا تُحفظ.", "It is shown to you; nothing is sent or kept.")
        out.append(Section(desk.say("الرسالة الأولى", "A first message"), text, forms=(ask,)))
        out.append(partner_figures.offer_form(desk, str(record.id)))
    if allowed(desk.who, "import") is not None:
        stages = tuple((key, desk.say(one.ar, one.en)) for key, one in cards().partner_stages.items())
        inputs = (
            Input("stage", desk.say("المرحلة", "Stage"), "select", str(record.values["stage"]), options=stages),
            Input("version", "", "hidden", str(record.version)),
        )
        form = DeskForm("move", url("partner_move", str(record.id)), desk.say("انقل الشريك", "Move the partner"), inputs, quiet=True)  # fmt: skip
        out.append(Section(desk.say("المرحلة", "Stage"), forms=(form,)))
    return tuple(out)


def _score(desk: Desk, score: contract.PartnerScore) -> Section:
    fields = records().kinds[RecordKind.PARTNER].fields
    missing = desk.say("، ", ", ").join(desk.say(fields[name].ar, fields[name].en) for name in score.missing)
    text = desk.say("المقترح: ", "Proposed: ") + desk.say(score.offer_name.ar, score.offer_name.en)
    if missing:
        text += desk.say(f". غير معروف، ولم يُحسب له شيء: {missing}.", f". Not known, so it earned nothing: {missing}.")
    rows = tuple((Cell(desk.say(*PARTS[name])), Cell(f"{points:g}", "ltr")) for name, points in score.parts.items())
    total = (Cell(desk.say("المجموع من 100", "Total of 100")), Cell(f"{score.fit:g}", "ltr"))
    columns = (desk.say("الجزء", "Part"), desk.say("النقاط", "Points"))
    return Section(desk.say("الملاءمة بأجزائها", "Fit, part by part"), text, columns=columns, rows=(*rows, total))


def _brief(desk: Desk, brief: contract.MeetingBrief) -> Section:
    rows = [
        *((desk.say("معروف", "Known"), one) for one in brief.known),
        *((desk.say("اسأل", "Ask"), one) for one in brief.ask),
        (desk.say("احسم", "Settle"), brief.settle),
        *((desk.say("آخر ما جرى", "Lately"), one) for one in brief.last),
    ]  # fmt: skip
    columns = (desk.say("البند", "Item"), desk.say("ما يقال", "What"))
    lines = tuple((Cell(named), Cell(desk.text(text))) for named, text in rows)
    return Section(desk.say("ملخص الاجتماع", "Brief for a meeting"), columns=columns, rows=lines)


def _message(desk: Desk, found: contract.PartnerMessageReply) -> Section:
    said = []
    for review in found.reviews:
        ar, en, _ = VERDICTS[review.verdict]
        said.append(f"{desk.say(*REVIEWERS[review.reviewer])}: {desk.say(ar, en)}")
        said += [desk.say(one.ar, one.en) for one in review.findings]
    note = Note(found.subject, found.body, " · ".join(said))
    return Section(desk.say("مسودة الرسالة", "The draft"), desk.say("مسودة لم تُرسل.", "A draft; it was not sent."), notes=(note,))  # fmt: skip


def _pick_name(desk: Desk, values: dict[str, Any]) -> str:
    arabic, english = values.get("name_ar"), values.get("name")
    return str((arabic or english) if desk.lang == "ar" else (english or arabic))
