"""Saudi Compliance: every control with what was seen, who mends it and until when; what nobody assessed is not shown as kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.responses import Response

from libs.contracts import compliance
from libs.contracts.catalogue.controls import ControlKind
from libs.contracts.compliance import ControlDetail, ControlStanding, GateEffect, MatrixReply
from libs.contracts.errors import DealixError
from libs.contracts.message import new_id
from libs.contracts.subjects import ASSIGN_CONTROL, CONTROL_MATRIX, CONTROL_STATE, RUN_COMPLIANCE
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.packs import pack_form
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.compliance import LARGEST, hand_in
from services.gateway.http.guards import Ids, allowed, require

router = APIRouter()

READING = require("evidence")
KEEPING = require("consents")
Tone = Literal["", "neutral", "low", "medium", "high"]
RESULTS: dict[str, tuple[str, str, Tone]] = {
    "fail": ("مخالف", "Fails", "high"), "unknown": ("لم يُقيَّم", "Not assessed", "medium"), "pass": ("مستوفى", "Kept", "low"),
    "n/a": ("لا ينطبق", "Not applicable", "neutral"),
}  # fmt: skip
SEVERITY = {"critical": ("حرجة", "Critical"), "high": ("عالية", "High"), "medium": ("متوسطة", "Medium")}
GATES = {
    GateEffect.BLOCKS_LIVE: ("يوقف التنفيذ الفعلي الآن.", "It holds live effects now."),
    GateEffect.WOULD_BLOCK: ("كان سيوقف التنفيذ الفعلي؛ ولا أثر له في الوضع التجريبي.", "It would hold live effects; the sandbox goes on."),
}  # fmt: skip
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.docx"


@router.get(PATHS["compliance"], dependencies=[READING])
async def matrix(desk: DeskDep, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    return await _matrix(desk, show)


async def _matrix(desk: Desk, show: str, *, error: str = "", status: int = 200) -> Response:
    found: MatrixReply = await desk.call(CONTROL_MATRIX, compliance.MatrixRequest(principal=desk.who))
    order = list(RESULTS)
    listed = [one for one in found.items if show in ("", one.result.value)]
    rows = tuple(_row(desk, one) for one in sorted(listed, key=lambda one: order.index(one.result.value)))
    columns = (
        desk.say("العنوان", "Title"), desk.say("النتيجة", "Result"), desk.say("المخالف من الصفوف", "Failing of rows"),
        desk.say("المسؤول", "Owner"), desk.say("الموعد", "Due"), desk.say("الضابط", "Control"), desk.say("آخر فحص", "Looked at"),
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("compliance"), show == "", len(found.items)),
        *(
            Tab(key, desk.say(ar, en), url("compliance", show=key), show == key, found.counts[key])
            for key, (ar, en, _) in RESULTS.items()
        ),
    )
    run = DeskForm("run", url("compliance_run"), desk.say("افحص الآن", "Look now"))
    section = Section(
        desk.say("الضوابط", "Controls"),
        desk.say("ما لا بيانات له أو قدُمت قراءته يُعرض «لم يُقيَّم»، ولا يُعدّ مستوفى. ", "What has no data, or an old reading, shows as not assessed. It never counts as kept. ")
        + desk.text(found.not_advice),
        columns=columns, rows=rows, empty=desk.say("لا ضوابط بهذه النتيجة. اختر نتيجة أخرى من الأعلى.", "No control has this result. Choose another above."),
        forms=(run,) if _may(desk) else (), links={
            desk.say("تنزيل PDF", "Download PDF"): "/api/v1/compliance/matrix.pdf",
            desk.say("تنزيل CSV", "Download CSV"): "/api/v1/compliance/matrix.csv",
        },
    )  # fmt: skip
    title = desk.say("الامتثال السعودي", "Saudi Compliance")
    page = DeskPage("compliance", title, (section,), tabs, desk.say("النتائج", "Results"), error)
    return await desk.show(page, status=status)


def _row(desk: Desk, one: ControlStanding) -> tuple[Cell, ...]:
    ar, en, tone = RESULTS[one.result.value]
    seen = one.reading
    return (
        Cell(desk.say(one.control.title_ar, one.control.title_en), href=url("control", one.control.control_id)),
        Cell(desk.say(ar, en), tone=tone), Cell(f"{seen.failing} / {seen.rows}" if seen and seen.rows else "", "ltr"),
        Cell(one.owner, "ltr"), Cell(one.due_at, "moment"), Cell(one.control.control_id, "ltr"),
        Cell(seen.checked_at if seen else None, "moment"),
    )  # fmt: skip


@router.post(PATHS["compliance_run"], dependencies=[KEEPING])
async def run(desk: DeskDep) -> Response:
    try:
        await desk.call(RUN_COMPLIANCE, compliance.RunCompliance(principal=desk.who))
    except DealixError as error:
        return await _matrix(desk, "", error=desk.error(error), status=error.status)
    return desk.go("compliance")


@router.get(PATHS["control"], dependencies=[READING])
async def control(id: str, desk: DeskDep) -> Response:
    return await _control(desk, id)


async def _control(desk: Desk, control_id: str, *, error: str = "", status: int = 200) -> Response:
    found: ControlDetail = await desk.call(
        CONTROL_STATE, compliance.ControlGet(principal=desk.who, control_id=control_id[:40])
    )
    sections = [_standing(desk, found), _history(desk, found), _evidence(desk, found)]
    title = desk.say(found.state.control.title_ar, found.state.control.title_en)
    back = desk.say("الامتثال السعودي", "Saudi Compliance")
    page = DeskPage("compliance", title, tuple(sections), error=error, back=url("compliance"), back_label=back)
    return await desk.show(page, status=status)


def _standing(desk: Desk, found: ControlDetail) -> Section:
    now, c = found.state, found.state.control
    ar, en, tone = RESULTS[now.result.value]
    facts = [
        (desk.say("الضابط", "Control"), Cell(c.control_id, "ltr")), (desk.say("النتيجة", "Result"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("السبب", "Why"), Cell(desk.text(now.why))), (desk.say("الجهة", "Authority"), Cell(c.authority, "ltr")),
        (desk.say("المصدر", "Source"), Cell(c.source, "ltr")), (desk.say("الخطورة", "Severity"), Cell(desk.say(*SEVERITY[c.severity.value]))),
        (desk.say("المتطلب بنصه الإنجليزي", "Requirement"), Cell(c.requirement, "ltr")),
        (desk.say("متى يُعدّ مستوفى (بالإنجليزية)", "Kept when"), Cell(c.pass_condition, "ltr")),
    ]  # fmt: skip
    if now.owner:
        facts += [
            (desk.say("المسؤول", "Owner"), Cell(now.owner, "ltr")),
            (desk.say("مخالف منذ", "Failing since"), Cell(now.failing_since, "moment")),
            (desk.say("الموعد", "Due"), Cell(now.due_at, "moment")),
        ]
    if now.reading and now.reading.sample:
        facts.append((desk.say("صفوف مخالفة", "Failing rows"), Cell(", ".join(now.reading.sample), "ltr")))
    assign = DeskForm(
        "assign", url("control_assign", c.control_id), desk.say("كلّف", "Assign"),
        (
            Input("owner", desk.say("المسؤول", "Owner"), value=now.owner, ltr=True),
            Input("due", desk.say("الموعد", "Due"), "date", ltr=True),
        ),
    )  # fmt: skip
    says = desk.say(*GATES[now.gate]) if now.gate in GATES else ""
    forms = (assign,) if now.owner and _may(desk) else ()
    packs = pack_form(desk, f"control:{c.control_id}")
    return Section(desk.say("الحالة", "Standing"), says, facts=tuple(facts), forms=(*forms, *packs))


def _history(desk: Desk, found: ControlDetail) -> Section:
    rows = []
    for one in found.history:
        ar, en, tone = RESULTS[one.result.value]
        seen = Cell(f"{one.failing} / {one.rows}", "ltr")
        rows.append((Cell(one.checked_at, "moment"), Cell(desk.say(ar, en), tone=tone), seen))
    return Section(
        desk.say("المسار", "Trend"), desk.say("صف لكل تغيّر، والأحدث أولًا.", "A row for every change, the newest first."),
        columns=(desk.say("الوقت", "When"), desk.say("النتيجة", "Result"), desk.say("المخالف من الصفوف", "Failing of rows")),
        rows=tuple(rows), empty=desk.say("لم يُفحص بعد.", "Not looked at yet."),
    )  # fmt: skip


def _evidence(desk: Desk, found: ControlDetail) -> Section:
    c = found.state.control
    rows = tuple(
        (
            Cell(a.file_name or desk.say("بلا ملف", "no file"), "ltr" if a.file_name else "text"), Cell(a.statement),
            Cell(desk.day(a.valid_until)), Cell(a.attested_by, "ltr"), Cell(a.attested_at, "moment"),
        )
        for a in found.attestations
    )  # fmt: skip
    fields = [
        Input("statement", desk.say("ما الذي يثبته", "What it shows"), "long"),
        Input("valid_until", desk.say("صالح حتى", "Valid until"), "date", ltr=True),
    ]
    forms: list[DeskForm] = []
    action = url("control_attest", c.control_id)
    if c.kind is ControlKind.ATTESTED:
        file = Input(
            "file",
            desk.say("الملف (PDF أو PNG أو JPEG أو DOCX)", "File (PDF, PNG, JPEG, DOCX)"),
            "file",
            accept=ACCEPTED,
        )
        forms.append(DeskForm("attest", action, desk.say("قدّم الدليل", "Hand in evidence"), (*fields, file)))
    if not c.binds:
        aside = (*fields, Input("applies", "", "hidden", "no"))
        forms.append(DeskForm("aside", action, desk.say("لا ينطبق علينا", "It does not apply to us"), aside))
    return Section(
        desk.say("الأدلة", "Evidence"),
        columns=(
            desk.say("الملف", "File"), desk.say("البيان", "Statement"), desk.say("صالح حتى", "Valid until"), desk.say("من", "By"),
            desk.say("الوقت", "When"),
        ),
        rows=rows, empty=desk.nothing("evidence"), forms=tuple(forms) if _may(desk) else (),
    )  # fmt: skip


@router.post(PATHS["control_attest"], dependencies=[KEEPING])
async def attest(
    id: str,
    desk: DeskDep,
    statement: Annotated[str, Form(max_length=2000)],
    valid_until: Annotated[date, Form()],
    applies: Annotated[str, Form(max_length=5)] = "yes",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Hand in evidence; what is wrong with it is shown where it was given."""
    if len(statement) < 10 or (file is not None and (file.size or 0) > LARGEST):
        said = desk.say(
            "اكتب بيانًا من 10 أحرف فأكثر، وملفًا لا يتجاوز 5 ميغابايت.",
            "Write at least 10 characters; the file has at most 5 MB.",
        )
        return await _control(desk, id, error=said, status=422)
    try:
        await hand_in(
            desk.gateway, desk.who, Ids(new_id()), id[:40], statement, valid_until, file, applies=applies != "no"
        )
    except DealixError as error:
        return await _control(desk, id, error=desk.error(error), status=error.status)
    return desk.go("control", id)


@router.post(PATHS["control_assign"], dependencies=[KEEPING])
async def assign(
    id: str, desk: DeskDep, owner: Annotated[str, Form(min_length=1, max_length=100)], due: Annotated[date, Form()]
) -> Response:
    until = datetime(due.year, due.month, due.day, 20, 59, tzinfo=UTC)  # the end of the day in Riyadh
    asked = compliance.AssignControl(principal=desk.who, control_id=id[:40], owner=owner, due_at=until)
    try:
        await desk.call(ASSIGN_CONTROL, asked)
    except DealixError as error:
        return await _control(desk, id, error=desk.error(error), status=error.status)
    return desk.go("control", id)


def _may(desk: Desk) -> bool:
    return getattr(allowed(desk.who, "consents"), "value", "") == "full"
