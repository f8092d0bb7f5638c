"""Recoveries: backups of this installation and the restores that proved one of them whole, and how to put a restore on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts.arabic import DAYS
from libs.contracts.errors import DealixError
from libs.contracts.recoveries import RecoveriesReply, RecoveriesRequest, Recovery, ReportRestore
from libs.contracts.subjects import RECOVERIES, REPORT_RESTORE
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require
from services.gateway.http.recoveries import Report

router = APIRouter()
READING = require("read", reading=True)
OPERATING = require("control")
KINDS = {
    "backup": ("نسخة احتياطية", "Backup"),
    "restore_test": ("استعادة أثبتت اكتمالها", "Restore that proved it whole"),
}
BACKUP_AGE, RESTORE_AGE = timedelta(days=1), timedelta(days=31)
"""How old the newest of each may be: a backup a day, a restore a month (docs/runbook.md)."""


@router.get(PATHS["recoveries"], dependencies=[READING])
async def recoveries(desk: DeskDep, done: str = "") -> Response:
    return await _show(desk, done=desk.say("سُجّلت الاستعادة.", "The restore is on record.") if done else "")


async def _show(desk: Desk, entered: str = "", *, error: str = "", done: str = "", status: int = 200) -> Response:
    found: RecoveriesReply = await desk.call(RECOVERIES, RecoveriesRequest(principal=desk.who))
    columns = (
        desk.say("النوع", "Kind"), desk.say("الوقت", "When"), desk.say("الصفوف", "Rows"), desk.say("قيود الدفتر", "Entries"),
        desk.say("البصمة", "Digest"), desk.say("سجّلها", "Recorded by"),
    )  # fmt: skip
    listed = Section(
        desk.say("آخر 100", "The newest 100"), columns=columns, rows=tuple(_row(desk, one) for one in found.items),
        empty=desk.nothing("recoveries"),
    )  # fmt: skip
    sections = [_standing(desk, found.items), listed]
    if allowed(desk.who, "control") is not None:
        sections.append(_report(desk, entered))
    page = DeskPage(
        "operations", desk.say("النسخ الاحتياطية والاستعادة", "Backups and restores"), tuple(sections), error=error, done=done,
        back=url("operations"), back_label=desk.say("غرفة التشغيل", "Operations"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _standing(desk: Desk, found: tuple[Recovery, ...]) -> Section:
    """Whether the newest of each is young enough to rely on."""
    facts = []
    for kind, age, ar, en in (
        ("backup", BACKUP_AGE, "آخر نسخة احتياطية", "Newest backup"), ("restore_test", RESTORE_AGE, "آخر استعادة ناجحة", "Newest restore that was whole"),
    ):  # fmt: skip
        newest = max((one.at for one in found if one.kind == kind), default=None)
        if newest is None:
            cell = Cell(desk.say("لا يوجد", "None"), tone="high")
        elif desk.gateway.now() - newest > age:
            days = (desk.gateway.now() - newest).days
            cell = Cell(desk.say(f"قبل {DAYS(days)}", f"{days} days ago"), tone="medium")
        else:
            cell = Cell(newest, "moment")
        facts.append((desk.say(ar, en), cell))
    text = desk.say(
        "خذ نسخة كل يوم، واستعد واحدة كل شهر في نظام فارغ. نسخة لم تُجرَّب استعادتها لا يُعتمد عليها.",
        "Take a backup each day, and restore one each month into an empty system. One that was never restored is not to be relied on.",
    )
    return Section(desk.say("هل نستطيع الاستعادة؟", "Could we recover?"), text, facts=tuple(facts))


def _row(desk: Desk, one: Recovery) -> tuple[Cell, ...]:
    ar, en = KINDS[one.kind]
    return (
        Cell(desk.say(ar, en), tone="low" if one.kind == "restore_test" else "neutral"), Cell(one.at, "moment"), Cell(f"{one.rows:,}", "ltr"),
        Cell(f"{one.leaves:,}", "ltr"), Cell(f"{one.digest[:8]}…{one.digest[-8:]}", "ltr"), Cell(one.by, "ltr"),
    )  # fmt: skip


def _report(desk: Desk, entered: str) -> Section:
    text = desk.say(
        "النسخ والاستعادة من سطر الأوامر: dealix backup ثم dealix restore. يكتب الثاني ملف restore-report.json، فالصق محتواه هنا.",
        "Both are done on the command line: dealix backup, then dealix restore. The second writes restore-report.json: paste it here.",
    )
    field = Input(
        "report", desk.say("محتوى restore-report.json", "What is in restore-report.json"), "long", entered, ltr=True
    )
    form = DeskForm("report", url("recoveries"), desk.say("سجّل الاستعادة", "Record the restore"), (field,))
    return Section(desk.say("تسجيل استعادة", "Record a restore"), text, forms=(form,))


@router.post(PATHS["recoveries"], dependencies=[OPERATING])
async def record(desk: DeskDep, report: Annotated[str, Form(max_length=10_000)] = "") -> Response:
    """Put a restore on record; operating decides whether it counts, and why not is told above what was pasted."""
    try:
        body = Report.model_validate_json(report)
    except ValidationError:
        said = desk.say("ليس هذا تقرير استعادة. الصق الملف كاملًا.", "This is no report of a restore. Paste the whole file.")  # fmt: skip
        return await _show(desk, report, error=said, status=422)
    try:
        await desk.call(REPORT_RESTORE, ReportRestore(principal=desk.who, **body.model_dump()))
    except DealixError as error:
        return await _show(desk, report, error=desk.error(error), status=error.status)
    return desk.go("recoveries", done="1")
