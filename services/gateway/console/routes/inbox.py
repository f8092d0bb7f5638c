"""The inbox: what waits for whoever is signed in, and each thing with what a person can do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import crm
from libs.contracts import inbox as contract
from libs.contracts.catalogue.inbox import inbox as rules
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.inbox import InboxItem, InboxKind
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import CHANGE_RECORD, CREATE_RECORD, RECORD
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import PagingDep
from services.gateway.http.guards import allowed, require
from services.gateway.http.inbox import waiting

router = APIRouter()
READING = require("read", reading=True)
EDITING = require("import")
KEPT_AS = {InboxKind.MESSAGE: RecordKind.ACTIVITY, InboxKind.TASK: RecordKind.TASK, InboxKind.TICKET: RecordKind.TICKET}
_FACTS = ("priority", "status", "assignee", "due_at", "answered_at", "at")
_WORDS = {"open": ("مفتوحة", "Open"), "in_progress": ("قيد العمل", "In progress"), "waiting": ("بانتظار العميل", "Waiting for them"),
          "resolved": ("حُلّت", "Resolved"), "done": ("أُنجزت", "Done"), "cancelled": ("أُلغيت", "Cancelled")}  # fmt: skip
Kind = Annotated[InboxKind, Query()]


@router.get(PATHS["inbox"], dependencies=[READING])
async def inbox(
    desk: DeskDep, paging: PagingDep, kind: InboxKind | None = None, scope: contract.Scope = "mine", done: str = ""
) -> Response:  # fmt: skip
    if desk.caller is None:
        raise NotFound
    page = paging.page(desk.gateway, desk.who)
    # All kinds are counted, whichever one is shown: the tabs say how much waits behind them.
    whole = await waiting(desk.gateway, desk.caller, (), scope, Page(limit=page.limit) if kind else page)
    found = whole
    if kind is not None:
        found = await waiting(desk.gateway, desk.caller, (kind,), scope, page)
    more = wrap(desk.gateway.keyring, desk.who.tenant_id, found.next_cursor)
    links = {desk.say("المزيد", "More"): url("inbox", kind=kind, scope=_said(scope), cursor=more)} if more else {}
    columns = (desk.say("الموضوع", "Subject"), desk.say("النوع", "Kind"), desk.say("الموعد", "Due"), desk.say("المهلة", "Clock"), desk.say("لدى", "With"))  # fmt: skip
    title = desk.say("الوارد", "Inbox")
    section = Section(
        desk.say("ما ينتظرك", "What waits for you") if scope == "mine" else desk.say("ما ينتظر الفريق", "What waits for the team"),
        _told(desk, found), columns=columns, rows=tuple(_row(desk, one) for one in found.items), empty=_empty(desk, kind), links=links,
    )  # fmt: skip
    shown = DeskPage(
        "inbox", title, (section,), _tabs(desk, whole, kind, scope), desk.say("الأنواع", "Kinds"),
        done=desk.say("سُجّل ذلك.", "It is recorded.") if done else "",
    )  # fmt: skip
    return await desk.show(shown)


def _tabs(desk: Desk, found: contract.InboxReply, kind: InboxKind | None, scope: contract.Scope) -> tuple[Tab, ...]:
    def tab(one: InboxKind | None, label: str, count: int) -> Tab:
        return Tab(one or "all", label, url("inbox", kind=one, scope=_said(scope)), kind is one, count)

    each = tuple(
        tab(one, desk.say(*_MANY[one]), found.counts.get(one.value, 0)) for one in InboxKind if one not in found.missing
    )
    return (tab(None, desk.say("الكل", "All"), sum(found.counts.values())), *each)


_MANY = {
    InboxKind.MESSAGE: ("الرسائل", "Messages"), InboxKind.APPROVAL: ("الموافقات", "Approvals"), InboxKind.TASK: ("المهام", "Tasks"),
    InboxKind.TICKET: ("التذاكر", "Tickets"),
}  # fmt: skip


def _said(scope: contract.Scope) -> str | None:
    return scope if scope != "mine" else None


def _told(desk: Desk, found: contract.InboxReply) -> str:
    text = desk.say("الأقرب موعدًا أولًا.", "The soonest due first.")
    if found.missing:
        names = desk.say("، ", ", ").join(desk.say(*_MANY[one]) for one in found.missing)
        text += desk.say(
            f" تعذّرت قراءة: {names}؛ لم يضع منها شيء.", f" Could not be read: {names}; nothing of them is lost."
        )
    if found.capped:
        text += desk.say(" وينتظر أكثر مما يظهر هنا.", " More waits than is shown here.")
    return text


def _empty(desk: Desk, kind: InboxKind | None) -> str:
    if kind is None:
        return desk.say("لا شيء ينتظرك الآن.", "Nothing waits for you now.")
    return desk.say("لا شيء من هذا النوع ينتظرك.", "Nothing of this kind waits for you.")


def _row(desk: Desk, one: InboxItem) -> tuple[Cell, ...]:
    what = desk.say(one.what.ar, one.what.en) if one.what else ""
    title = " · ".join(part for part in (one.account_name, what, one.title) if part)
    if one.count > 1:
        title += f" ({one.count})"
    href = (
        url("approval", str(one.id))
        if one.kind is InboxKind.APPROVAL
        else url("inbox_item", str(one.id), kind=one.kind)
    )
    rule = rules().kinds[one.kind]
    clock = (
        Cell(desk.say("تجاوز المهلة", "Late"), tone="high")
        if one.late
        else Cell(desk.say("ضمن المهلة", "In time"), tone="low")
    )
    assigned = present.role(desk.lang, one.assignee) if one.assignee else ""
    return (
        Cell(title, href=href), Cell(desk.say(rule.ar, rule.en), tone="neutral"), Cell(one.due_at, "moment"), clock, Cell(assigned),
    )  # fmt: skip


@router.get(PATHS["inbox_item"], dependencies=[READING])
async def item(id: UUID, desk: DeskDep, kind: Kind) -> Response:
    return await _item(desk, kind, id)


async def _item(desk: Desk, kind: InboxKind, id: UUID, *, error: str = "", status: int = 200) -> Response:
    if kind not in KEPT_AS:
        raise NotFound
    record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=KEPT_AS[kind], id=id))
    values, fields = record.values, records().kinds[record.kind].fields
    facts = [
        (desk.say(fields[name].ar, fields[name].en), _fact(desk, name, str(values[name])))
        for name in _FACTS
        if name in fields and values.get(name)
    ]
    for name in ("account_id", "contact_id", "deal_id"):
        if values.get(name) and record.names.get(name):
            page = name.removesuffix("_id")
            facts.append((desk.say(fields[name].ar, fields[name].en), Cell(record.names[name], href=url(page, str(values[name])))))  # fmt: skip
    text = str(values.get("body") or "")
    title = str(values.get("subject") or values.get("title") or "")
    about = Section(desk.say("ما على السجل", "What is on record"), facts=tuple(facts))
    words = (Section(desk.say("النص", "Text"), notes=(Note(title, text),)),) if text else ()
    page_ = DeskPage(
        "inbox", title, (*words, about, _doing(desk, kind, record)), error=error, back=url("inbox"), back_label=desk.say("الوارد", "Inbox")
    )  # fmt: skip
    return await desk.show(page_, status=status)


def _fact(desk: Desk, name: str, value: str) -> Cell:
    if name == "status":
        return Cell(desk.say(*_WORDS[value]))
    if name.endswith("at"):
        return Cell(datetime.fromisoformat(value), "moment")
    return Cell(value, "ltr" if name == "priority" else "text")


def _doing(desk: Desk, kind: InboxKind, record: crm.Record) -> Section:
    title = desk.say("ماذا تفعل", "What to do")
    if allowed(desk.who, "import") is None or record.values.get("status") in ("done", "cancelled", "resolved"):
        return Section(title, desk.say("لا شيء يُنتظر منك هنا.", "Nothing is asked of you here."))
    hidden = (Input("kind", "", "hidden", kind.value), Input("version", "", "hidden", str(record.version)))
    key = str(record.id)
    note = Input("note", desk.say(*_NOTES[kind]), "long", required=kind is not InboxKind.TASK)
    forms = [DeskForm("done", url("inbox_done", key), desk.say(*_VERBS[kind]), (note, *hidden))]
    if kind is InboxKind.TICKET and not record.values.get("assignee"):
        forms.append(DeskForm("take", url("inbox_take", key), desk.say("تولَّها", "Take it"), hidden, quiet=True))
    return Section(title, forms=tuple(forms))


_VERBS = {
    InboxKind.MESSAGE: ("سجّل الرد", "Record the answer"), InboxKind.TASK: ("أُنجزت", "Done"), InboxKind.TICKET: ("حُلّت", "Resolved"),
}  # fmt: skip
_NOTES = {
    InboxKind.MESSAGE: ("ما رددت به", "What you answered"), InboxKind.TASK: ("ملاحظة", "Note"), InboxKind.TICKET: ("الحل", "What solved it"),
}  # fmt: skip


@router.post(PATHS["inbox_done"], dependencies=[EDITING])
async def done(
    id: UUID, desk: DeskDep, kind: Annotated[InboxKind, Form()], version: Annotated[int, Form(ge=0)] = 0,
    note: Annotated[str, Form(max_length=5000)] = "",
) -> Response:  # fmt: skip
    """Record that it was done: an answer beside the message, a task's end, a ticket's solution. Nothing is sent."""
    if kind not in KEPT_AS:
        raise NotFound
    said = note.strip()
    if not said and kind is not InboxKind.TASK:
        return await _item(desk, kind, id, error=desk.say("اكتب ما جرى.", "Write down what was done."), status=422)
    try:
        if kind is InboxKind.MESSAGE:
            await _answered(desk, id, said)
        else:
            await _changed(desk, kind, id, version, await _ended(desk, kind, id, said))
    except DealixError as error:
        return await _item(desk, kind, id, error=desk.error(error), status=error.status)
    return desk.go("inbox", done="1")


@router.post(PATHS["inbox_take"], dependencies=[EDITING])
async def take(id: UUID, desk: DeskDep, version: Annotated[int, Form(ge=0)] = 0) -> Response:
    """Take a ticket under one's own name."""
    values = {"assignee": desk.who.name or desk.who.id, "status": "in_progress"}
    try:
        await _changed(desk, InboxKind.TICKET, id, version, values)
    except DealixError as error:
        return await _item(desk, InboxKind.TICKET, id, error=desk.error(error), status=error.status)
    return desk.go("inbox_item", str(id), kind=InboxKind.TICKET)


