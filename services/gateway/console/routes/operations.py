"""The operations hub, and an incident with its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import incidents as contract
from libs.contracts.errors import DealixError
from libs.contracts.flows import FlowStatus
from libs.contracts.incidents import IncidentDetail, IncidentKind, Severity
from libs.contracts.subjects import INCIDENT, NOTE_INCIDENT, REPORT_INCIDENT
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Entry, Input, Section
from services.gateway.console.routes import flows
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.http.guards import allowed, require
from services.gateway.operations import Line, Operations, Part, State, overview

router = APIRouter()

Reading = require("read", reading=True)
Operating = require("control")

STATES: dict[State, tuple[str, str, Tone]] = {
    "ok": ("سليم", "Well", "low"), "attention": ("يحتاج متابعة", "Needs somebody", "high"), "unknown": ("غير معروف", "Not known", "medium"),
    "hidden": ("لا يظهر لدورك", "Not for your role", "neutral"),
}  # fmt: skip
SEVERITIES = {Severity.PAGE: ("عاجل", "Urgent"), Severity.TICKET: ("غير عاجل", "Not urgent")}
KINDS = {
    IncidentKind.OUTAGE: ("توقف خدمات", "Planes did not answer"), IncidentKind.OBJECTIVE: ("هدف خدمة", "Service level objective"),
    IncidentKind.REPORTED: ("سجّله شخص", "Reported by a person"),
}  # fmt: skip
ENTRIES = {
    "opened": ("بدأ", "Began"), "grew": ("اشتد", "Grew"), "release": ("إصدار جديد", "New release"), "note": ("ملاحظة", "Note"), "ended": ("انتهى", "Ended"),
}  # fmt: skip
LEADS = {
    "incidents": "incident",
    "flows": "flow",
    "sla_breaches": "approval",
    "dead_letters": "dead_letter",
    "dead_events": "dead_event",
}
"""Where the name of a line is an id, the page that shows it."""
ALWAYS = ("planes", "backups")
"""Parts that are shown line by line also where all is well: versions, and when the last backup was."""
DESKS = {
    "flows": "flows",
    "sla_breaches": "approvals",
    "dead_letters": "dead_letters",
    "dead_events": "dead_letters",
    "paused": "connectors",
}
"""The page on which a part is worked."""


@router.get(PATHS["operations"], dependencies=[Reading])
async def operations(desk: DeskDep) -> Response:
    return await _hub(desk)


async def _hub(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    """What needs somebody first, part by part; below it the parts that do, line by line."""
    found: Operations = await overview(desk.gateway, desk.who)
    ar, en, _ = STATES[found.state]
    listed = [part for part in found.parts if part.lines and (part.state != "ok" or part.name in ALWAYS)]
    # The template numbers the parts of a page; the first is the list of all.
    places = {part.name: f"#part-{at}" for at, part in enumerate(listed, 2)}
    links = {desk.say("النسخ الاحتياطية والاستعادة", "Backups and restores"): url("recoveries")}
    parts = Section(desk.say(ar, en), entries=tuple(_entry(desk, part, places) for part in found.parts), links=links)
    lists = tuple(_lines(desk, part) for part in listed)
    forms = (_report(desk),) if allowed(desk.who, "control") is not None else ()
    report = Section(
        desk.say("سجّل حادثًا", "Put an incident on record"),
        desk.say(
            "يظهر لمنشأتك وحدها. وتسرب البيانات الشخصية يُسجّل أيضًا في سجل الحوادث، وله مهلة نظامية.",
            "Your tenant alone sees it. A breach of personal data also belongs in the register of incidents, which has the law's clock.",
        ),
        forms=forms, links={desk.say("سجل الحوادث", "Register of incidents"): url("register", "incidents")},
    )  # fmt: skip
    sections = (parts, *lists, report) if forms else (parts, *lists)
    page = DeskPage("operations", desk.say("غرفة التشغيل", "Operations"), sections, error=error)
    return await desk.show(page, status=status)


def _entry(desk: Desk, part: Part, places: Mapping[str, str]) -> Entry:
    ar, en, tone = STATES[part.state]
    state = desk.say(ar, en)
    if part.state == "attention":
        more = "+" if part.at_least else ""
        state = f"{state}: {part.count}{more}"
    href = places.get(part.name) or url(DESKS.get(part.name, "operations"))
    return Entry(desk.text(part.label), _about(desk, part), href, state, tone)


def _about(desk: Desk, part: Part) -> str:
    """The first things that need somebody; why it is not known; or how much of it is well."""
    if part.why is not None:
        return desk.text(part.why)
    late = [one for one in part.lines if one.state == "attention"]
    if late:
        return desk.say("، ", ", ").join(dict.fromkeys(desk.text(one.label) for one in late[:3]))
    silent = sum(one.state == "unknown" for one in part.lines)
    if silent:
        return desk.say(f"بلا قراءة: {silent}", f"Without a reading: {silent}")
    return desk.say("لا شيء ينتظر.", "Nothing waits.")


def _lines(desk: Desk, part: Part) -> Section:
    columns = (
        desk.say("ماذا", "What"),
        desk.say("الحالة", "State"),
        desk.say("القيمة", "Value"),
        desk.say("منذ", "Since"),
    )
    waiting = sorted(part.lines, key=lambda one: one.state != "attention")
    return Section(desk.text(part.label), columns=columns, rows=tuple(_row(desk, part, one) for one in waiting))


def _row(desk: Desk, part: Part, one: Line) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state]
    href = url(LEADS[part.name], one.name) if part.name in LEADS else ""
    return (
        Cell(desk.text(one.label), href=href), Cell(desk.say(ar, en), tone=tone), _value(desk, part, one), Cell(one.at, "moment"),
    )  # fmt: skip


def _value(desk: Desk, part: Part, one: Line) -> Cell:
    if part.name == "flows":
        ar, en, _ = flows.STATUS[FlowStatus(one.value)]
        return Cell(desk.say(ar, en))
    if part.name == "incidents":
        return Cell(desk.say(*SEVERITIES[Severity(one.value)]))
    if part.name == "sla_breaches":
        return Cell(present.role(desk.lang, one.value))
    if part.name == "alerts":
        return Cell(
            desk.say(f"المتبقي من هامش الخطأ {one.value}", f"{one.value} of the error budget left") if one.value else ""
        )
    return Cell(one.value, "ltr")


def _report(desk: Desk) -> DeskForm:
    severities = tuple((one.value, desk.say(*named)) for one, named in SEVERITIES.items())
    inputs = (
        Input("title", desk.say("ماذا حدث", "What happened")),
        Input("severity", desk.say("العجلة", "Urgency"), "select", Severity.TICKET.value, options=severities),
        Input("note", desk.say("تفاصيل", "Details"), "long", required=False),
    )  # fmt: skip
    return DeskForm("report", url("incident_report"), desk.say("سجّل الحادث", "Put it on record"), inputs)


@router.post(PATHS["incident_report"], dependencies=[Operating])
async def report(
    desk: DeskDep,
    title: Annotated[str, Form(max_length=200)] = "",
    severity: Annotated[Severity, Form()] = Severity.TICKET,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    if not title.strip():
        return await _hub(desk, error=desk.say("اكتب ماذا حدث.", "Write what happened."), status=422)
    asked = contract.ReportIncident(principal=desk.who, title=title.strip(), severity=severity, note=note.strip())
    made: IncidentDetail = await desk.call(REPORT_INCIDENT, asked)
    return desk.go("incident", str(made.incident.incident_id))


@router.get(PATHS["incident"], dependencies=[Reading])
async def incident(id: UUID, desk: DeskDep) -> Response:
    return await _incident(desk, id)


async def _incident(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: IncidentDetail = await desk.call(INCIDENT, contract.IncidentGet(principal=desk.who, incident_id=id))
    one = found.incident
    going = (
        Cell(desk.say("جارٍ", "Going on"), tone="high")
        if one.ended_at is None
        else Cell(desk.say("انتهى", "Over"), tone="low")
    )
    facts = [
        (desk.say("الحالة", "State"), going),
        (desk.say("النوع", "Kind"), Cell(desk.say(*KINDS[one.kind]))),
        (desk.say("العجلة", "Urgency"), Cell(desk.say(*SEVERITIES[one.severity]))),
        (desk.say("بدأ", "Began"), Cell(one.opened_at, "moment")),
    ]
    if one.ended_at is not None:
        facts.append((desk.say("انتهى", "Ended"), Cell(one.ended_at, "moment")))
    columns = (desk.say("متى", "When"), desk.say("الحدث", "Event"), desk.say("ماذا", "What"), desk.say("من", "By"))
    rows = tuple(
        (
            Cell(line.at, "moment"), Cell(desk.say(*ENTRIES.get(line.kind, (line.kind, line.kind)))), Cell(desk.say(line.ar, line.en)),
            Cell(desk.say("النظام", "The system") if line.by == "system" else line.by),
        )
        for line in found.timeline
    )  # fmt: skip
    sections = (
        Section(desk.say("ما حدث", "What happened"), facts=tuple(facts)),
        Section(desk.say("تسلسل الأحداث", "Timeline"), columns=columns, rows=rows, forms=_forms(desk, found)),
    )
    page = DeskPage(
        "operations", desk.say(one.title.ar, one.title.en), sections, error=error, back=url("operations"),
        back_label=desk.say("غرفة التشغيل", "Operations"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _forms(desk: Desk, found: IncidentDetail) -> tuple[DeskForm, ...]:
    if allowed(desk.who, "control") is None:
        return ()
    inputs = [Input("note", desk.say("ما الذي فُعل أو عُرف", "What was done or found"), "long")]
    if found.incident.own and found.incident.ended_at is None:
        inputs.append(Input("end", desk.say("انتهى الحادث", "The incident is over"), "check", required=False))
    where = url("incident_note", str(found.incident.incident_id))
    return (DeskForm("note", where, desk.say("أضف إلى التسلسل", "Add to the timeline"), tuple(inputs)),)


@router.post(PATHS["incident_note"], dependencies=[Operating])
async def note(
    id: UUID, desk: DeskDep, note: Annotated[str, Form(max_length=2000)] = "", end: Annotated[bool, Form()] = False
) -> Response:
    if not note.strip():
        return await _incident(desk, id, error=desk.say("اكتب الملاحظة.", "Write the note."), status=422)
    try:
        await desk.call(
            NOTE_INCIDENT, contract.NoteIncident(principal=desk.who, incident_id=id, note=note.strip(), end=end)
        )
    except DealixError as error:
        return await _incident(desk, id, error=desk.error(error), status=error.status)
    return desk.go("incident", str(id))
