"""The records behind a number."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from libs.contracts import crm
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page
from libs.contracts.metrics import MetricRow, MetricRowsReply, MetricRowsRequest
from libs.contracts.subjects import METRIC_ROWS, RECORD
from services.gateway.console import present_crm
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, Section
from services.gateway.console.routes.insight import Reading, shown, tile, value_of
from services.gateway.console.urls import PATHS, url
from services.gateway.figures import number

router = APIRouter()

# What a row is called, and the page that shows it.
KINDS = {
    "account": ("منشأة", "Account", "account"), "action": ("إجراء", "Action", ""), "activity": ("نشاط", "Activity", ""), "answer": ("رد وكيل", "Agent's answer", ""),
    "approval": ("موافقة", "Approval", "approval"), "card": ("بطاقة", "Card", ""), "connector": ("موصل", "Connector", "connector"),
    "contact": ("جهة اتصال", "Contact", "contact"), "contradiction": ("تناقض", "Contradiction", "contradiction"),
    "control": ("ضابط", "Control", "control"), "deal": ("صفقة", "Deal", "deal"), "draft": ("مسودة", "Draft", ""),
    "flow": ("مسار عمل", "Flow", "flow"), "forecast": ("توقع", "Forecast", ""), "import": ("استيراد", "Import", "import"), "lead": ("عميل محتمل", "Lead", "lead"),
    "outage": ("انقطاع", "Outage", ""), "release": ("إصدار", "Release", ""), "rights_request": ("طلب حقوق", "Rights request", "rights_request"),
    "spend": ("إنفاق تسويقي", "Marketing spend", ""), "watch": ("فترة مراقبة", "Stretch of time", ""),
}  # fmt: skip
NAMED = frozenset({"account", "contact", "deal", "spend"})
TRACED = frozenset({"action", "card", "draft"})
"""Shown by where they came from."""


@router.get(PATHS["metric_rows"], dependencies=[Reading])
async def metric_rows(
    desk: DeskDep, id: str, cursor: Annotated[str, Query(max_length=200)] = "", excluded: bool = False
) -> Response:
    """The records that a number of the last 30 days came from, or those that were left out of it."""
    rule = metrics().get(id)
    if rule is None:
        raise NotFound
    wanted = MetricRowsRequest(principal=desk.who, name=id, excluded=excluded, page=Page(cursor=cursor or None))
    found: MetricRowsReply = await desk.call(METRIC_ROWS[rule.plane], wanted)
    value, links = await value_of(desk, rule), {}
    if found.next_cursor:
        links[desk.say("الأقدم", "Older ones")] = url(
            "metric_rows", id, cursor=found.next_cursor, excluded="true" if excluded else None
        )
    if value is not None and value.excluded and not excluded:
        links[desk.say("ما استُبعد من الحساب", "What was left out")] = url("metric_rows", id, excluded="true")
    names = await _names(desk, found.items)
    behind = Section(
        desk.say("ما استُبعد من الحساب", "What was left out") if excluded else desk.say("السجلات وراء الرقم", "The records behind it"),
        columns=(desk.say("النوع", "Kind"), desk.say("السجل", "Record"), desk.say("القيمة", "Figure"), desk.say("الوقت", "When")),
        rows=tuple(_row(desk, one, names) for one in found.items), links=links,
        empty=desk.nothing("metric_rows"),
    )  # fmt: skip
    figure = (Section(desk.say("القيمة", "Value"), desk.say(rule.definition_ar, rule.definition_en), tiles=(tile(desk, rule, value),)),)  # fmt: skip
    return await shown(desk, "numbers", desk.say(rule.ar, rule.en), *figure, behind)


async def _names(desk: Desk, rows: tuple[MetricRow, ...]) -> dict[str, str]:
    """What records of ours among the rows are called; one that is gone has no name."""

    async def name(one: MetricRow) -> str:
        try:
            record = await desk.call(
                RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind(one.kind), id=UUID(one.id))
            )
        except (DealixError, ValueError):
            return ""
        return present_crm.title(desk.lang, record)

    ours = [one for one in rows if one.kind in NAMED]
    return dict(zip((one.id for one in ours), await asyncio.gather(*map(name, ours)), strict=True))


def _row(desk: Desk, one: MetricRow, names: dict[str, str]) -> tuple[Cell, ...]:
    ar, en, page = KINDS[one.kind]
    href = url(page, one.id) if page else url("lineage", kind=one.kind, id_=one.id) if one.kind in TRACED else ""
    shown = names.get(one.id) or (one.id if len(one.id) < 25 else f"…{one.id[-12:]}")
    return (
        Cell(desk.say(ar, en)), Cell(shown, "text" if names.get(one.id) else "ltr", href=href),
        Cell("" if one.figure is None else number(one.figure), "ltr"), Cell(one.at, "moment"),
    )  # fmt: skip
