"""Metrics over time: every figure of the executive room beside the stretch before, and one metric drawn stretch by stretch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from babel.dates import format_date
from fastapi import APIRouter, Query
from starlette.responses import Response

from libs.contracts.analytics import Analytics, AnalyticsRequest, Stretch, Trend
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.errors import NotFound
from libs.contracts.metrics import SeriesPoint
from libs.contracts.subjects import ANALYTICS, METRIC_SERIES
from services.gateway.console.charts import Point, chart
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section, Tile
from services.gateway.console.pages_forecast import ForecastPage
from services.gateway.console.routes.insight import shown, tabs, tile
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import require

router = APIRouter()
READING = require("read", reading=True)
BY = {
    Stretch.MONTH: ("شهرًا بشهر", "By month", "الشهر", "Month"), Stretch.WEEK: ("أسبوعًا بأسبوع", "By week", "الأسبوع", "Week"),
    Stretch.DAY: ("يومًا بيوم", "By day", "اليوم", "Day"),
}  # fmt: skip
LENGTHS = (6, 12, 24)


@router.get(PATHS["trends"], dependencies=[READING])
async def trends(
    desk: DeskDep,
    metric: Annotated[str, Query(max_length=100)] = "",
    by: Stretch = Stretch.MONTH,
    stretches: Annotated[int, Query(ge=3, le=60)] = 12,
) -> Response:
    """The room's figures; with a metric, that one as a chart with its table."""
    if metric and metric not in _drawn():
        raise NotFound
    asked = AnalyticsRequest(principal=desk.who, names=(metric,) if metric else (), by=by, stretches=stretches)
    found: Analytics = await desk.call(ANALYTICS, asked)
    choose = _choose(desk, metric, by, stretches)
    title = desk.say("المؤشرات عبر الزمن", "Metrics over time")
    if metric:
        return await desk.show(_one(desk, found, choose, title))
    said = desk.say(
        "القيمة لآخر فترة اكتملت، ومعها التغيّر عن الفترة التي قبلها. افتح المؤشر لترى الرسم والجدول.",
        "The value is of the last stretch that is over, with its change from the one before. Open a metric for its chart and table.",
    )
    tiles = tuple(_tile(desk, one, by, stretches) for one in found.trends)
    listed = Section(desk.say(*BY[by][:2]), said, tiles=tiles, empty=desk.say("لا مؤشرات تُقرأ الآن.", "No metric can be read just now."))  # fmt: skip
    return await shown(desk, "trends", title, choose, listed)


def _drawn() -> dict[str, MetricRule]:
    """Metrics of a period, whose plane tells of them stretch by stretch."""
    return {name: rule for name, rule in metrics().items() if rule.period and rule.plane in METRIC_SERIES}


def _choose(desk: Desk, metric: str, by: Stretch, stretches: int) -> Section:
    named = tuple((name, desk.say(rule.ar, rule.en)) for name, rule in _drawn().items())
    lengths = sorted({*LENGTHS, stretches})
    inputs = (
        Input("metric", desk.say("المؤشر", "Metric"), "select", metric, False, options=(("", desk.say("مؤشرات الغرفة التنفيذية", "Those of the executive room")), *named)),
        Input("by", desk.say("التقسيم", "Divided"), "select", by.value, options=tuple((key.value, desk.say(*said[:2])) for key, said in BY.items())),
        Input("stretches", desk.say("عدد الفترات", "How many"), "select", str(stretches), options=tuple((str(one), str(one)) for one in lengths)),
    )  # fmt: skip
    form = DeskForm("choose", url("trends"), desk.say("اعرض", "Show"), inputs, get=True, columns=True)
    return Section(desk.say("اختر", "Choose"), forms=(form,))


