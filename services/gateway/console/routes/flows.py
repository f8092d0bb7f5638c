"""Flows: what runs and what it waits for, one flow with its history and how it is undone, and the ways to put it right."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import flows
from libs.contracts.catalogue.flows import flow_title, step_title
from libs.contracts.catalogue.words import effect_title, word
from libs.contracts.errors import DealixError
from libs.contracts.flows import ENDED, CompensationState, Flow, FlowRevision, FlowStatus, FlowVerb, FlowWait, WaitKind
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import COMMAND_FLOW, FLOW, FLOW_REVISIONS, FLOWS, SIGNAL_FLOW
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.packs import pack_form
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.guards import allowed, require

router = APIRouter()

READING = require("read", reading=True)
SUBMITTING = require("submit")
Tone = Literal["", "neutral", "low", "medium", "high"]
SHOWN = 200
STATUS: dict[FlowStatus, tuple[str, str, Tone]] = {
    FlowStatus.NEEDS_ATTENTION: ("يحتاج تدخلك", "Needs you", "high"), FlowStatus.FAILED: ("متعثّر", "Failed", "high"),
    FlowStatus.RUNNING: ("قيد التنفيذ", "Running", "neutral"), FlowStatus.PAUSED: ("متوقف مؤقتًا", "Paused", "medium"),
    FlowStatus.ROLLING_BACK: ("قيد التراجع", "Rolling back", "medium"), FlowStatus.COMPLETED: ("مكتمل", "Completed", "low"),
    FlowStatus.CANCELLED: ("ملغى", "Cancelled", "neutral"), FlowStatus.ROLLED_BACK: ("تم التراجع", "Rolled back", "neutral"),
}  # fmt: skip
WAITS = {
    WaitKind.ACTION: ("إجراء", "An action"), WaitKind.SIGNAL: ("خبر من خارج النظام", "News from outside"), WaitKind.TIMER: ("موعد", "A time"),
    WaitKind.CHILD: ("مسار فرعي", "A child flow"), WaitKind.AGENT: ("وكيل", "An agent"), WaitKind.PERSON: ("شخص", "A person"),
}  # fmt: skip
UNDONE = {
    CompensationState.RECORDED: ("مسجّلة", "On record"), CompensationState.RUNNING: ("قيد التنفيذ", "Under way"),
    CompensationState.DONE: ("تمت", "Done"), CompensationState.NOT_NEEDED: ("غير لازمة", "Not needed"),
    CompensationState.FAILED: ("تعذّرت", "Failed"), CompensationState.SKIPPED: ("جرى تجاوزها", "Passed over"),
}  # fmt: skip
BUTTONS: dict[FlowVerb, tuple[str, str, frozenset[FlowStatus], bool]] = {
    FlowVerb.RETRY: ("أعد المحاولة", "Retry", frozenset({FlowStatus.FAILED, FlowStatus.NEEDS_ATTENTION}), False),
    FlowVerb.SKIP: ("اطلب تجاوز الخطوة", "Ask to skip the step", frozenset({FlowStatus.FAILED, FlowStatus.NEEDS_ATTENTION}), False),
    FlowVerb.PAUSE: ("أوقف مؤقتًا", "Pause", frozenset({FlowStatus.RUNNING, FlowStatus.ROLLING_BACK}), False),
    FlowVerb.RESUME: ("استأنف", "Resume", frozenset({FlowStatus.PAUSED}), False),
    FlowVerb.ROLLBACK: (
        "تراجع عمّا نُفّذ", "Roll back", frozenset({FlowStatus.RUNNING, FlowStatus.PAUSED, FlowStatus.FAILED, FlowStatus.COMPLETED}), True,
    ),
    FlowVerb.CANCEL: ("ألغِ المسار", "Cancel", frozenset({FlowStatus.RUNNING, FlowStatus.PAUSED, FlowStatus.FAILED}), True),
}  # fmt: skip


@router.get(PATHS["flows"], dependencies=[READING])
async def listed(desk: DeskDep, status: Annotated[str, Query(max_length=30)] = "") -> Response:
    wanted = FlowStatus(status) if status in set(FlowStatus) else None
    reply = await desk.call(FLOWS, flows.FlowsRequest(principal=desk.who, status=wanted))
    rows = tuple(_row(desk, one) for one in reply.items)
    columns = (
        desk.say("المسار", "Flow"), desk.say("الحالة", "Status"), desk.say("ينتظر", "Waits for"), desk.say("حتى", "Until"),
        desk.say("بدأه", "Started by"), desk.say("آخر تغيّر", "Changed"),
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("flows"), wanted is None),
        *(
            Tab(s.value, desk.say(ar, en), url("flows", status=s.value), wanted is s)
            for s, (ar, en, _) in STATUS.items()
        ),
    )
    section = Section(
        desk.say("المسارات", "Flows"),
        desk.say("كل مسار محفوظ خطوة بخطوة، ويكمل بعد أي توقف.", "Every flow is kept step by step, and goes on after any stop."),
        columns=columns, rows=rows, empty=desk.nothing("flows", chosen=bool(status)),
    )  # fmt: skip
    title = desk.say("المسارات", "Flows")
    return await desk.show(DeskPage("flows", title, (section,), tabs, desk.say("الحالات", "Statuses")))


def _row(desk: Desk, one: Flow) -> tuple[Cell, ...]:
    ar, en, tone = STATUS[one.status]
    wait = one.waits[0] if one.waits else None
    return (
        Cell(_title(desk, one), href=url("flow", str(one.flow_id))), Cell(desk.say(ar, en), tone=tone),
        Cell(desk.say(*WAITS[wait.kind]) if wait else ""), Cell(wait.until if wait else None, "moment"), Cell(one.started_by),
        Cell(one.updated_at, "moment"),
    )  # fmt: skip


def _title(desk: Desk, one: Flow) -> str:
    title = flow_title(one.flow)
    return desk.say(title.ar, title.en)


def _step(desk: Desk, one: Flow, step: str) -> str:
    title = step_title(one.flow, step)
    return desk.say(title.ar, title.en)


@router.get(PATHS["flow"], dependencies=[READING])
async def flow(id: UUID, desk: DeskDep) -> Response:
    return await _flow(desk, id)


async def _flow(desk: Desk, flow_id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: Flow = await desk.call(FLOW, flows.FlowGet(principal=desk.who, flow_id=flow_id))
    history = await _history(desk, flow_id)
    sections = [_standing(desk, found), _waiting(desk, found), _undoing(desk, found), _past(desk, found, history)]
    page = DeskPage(
        "flows", _title(desk, found), tuple(sections), error=error, back=url("flows"), back_label=desk.say("المسارات", "Flows")
    )  # fmt: skip
    return await desk.show(page, status=status)


async def _history(desk: Desk, flow_id: UUID) -> tuple[FlowRevision, ...]:
    page = Page(limit=SHOWN)
    request = flows.RevisionsRequest(principal=desk.who, flow_id=flow_id, page=page)
    return tuple((await desk.call(FLOW_REVISIONS, request)).items)


def _standing(desk: Desk, found: Flow) -> Section:
    ar, en, tone = STATUS[found.status]
    facts = [
        (desk.say("الحالة", "Status"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("المعرّف", "Id"), Cell(str(found.flow_id), "ltr")),
        (desk.say("الإصدار", "Version"), Cell(f"{found.flow}@{found.version}", "ltr")),
        (desk.say("بدأه", "Started by"), Cell(found.started_by)), (desk.say("الوقت", "When"), Cell(found.created_at, "moment")),
    ]  # fmt: skip
    if found.failed_step:
        facts.append((desk.say("توقّف عند", "Stopped at"), Cell(_step(desk, found, found.failed_step))))
    if found.error is not None:
        facts.append((desk.say("السبب", "Why"), Cell(desk.say(found.error.ar, found.error.en))))
    if found.parent_id is not None:
        facts.append(
            (desk.say("المسار الأصل", "Parent"), Cell(str(found.parent_id), "ltr", url("flow", str(found.parent_id))))
        )
    facts.append((desk.say("البيانات", "State"), Cell(json.dumps(found.state, ensure_ascii=False)[:2000], "ltr")))
    buttons = tuple(
        DeskForm(verb.value, url("flow_command", str(found.flow_id)), desk.say(ar, en), (Input("verb", "", "hidden", verb.value),), danger=danger)
        for verb, (ar, en, when, danger) in BUTTONS.items()
        if found.status in when
    )  # fmt: skip
    return Section(
        desk.say("الوضع", "Standing"),
        facts=tuple(facts),
        forms=(*(buttons if _may(desk) else ()), *pack_form(desk, f"flow:{found.flow_id}")),
    )


def _waiting(desk: Desk, found: Flow) -> Section:
    rows = tuple(
        (
            Cell(_step(desk, found, wait.step), href=_opens(wait)), Cell(desk.say(*WAITS[wait.kind])), Cell(wait.signal or "", "ltr"), Cell(", ".join(wait.roles), "ltr"),
            Cell(wait.until, "moment"),
        )
        for wait in found.waits
    )  # fmt: skip
    heard = [wait for wait in found.waits if wait.signal is not None] if found.status not in ENDED else []
    forms = tuple(_signal_form(desk, found, wait) for wait in heard) if _may(desk) else ()
    columns = (
        desk.say("الخطوة", "Step"), desk.say("ينتظر", "Waits for"), desk.say("الإشارة", "Signal"), desk.say("من يحق له", "Who may"),
        desk.say("حتى", "Until"),
    )  # fmt: skip
    return Section(
        desk.say("ما ينتظره", "What it waits for"), columns=columns, rows=rows, empty=desk.say("لا ينتظر شيئًا.", "It waits for nothing."), forms=forms
    )  # fmt: skip


def _opens(wait: FlowWait) -> str:
    """What a wait is for, where it has a page: the action or the child flow."""
    names = {WaitKind.ACTION: "action", WaitKind.CHILD: "flow"}
    return url(names[wait.kind], str(wait.ref)) if wait.ref is not None and wait.kind in names else ""


def _signal_form(desk: Desk, found: Flow, wait: FlowWait) -> DeskForm:
    fields = (
        Input("name", "", "hidden", wait.signal or ""), Input("signal_id", "", "hidden", str(new_id())),
        Input("payload", desk.say("المحتوى (JSON)", "Payload (JSON)"), "long", "{}", ltr=True),
    )  # fmt: skip
    step = _step(desk, found, wait.step)
    said = desk.say(f"أخبر المسار: {step}", f"Tell the flow: {step}")
    return DeskForm(f"signal-{wait.step}", url("flow_signal", str(found.flow_id)), said, fields)


def _undoing(desk: Desk, found: Flow) -> Section:
    rows = tuple(
        (
            Cell(_step(desk, found, one.step)),
            Cell(_effect(desk, one.action_type)),
            Cell(desk.say(*UNDONE[one.state])),
            Cell(str(one.tries or ""), "ltr"),
        )
        for one in found.compensations
    )
    return Section(
        desk.say("كيف يُتراجع عنه", "How it is undone"),
        desk.say("تُسجَّل طريقة التراجع قبل تنفيذ الخطوة، ويجري التراجع بعكس الترتيب.", "How to undo a step is on record before it runs; undoing goes in reverse."),
        columns=(desk.say("الخطوة", "Step"), desk.say("الإجراء", "Action"), desk.say("الحالة", "State"), desk.say("المحاولات", "Tries")),
        rows=rows, empty=desk.say("لا خطوة نُفّذت ولها أثر.", "No step with an effect has run."),
    )  # fmt: skip


def _effect(desk: Desk, action_type: str) -> str:
    title = effect_title(action_type)
    return desk.say(title.ar, title.en)


def _note(desk: Desk, note: str) -> str:
    text = word("flow_note", note.partition(":")[0])
    return desk.say(text.ar, text.en)


def _past(desk: Desk, found: Flow, history: tuple[FlowRevision, ...]) -> Section:
    rows = tuple(
        (
            Cell(str(one.seq), "ltr"), Cell(one.at, "moment"), Cell(_note(desk, one.note)),
            Cell(_step(desk, found, one.step) if one.step else ""), Cell(one.by, "ltr"),
        )
        for one in history
    )  # fmt: skip
    ran = tuple(dict.fromkeys(one.step for one in history if one.step))
    fork = DeskForm(
        "fork", url("flow_command", str(found.flow_id)), desk.say("ابدأ مسارًا جديدًا من هنا", "Start a new flow from here"),
        (Input("verb", "", "hidden", "fork"), Input("step", desk.say("الخطوة", "Step"), "select", options=tuple((s, _step(desk, found, s)) for s in ran))),
    )  # fmt: skip
    return Section(
        desk.say("السجل", "History"),
        columns=("#", desk.say("الوقت", "When"), desk.say("ما حدث", "What happened"), desk.say("الخطوة", "Step"), desk.say("من", "By")),
        rows=rows, forms=(fork,) if ran and _may(desk) else (),
    )  # fmt: skip


@router.post(PATHS["flow_command"], dependencies=[SUBMITTING])
async def command(
    id: UUID, desk: DeskDep, verb: Annotated[FlowVerb, Form()], step: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    asked = flows.CommandFlow(
        principal=desk.who, flow_id=id, verb=verb, step=step or None, new_id=new_id() if verb is FlowVerb.FORK else None
    )
    try:
        changed: Flow = await desk.call(COMMAND_FLOW, asked)
    except DealixError as error:
        return await _flow(desk, id, error=desk.error(error), status=error.status)
    return desk.go("flow", str(changed.flow_id))


@router.post(PATHS["flow_signal"], dependencies=[SUBMITTING])
async def signal(
    id: UUID,
    desk: DeskDep,
    name: Annotated[str, Form(max_length=100)],
    signal_id: Annotated[UUID, Form()],
    payload: Annotated[str, Form(max_length=100_000)] = "{}",
) -> Response:
    """Tell a flow something; the form's own id makes pressing twice count once."""
    given = _object(payload)
    if given is None:
        said = desk.say("اكتب كائن JSON صحيحًا.", "Write a valid JSON object.")
        return await _flow(desk, id, error=said, status=422)
    asked = flows.SignalFlow(principal=desk.who, flow_id=id, signal_id=signal_id, name=name, payload=given)
    try:
        await desk.call(SIGNAL_FLOW, asked)
    except DealixError as error:
        return await _flow(desk, id, error=desk.error(error), status=error.status)
    return desk.go("flow", str(id))


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _may(desk: Desk) -> bool:
    return allowed(desk.who, "submit") is not None
