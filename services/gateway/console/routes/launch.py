"""Going live: how ready it is, every gate with what was seen, and people's word on those that no record answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import launch
from libs.contracts.catalogue.controls import controls
from libs.contracts.catalogue.gates import gates
from libs.contracts.errors import DealixError
from libs.contracts.launch import GateDetail, GateStanding, GoLiveReply, HoldsDown, LaunchReadiness
from libs.contracts.message import new_id
from libs.contracts.subjects import ATTEST_GATE, GATE, GO_LIVE, LAUNCH_READINESS
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.guards import require

router = APIRouter()

READING = require("read", reading=True)
ATTESTING = require("propose", otherwise="control")
FIRST = 5
"""Reasons that stand above the matrix."""
RESULTS: dict[str, tuple[str, str, Tone]] = {
    "fail": ("مخالف", "Fails", "high"), "unknown": ("غير معلوم", "Unknown", "medium"), "pass": ("مستوفى", "Holds", "low"),
}  # fmt: skip
BLOCKS = ("مانع", "Blocks")
ADVISES = ("غير مانع", "Does not block")


@router.get(PATHS["launch"], dependencies=[READING])
async def matrix(desk: DeskDep, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    asked = launch.GoLiveRequest(principal=desk.who)
    found: GoLiveReply = await desk.call(GO_LIVE, asked)
    ready: LaunchReadiness = await desk.call(LAUNCH_READINESS, asked)
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("launch"), show == "", len(found.items)),
        *(
            Tab(key, desk.say(ar, en), url("launch", show=key), show == key, found.counts[key])
            for key, (ar, en, _) in RESULTS.items()
        ),
    )
    parts = (
        (_gates(desk, found, show),)
        if show
        else (_readiness(desk, ready), _reasons(desk, ready), _gates(desk, found, show))
    )
    title = desk.say("الإطلاق", "Going live")
    return await desk.show(DeskPage("launch", title, parts, tabs, desk.say("النتائج", "Results")))


def _readiness(desk: Desk, ready: LaunchReadiness) -> Section:
    where = gates().environments[ready.environment]
    verdict = (
        Cell(desk.say("جاهز", "Ready"), tone="low")
        if ready.ready
        else Cell(desk.say("غير جاهز", "Not ready"), tone="high")
    )
    held = desk.say(
        "لا يُفعَّل موصل ما دام شرط مانع مفتوحًا." if ready.enforced else "لا تمنع الشروط المفتوحة التفعيل الفعلي في هذه البيئة.",
        "No connector goes live while a gate that blocks is open." if ready.enforced else "In this environment open gates keep no connector from going live.",
    )  # fmt: skip
    return Section(
        desk.say("الجاهزية", "Readiness"), held,
        facts=(
            (desk.say("الحكم", "Verdict"), verdict),
            (desk.say("الدرجة من 100", "Score of 100"), Cell(str(ready.score), "ltr")),
            (desk.say("النقاط", "Points"), Cell(f"{ready.earned} / {ready.points}", "ltr")),
            (desk.say("البيئة", "Environment"), Cell(desk.say(where.ar, where.en))),
            (desk.say("وقت القراءة", "Read at"), Cell(ready.checked_at, "moment")),
        ),
    )  # fmt: skip


def _reasons(desk: Desk, ready: LaunchReadiness) -> Section:
    """What to do first: what blocks, and costs most."""
    notes = tuple(_reason(desk, one) for one in ready.reasons[:FIRST])
    return Section(
        desk.say("ما يُنجَز أولًا", "What to do first"),
        notes=notes, empty=desk.say("لا شيء يعيق الإطلاق.", "Nothing holds the launch back."),
    )  # fmt: skip


def _reason(desk: Desk, one: HoldsDown) -> Note:
    meta = f"{present.role(desk.lang, one.owner)} · {desk.say(*(BLOCKS if one.blocking else ADVISES))}"
    href = url("launch_gate", one.key) if one.kind == "gate" else ""
    return Note(desk.text(one.title), f"{desk.text(one.why)} {desk.text(one.todo)}", meta, href)


def _gates(desk: Desk, found: GoLiveReply, show: str) -> Section:
    order = list(RESULTS)
    listed = [one for one in found.items if show in ("", one.result.value)]
    rows = tuple(_row(desk, one) for one in sorted(listed, key=lambda one: order.index(one.result.value)))
    return Section(
        desk.say("الشروط", "Gates"),
        desk.say("ما لا يعلمه أحد يُعرض «غير معلوم»، ولا يُعدّ مستوفى.", "What nobody knows shows as unknown. It never counts as held."),
        columns=(
            desk.say("الشرط", "Gate"), desk.say("النتيجة", "Result"), desk.say("المنع", "Blocking"), desk.say("المسؤول", "Owner"),
            desk.say("السبب", "Why"),
        ),
        rows=rows, empty=desk.say("لا شروط بهذه النتيجة.", "No gate has this result."),
    )  # fmt: skip


def _row(desk: Desk, one: GateStanding) -> tuple[Cell, ...]:
    ar, en, tone = RESULTS[one.result.value]
    return (
        Cell(desk.text(one.title), href=url("launch_gate", one.gate)), Cell(desk.say(ar, en), tone=tone),
        Cell(desk.say(*(BLOCKS if one.blocking else ADVISES))), Cell(present.role(desk.lang, one.owner)), Cell(desk.text(one.why)),
    )  # fmt: skip


@router.get(PATHS["launch_gate"], dependencies=[READING])
async def gate(id: str, desk: DeskDep) -> Response:
    return await _gate(desk, id)


async def _gate(desk: Desk, key: str, *, error: str = "", status: int = 200) -> Response:
    found: GateDetail = await desk.call(GATE, launch.GateGet(principal=desk.who, gate=key[:50]))
    sections = [_standing(desk, found.state)]
    if found.state.seen:
        sections.append(_seen(desk, found.state))
    if found.state.attested_by:
        sections.append(_words(desk, found))
    page = DeskPage(
        "launch", desk.text(found.state.title), tuple(sections), error=error, back=url("launch"), back_label=desk.say("الإطلاق", "Going live")
    )  # fmt: skip
    return await desk.show(page, status=status)


def _standing(desk: Desk, one: GateStanding) -> Section:
    ar, en, tone = RESULTS[one.result.value]
    facts = [
        (desk.say("النتيجة", "Result"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("السبب", "Why"), Cell(desk.text(one.why))),
        (desk.say("المنع", "Blocking"), Cell(desk.say(*(BLOCKS if one.blocking else ADVISES)))),
        (desk.say("المسؤول", "Owner"), Cell(present.role(desk.lang, one.owner))),
        (desk.say("الدليل", "Evidence"), Cell(desk.text(one.evidence))),
    ]
    if one.result.value != "pass":
        facts.append((desk.say("المطلوب", "What to do"), Cell(desk.text(one.todo))))
    return Section(desk.say("الحالة", "Standing"), facts=tuple(facts))


def _seen(desk: Desk, one: GateStanding) -> Section:
    rows = []
    for seen in one.seen:
        ar, en, tone = RESULTS[seen.result.value]
        kind, _, name = seen.what.partition(":")
        known = controls().get(name) if kind == "controls" else None
        href = url("control", name) if known else ""
        title = desk.say(known.title_ar, known.title_en) if known else desk.text(one.title)
        counted = Cell(f"{seen.failing} / {seen.rows}" if seen.rows else "", "ltr")
        rows.append((Cell(title, href=href), Cell(desk.say(ar, en), tone=tone), counted, Cell(desk.text(seen.why))))
    return Section(
        desk.say("ما فُحص", "What was looked at"),
        columns=(
            desk.say("الفحص", "Look"), desk.say("النتيجة", "Result"), desk.say("المخالف من الصفوف", "Failing of rows"), desk.say("السبب", "Why"),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _words(desk: Desk, found: GateDetail) -> Section:
    rows = tuple(
        (
            Cell(one.attested_by, "ltr"), Cell(present.role(desk.lang, one.role)), Cell(desk.say(*(("نعم", "Yes") if one.holds else ("لا", "No")))),
            Cell(one.statement), Cell(desk.day(one.expires_on)), Cell(one.attested_at, "moment"),
        )
        for one in found.attestations
    )  # fmt: skip
    roles = desk.say("، ", ", ").join(present.role(desk.lang, role) for role in found.state.attested_by)
    attest = DeskForm(
        "attest", url("launch_attest", found.state.gate), desk.say("اشهد بذلك", "Attest it"),
        (
            Input("statement", desk.say("ما الذي رأيته، وأين يُراجَع", "What you saw, and where it can be looked up"), "long"),
            Input("expires_on", desk.say("تسري حتى", "Counts until"), "date", ltr=True),
            Input("holds", desk.say("الحال", "It"), "select", "yes", options=(
                ("yes", desk.say("مستوفى", "holds")), ("no", desk.say("لم يعد مستوفى", "does not hold any more")),
            )),
        ),
    )  # fmt: skip
    may = bool(set(desk.who.roles) & set(found.state.attested_by))
    return Section(
        desk.say("الشهادات", "Attestations"), desk.say(f"يشهد على هذا الشرط: {roles}.", f"Attested by: {roles}."),
        columns=(
            desk.say("من", "By"), desk.say("الدور", "Role"), desk.say("مستوفى", "Holds"), desk.say("البيان", "Statement"),
            desk.say("تسري حتى", "Counts until"), desk.say("الوقت", "When"),
        ),
        rows=rows, empty=desk.say("لم يشهد أحد بعد.", "Nobody has attested this yet."), forms=(attest,) if may else (),
    )  # fmt: skip


@router.post(PATHS["launch_attest"], dependencies=[ATTESTING])
async def attest(
    id: str,
    desk: DeskDep,
    statement: Annotated[str, Form(max_length=2000)],
    expires_on: Annotated[date, Form()],
    holds: Annotated[Literal["yes", "no"], Form()] = "yes",
) -> Response:
    """Keep a person's word; what is wrong with it is shown where it was given."""
    if len(statement.strip()) < 10:
        said = desk.say("اكتب بيانًا من 10 أحرف فأكثر.", "Write at least 10 characters.")
        return await _gate(desk, id, error=said, status=422)
    word = launch.AttestGate(
        principal=desk.who, attestation_id=new_id(), gate=id[:50], holds=holds == "yes", statement=statement.strip(), expires_on=expires_on
    )  # fmt: skip
    try:
        await desk.call(ATTEST_GATE, word)
    except DealixError as error:
        return await _gate(desk, id, error=desk.error(error), status=error.status)
    return desk.go("launch_gate", id)