async def _ended(desk: Desk, kind: InboxKind, id: UUID, said: str) -> dict[str, Any]:
    """What ends a task or a ticket. A ticket that nobody answered before is answered by its solution."""
    if kind is InboxKind.TASK:
        return {"status": "done"}
    now = desk.gateway.now().isoformat()
    ticket: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind.TICKET, id=id))
    answered = ticket.values.get("answered_at") or now
    return {"status": "resolved", "resolved_at": now, "resolution": said[:1000], "answered_at": answered}


async def _changed(desk: Desk, kind: InboxKind, id: UUID, version: int, values: dict[str, Any]) -> None:
    change = crm.ChangeRecord(principal=desk.who, kind=KEPT_AS[kind], id=id, values=values, version=version or None)
    await desk.call(CHANGE_RECORD, change)


async def _answered(desk: Desk, id: UUID, said: str) -> None:
    """An activity of ours after theirs, about the same people: the conversation no longer waits."""
    asked: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind.ACTIVITY, id=id))
    about = {
        name: asked.values[name]
        for name in ("account_id", "contact_id", "lead_id", "deal_id")
        if asked.values.get(name)
    }
    values = {
        "type": asked.values["type"], "direction": "outbound", "subject": str(asked.values["subject"])[:300], "body": said,
        "at": desk.gateway.now().isoformat(), **about,
    }  # fmt: skip
    await desk.call(
        CREATE_RECORD, crm.CreateRecord(principal=desk.who, kind=RecordKind.ACTIVITY, id=new_id(), values=values)
    )
