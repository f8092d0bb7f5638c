"""Sequences: several messages to one contact, how far each has come and what it waits for, and the way to end one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import flows
from libs.contracts.arabic import DAYS, HOURS
from libs.contracts.catalogue.words import word
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.execution import Action, ActionGet
from libs.contracts.flows import ENDED, Flow, FlowsReply, FlowStatus, FlowWait, WaitKind
from libs.contracts.message import new_id
from libs.contracts.subjects import ACTION, FLOW, FLOWS, SIGNAL_FLOW
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section
from services.gateway.console.routes.flows import STATUS
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import PagingDep
from services.gateway.http.guards import allowed, require
from services.gateway.http.sequences import SEQUENCE, Why

router = APIRouter()
READING = require("read", reading=True)
SUBMITTING = require("submit")
CHANNELS = {"email": ("بريد إلكتروني", "E-mail"), "whatsapp": ("واتساب", "WhatsApp")}
APPROVALS = {
    "whole": ("واحدة للسلسلة كاملة", "One for the whole sequence"),
    "each": ("لكل رسالة", "One for each message"),
}
OUTCOMES = {
    "replied": ("وصل رد", "They answered"), "withdrawn": ("سُحبت الموافقة على التواصل", "Consent was withdrawn"),
    "suppressed": ("في قائمة عدم التواصل", "On the do-not-contact list"), "stage_changed": ("انتقلت الصفقة", "The deal moved on"),
    "no_reply": ("انتهت دون رد", "Ended without a reply"), "not_approved": ("لم تُعتمد", "Not approved"),
}  # fmt: skip
WHY: dict[Why, tuple[str, str]] = {
    "replied": ("وصل رد منه", "They answered"), "withdrawn": ("طلب ألا نراسله", "They asked us not to write"),
    "suppressed": ("أُضيف إلى قائمة عدم التواصل", "They are on the do-not-contact list"), "stage_changed": ("انتقلت الصفقة", "The deal moved on"),
}  # fmt: skip
TABS = (FlowStatus.RUNNING, FlowStatus.NEEDS_ATTENTION, FlowStatus.FAILED, FlowStatus.PAUSED, FlowStatus.COMPLETED, FlowStatus.CANCELLED)  # fmt: skip


@router.get(PATHS["sequences"], dependencies=[READING])
async def listed(desk: DeskDep, paging: PagingDep, status: FlowStatus | None = None) -> Response:
    """All of them, the newest first, or those of one status."""
    asked = flows.FlowsRequest(
        principal=desk.who, flow=SEQUENCE, status=status, page=paging.page(desk.gateway, desk.who)
    )
    found: FlowsReply = await desk.call(FLOWS, asked)
    links = {}
    if (more := wrap(desk.gateway.keyring, desk.who.tenant_id, found.next_cursor)) is not None:
        links[desk.say("المزيد", "More")] = url("sequences", status=status, cursor=more)
    if allowed(desk.who, "submit") is not None:
        links[desk.say("ابدأ سلسلة", "Start a sequence")] = url("sequence_new")
    columns = (
        desk.say("جهة الاتصال", "Contact"), desk.say("الحالة", "Status"), desk.say("أُرسل", "Sent"), desk.say("التالي", "Next"),
        desk.say("في", "When"), desk.say("آخر تغيّر", "Changed"),
    )  # fmt: skip
    section = Section(
        desk.say("السلاسل", "Sequences"),
        desk.say(
            "رسائل متتابعة إلى شخص واحد في أوقات عملك. لا تُرسل رسالة قبل الموافقة عليها، وتتوقف السلسلة عند أول رد أو سحب للموافقة.",
            "Messages to one person in your business hours. Nothing is sent before it is approved; a reply or a withdrawn consent ends it.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items), links=links,
        empty=desk.nothing("sequences", chosen=status is not None),
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("sequences"), status is None),
        *(Tab(one, desk.say(*STATUS[one][:2]), url("sequences", status=one), status is one) for one in TABS),
    )
    title = desk.say("سلاسل التواصل", "Sequences")
    return await desk.show(DeskPage("sequences", title, (section,), tabs, desk.say("الحالات", "Statuses")))


def _row(desk: Desk, one: Flow) -> tuple[Cell, ...]:
    said, at = _next(desk, one)
    sent = f"{one.state.get('sent', 0)}/{len(one.state.get('messages', ()))}"
    return (
        # The name leads to the sequence; the sequence leads to the person.
        Cell(f"contact:{one.state.get('contact_id', '')}", href=url("sequence", str(one.flow_id))),
        _standing(desk, one), Cell(sent, "ltr"), Cell(said), Cell(at, "moment"), Cell(one.updated_at, "moment"),
    )  # fmt: skip


def _standing(desk: Desk, one: Flow) -> Cell:
    """Its status, and how it ended."""
    ar, en, tone = STATUS[one.status]
    said = desk.say(ar, en)
    if one.outcome in OUTCOMES:
        said = desk.say(*OUTCOMES[one.outcome])
        tone = "low" if one.outcome == "replied" else "neutral"
    return Cell(said, tone=tone)


def _next(desk: Desk, one: Flow) -> tuple[str, datetime | None]:
    """What it waits for in words, and until when."""
    wait = _wait(one)
    if wait is None:
        return "", None
    number = one.state.get("sent", 0) + 1
    if wait.step == "listen":
        return desk.say("انتظار الرد", "A reply"), wait.until
    if wait.kind is WaitKind.TIMER:
        return desk.say(f"موعد الرسالة {number}", f"The time of message {number}"), wait.until
    if wait.step == "approve":
        return desk.say("الموافقة على السلسلة", "Approval of the sequence"), wait.until
    return desk.say(f"الموافقة على الرسالة {number} أو إرسالها", f"Message {number} to be approved or sent"), wait.until


def _wait(one: Flow) -> FlowWait | None:
    return one.waits[0] if one.waits and one.status not in ENDED else None


@router.get(PATHS["sequence"], dependencies=[READING])
async def sequence(id: UUID, desk: DeskDep) -> Response:
    return await _sequence(desk, id)


async def _found(desk: Desk, id: UUID) -> Flow:
    """Raises NotFound, also for a flow that is no sequence."""
    one: Flow = await desk.call(FLOW, flows.FlowGet(principal=desk.who, flow_id=id))
    if one.flow != SEQUENCE:
        raise NotFound
    return one


async def _sequence(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    one = await _found(desk, id)
    sections = (await _about(desk, one), _messages(desk, one), *_stopping(desk, one))
    contact = f"contact:{one.state.get('contact_id', '')}"
    names = await desk.records({contact})
    title = desk.say("سلسلة إلى ", "Sequence to ") + names.get(contact, desk.say("جهة اتصال", "a contact"))
    page = DeskPage(
        "sequences", title, sections, error=error, back=url("sequences"), back_label=desk.say("سلاسل التواصل", "Sequences")
    )  # fmt: skip
    return await desk.show(page, status=status)


async def _about(desk: Desk, one: Flow) -> Section:
    whole = one.state.get("approval", "each") == "whole"
    approval = desk.say(*APPROVALS["whole" if whole else "each"])
    if whole:
        days = int(one.state.get("good_for_days", 30))
        approval += desk.say(f"، صالحة {DAYS(days)}", f", good for {days} days")
    said, at = _next(desk, one)
    facts = [
        (desk.say("الحالة", "Status"), _standing(desk, one)),
        (desk.say("جهة الاتصال", "Contact"), Cell(f"contact:{one.state.get('contact_id', '')}")),
    ]  # fmt: skip
    if one.state.get("deal_id"):
        facts.append((desk.say("تتوقف إذا انتقلت صفقة", "Ends when this deal moves"), Cell(f"deal:{one.state['deal_id']}")))  # fmt: skip
    facts += [
        (desk.say("الموافقة", "Approval"), Cell(approval)), (desk.say("بدأها", "Started by"), Cell(one.started_by, "ltr")),
        (desk.say("الوقت", "When"), Cell(one.created_at, "moment")),
    ]  # fmt: skip
    if said:
        facts.append((desk.say("التالي", "Next"), Cell(said)))
    if at is not None:
        facts.append((desk.say("في", "At"), Cell(at, "moment")))
    if one.error is not None:
        facts.append((desk.say("آخر سبب للتأجيل أو التعثر", "Why it was put off or stopped"), Cell(desk.say(one.error.ar, one.error.en))))  # fmt: skip
    facts += await _waiting_action(desk, one)
    links = {desk.say("المسار بالتفصيل", "The flow in detail"): url("flow", str(one.flow_id))}
    return Section(desk.say("الوضع", "Standing"), facts=tuple(facts), links=links)


async def _waiting_action(desk: Desk, one: Flow) -> list[tuple[str, Cell]]:
    """Where the action stands that it waits for, with the way to its approval. Nothing where nobody tells."""
    wait = _wait(one)
    if wait is None or wait.kind is not WaitKind.ACTION or wait.ref is None:
        return []
    try:
        action: Action = await desk.call(ACTION, ActionGet(principal=desk.who, action_id=wait.ref))
    except DealixError:
        return []
    waits = action.state == "awaiting_approval" and action.approval_id is not None
    href = url("approval", str(action.approval_id)) if waits else url("action", str(wait.ref))
    state = word("action_state", action.state)
    return [(desk.say("الإجراء", "Action"), Cell(desk.say(state.ar, state.en), href=href))]


def _messages(desk: Desk, one: Flow) -> Section:
    """Every message as it is on record; an approver may have edited it."""
    sent, over = int(one.state.get("sent", 0)), one.status in ENDED
    notes = []
    for at, message in enumerate(one.state.get("messages", ())):
        payload = message.get("payload", {})
        state = (
            desk.say("أُرسلت", "Sent") if at < sent
            else desk.say("لم تُرسل", "Not sent") if over
            else desk.say("التالية", "Next") if at == sent else desk.say("لاحقًا", "Later")
        )  # fmt: skip
        title = desk.say(f"الرسالة {at + 1}: ", f"Message {at + 1}: ") + state
        hours = int(message.get("after_business_hours", 0))
        after = (
            desk.say(f"بعد {HOURS(hours)} من أوقات العمل", f"After {hours} business hours")
            if hours and at
            else desk.say("عند أول وقت عمل", "When business is open")
        )
        meta = desk.say(*CHANNELS.get(message.get("channel"), ("", ""))) + " · " + after
        subject = f"{payload['subject']}\n\n" if payload.get("subject") else ""
        notes.append(Note(title, subject + str(payload.get("body", "")), meta))
    return Section(desk.say("الرسائل", "Messages"), notes=tuple(notes))


def _stopping(desk: Desk, one: Flow) -> tuple[Section, ...]:
    if one.status in ENDED or allowed(desk.who, "submit") is None:
        return ()
    options = tuple((key, desk.say(*said)) for key, said in WHY.items())
    inputs = (
        Input("signal_id", "", "hidden", str(new_id())),
        Input("why", desk.say("السبب", "Why"), "select", "replied", options=options),
        Input("note", desk.say("ملاحظة (اختياري)", "Note (optional)"), required=False),
    )
    text = desk.say(
        "لا تُرسل الرسائل الباقية، ويُسحب طلب الموافقة المعلّق. لا يُلغى ما أُرسل.",
        "What is left is not sent, and a waiting approval is withdrawn. What was sent stays sent.",
    )
    form = DeskForm("stop", url("sequence_stop", str(one.flow_id)), desk.say("أوقف السلسلة", "Stop the sequence"), inputs, danger=True, columns=True)  # fmt: skip
    return (Section(desk.say("إيقافها", "Stop it"), text, forms=(form,)),)


@router.post(PATHS["sequence_stop"], dependencies=[SUBMITTING])
async def stop(
    id: UUID, desk: DeskDep, signal_id: Annotated[UUID, Form()], why: Annotated[Why, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """End it; the form's own id makes pressing twice count once."""
    await _found(desk, id)
    asked = flows.SignalFlow(principal=desk.who, flow_id=id, signal_id=signal_id, name=why, payload={"note": note})
    try:
        await desk.call(SIGNAL_FLOW, asked)
    except DealixError as error:
        return await _sequence(desk, id, error=desk.error(error), status=error.status)
    return desk.go("sequence", str(id))
