"""The weekly learning report: what a week tried, what the rows say, and what is proposed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from libs.contracts.learning import Compared, WeeklyReport, WeeklyReportRequest
from libs.contracts.subjects import WEEKLY_REPORT
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, Note, Section
from services.gateway.console.routes.experiments import rate_shown, shown
from services.gateway.console.urls import PATHS, url
from services.gateway.figures import UNITS
from services.gateway.http.guards import require

router = APIRouter()
READING = require("read", reading=True)


@router.get(PATHS["weekly"], dependencies=[READING])
async def weekly(desk: DeskDep, week: Annotated[date | None, Query()] = None) -> Response:
    """A week's report; the last whole one, unless another is asked for."""
    found: WeeklyReport = await desk.call(WEEKLY_REPORT, WeeklyReportRequest(principal=desk.who, week=week))
    tried = found.tried
    before, after = found.week - timedelta(weeks=1), found.week + timedelta(weeks=1)
    links = {desk.say("الأسبوع السابق", "The week before"): url("weekly", week=before.isoformat())}
    if found.final:
        links[desk.say("الأسبوع التالي", "The week after")] = url("weekly", week=after.isoformat())
    withheld = sum(one.count for one in tried.withheld)
    facts = (
        (desk.say("بداية الأسبوع", "Begins"), Cell(found.week.isoformat(), "ltr")),
        (desk.say("رسائل أُعدّت", "Messages prepared"), Cell(str(tried.drafted), "ltr")),
        (desk.say("لم تُكتب", "Not written"), Cell(str(withheld), "ltr")),
        (desk.say("رفضها الأشخاص", "Refused by people"), Cell(str(tried.refused), "ltr")),
        (desk.say("جهات وصلتها رسالة", "Contacts reached"), Cell(str(tried.reached), "ltr")),
        (desk.say("ردّت منها", "Of whom answered"), Cell(str(tried.replied), "ltr")),
    )
    state = (
        ""
        if found.final
        else desk.say("الأسبوع لم ينتهِ، وقد تتغير أرقامه.", "The week is not over; its figures may change.")
    )
    sections = (
        Section(desk.say("الأسبوع", "The week"), " ".join((desk.text(found.said), state)).strip(), facts=facts, links=links),
        _figures(desk, found),
        *(_compared(desk, title, part) for title, part in (
            (desk.say("القنوات", "Channels"), found.channels), (desk.say("الرسائل", "Messages"), found.messages),
            (desk.say("القطاعات", "Segments"), found.segments),
        )),
        _proposals(desk, found),
    )  # fmt: skip
    return await shown(desk, "weekly", desk.say("ما تعلّمناه هذا الأسبوع", "What the week taught"), *sections)


def _figures(desk: Desk, found: WeeklyReport) -> Section:
    columns = (desk.say("المؤشر", "Metric"), desk.say("القيمة", "Value"), desk.say("السجلات", "Records"))
    rows = []
    for one in found.figures:
        unit = desk.say(UNITS[one.unit].ar, UNITS[one.unit].en)
        value = desk.say("لا بيانات", "No data")
        if one.value is not None:
            value = f"{one.value * 100:.1f}%" if one.unit == "share" else f"{one.value:g} {unit}".strip()
        rows.append(
            (Cell(desk.say(one.ar, one.en), href=url("metric_rows", one.name)), Cell(value), Cell(str(one.rows), "ltr"))
        )
    return Section(desk.say("أرقام الأسبوع", "The week in figures"), columns=columns, rows=tuple(rows))


def _compared(desk: Desk, title: str, part: Compared) -> Section:
    columns = (
        desk.say("الخيار", "Kind"), desk.say("وصلتهم", "Reached"), desk.say("ردّوا", "Answered"), desk.say("النسبة ومجالها (95%)", "Share, interval (95%)"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(desk.text(one.name)),
            Cell(str(one.reached), "ltr"),
            Cell(str(one.replied), "ltr"),
            Cell(rate_shown(one), "ltr"),
        )
        for one in part.arms
    )
    return Section(title, desk.text(part.said), columns=columns if rows else (), rows=rows)


def _proposals(desk: Desk, found: WeeklyReport) -> Section:
    """What is proposed; a card asks for the decision, here it is said with its reasons."""
    notes = [Note(desk.say("أوقف أو غيّر", "Stop or change"), desk.text(one.why)) for one in found.stop]
    if found.improve is not None:
        notes.append(Note(desk.say("حسّن", "Improve"), desk.text(found.improve)))
    notes.append(Note(desk.say("التجربة التالية", "The next experiment"), desk.text(found.next_said)))
    notes += [
        Note(one.plan.hypothesis, desk.text(one.said), href=url("experiment", str(one.experiment_id)))
        for one in found.experiments
    ]
    return Section(
        desk.say("ما يُقترح", "What is proposed"),
        desk.say("لا يُطبَّق شيء من نفسه: تصل المقترحات بطاقاتٍ إلى مدير النمو.", "Nothing is applied by itself: proposals are cards of the growth manager."),
        notes=tuple(notes),
    )  # fmt: skip