def _tile(desk: Desk, one: Trend, by: Stretch, stretches: int) -> Tile:
    """The last stretch that is over, and its change. The metric's own tile words unit and definition."""
    base = tile(desk, metrics()[one.metric], None)
    href = url("trends", metric=one.metric, by=by.value, stretches=stretches)
    caution = desk.say(one.caution.ar, one.caution.en) if one.caution else ""
    if one.why is not None or len(one.points) < 2:
        why = desk.say(one.why.ar, one.why.en) if one.why else desk.say("لا بيانات بعد.", "No data yet.")
        return replace(base, note=why, caution=caution)
    over = one.points[-2]
    note = _when(desk, over, by)
    note += desk.say("، ", ", ") + _change(desk, one)
    return replace(base, value=_number(over.value, one.unit), note=note, href=href, caution=caution)


def _change(desk: Desk, one: Trend) -> str:
    if one.change is None:
        return desk.say("لا تغيّر يُحسب", "no change to tell")
    if not one.change:
        return desk.say("دون تغيّر", "unchanged")
    figure = f"{'+' if one.change > 0 else '-'}{_number(abs(one.change), one.unit)}"
    return desk.say(f"التغيّر {figure}", f"change {figure}")


def _one(desk: Desk, found: Analytics, choose: Section, title: str) -> ForecastPage:
    """A metric with its chart; figures below zero are in the table alone, which holds all of them."""
    (one,) = found.trends
    rule = metrics()[one.metric]
    base, last = tile(desk, rule, None), len(one.points) - 1
    points = tuple(
        Point(_when(desk, each, found.by), _drawn_value(each.value, one.unit), None, open=at == last)
        for at, each in enumerate(one.points)
    )
    figures = [point.actual for point in points if point.actual is not None]
    unit = f" ({base.unit})" if base.unit else ""
    rows = tuple(
        (
            Cell(_when(desk, each, found.by)), Cell(_number(each.value, one.unit), "ltr"), Cell(f"{each.counted:,} / {each.rows:,}", "ltr"),
            Cell(desk.say("لم تكتمل", "Not over"), tone="neutral") if at == last else Cell(""),
        )
        for at, each in reversed(tuple(enumerate(one.points)))
    )  # fmt: skip
    columns = (desk.say(*BY[found.by][2:]), desk.say("القيمة", "Value") + unit, desk.say("المحسوب من السجلات", "Counted of records"), desk.say("الفترة", "Stretch"))  # fmt: skip
    why = desk.say(one.why.ar, one.why.en) if one.why else ""
    table = Section(
        desk.say("الأرقام", "Figures"), why, columns=columns, rows=rows, empty=desk.nothing("metric_rows") if not why else "",
        links={desk.say("السجلات وراء آخر 30 يومًا", "The records of the last 30 days"): url("metric_rows", one.metric)},
    )  # fmt: skip
    now = _tile(desk, one, found.by, len(one.points) or 12)
    head = Section(desk.say("آخر فترة اكتملت", "The last stretch that is over"), base.definition, tiles=(replace(now, href=""),))  # fmt: skip
    drawn = bool(figures) and min(figures) >= 0
    return ForecastPage(
        "numbers", title, (choose, head, table), tabs(desk, "trends"), desk.say("الأرقام والمصادر", "Numbers and sources"),
        chart=chart(points, rtl=desk.lang == "ar") if drawn else None, chart_title=base.label + unit,
        chart_said=desk.say(
            "عمود لكل فترة. الفترة بلا بيانات فراغ. الأرقام نفسها في الجدول.",
            "A bar for each stretch; one without data is a gap. The table holds the same figures.",
        ),
        legend=(("bar", desk.say("فترة مكتملة", "A stretch that is over")), ("open", desk.say("الفترة الجارية حتى الآن", "The running one so far"))),
    )  # fmt: skip


def _when(desk: Desk, point: SeriesPoint, by: Stretch) -> str:
    since = point.since.astimezone(RIYADH).date()
    return format_date(since, "MMM y" if by is Stretch.MONTH else "d MMM y", locale=desk.lang)


def _drawn_value(value: Decimal | None, unit: str) -> Decimal | None:
    return value * 100 if value is not None and unit == "share" else value


def _number(value: Decimal | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value * 100:,.1f}" if unit == "share" else f"{value:,.2f}".removesuffix(".00")
