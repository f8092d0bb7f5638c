"""Actual vs forecast: where the gap is and why, how far such forecasts could be trusted, and which open deals the next months rest on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from babel.dates import format_date
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.records import Stage, records
from libs.contracts.errors import DealixError
from libs.contracts.forecasts import Forecast, ForecastRequest, Part, Track, Variance, VarianceRequest
from libs.contracts.subjects import FORECAST, FORECAST_VARIANCE, MAKE_FORECAST
from services.gateway.console.charts import Point, chart
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.empties import nothing
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.pages_forecast import ForecastPage
from services.gateway.console.routes.insight import tabs
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Reading = require("read", reading=True)
MonthName = Annotated[str, Query(pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$")]
TRACKS = {
    Track.REVENUE: ("الإيراد", "Revenue"), Track.PARTNERSHIPS: ("الشراكات", "Partnerships"), Track.ACQUISITIONS: ("الاستحواذ", "Acquisitions"),
    Track.EXPANSION: ("التوسع", "Expansion"),
}  # fmt: skip
KINDS = {"made": ("توقع سابق", "Forecast"), "back_test": ("اختبار رجعي", "Back-test")}


@router.get(PATHS["forecast"], dependencies=[Reading])
async def forecast(desk: DeskDep, track: Track = Track.REVENUE, month: MonthName = "") -> Response:
    """A track with its chart and tables. A month's gap that can't be told takes only its own part of the page with it."""
    found: Forecast = await desk.call(FORECAST, ForecastRequest(principal=desk.who, track=track))
    gap, why = None, ""
    try:
        gap = await desk.call(FORECAST_VARIANCE, VarianceRequest(principal=desk.who, track=track, month=month or None))
    except DealixError as error:
        why = desk.error(error)
    return await desk.show(page_of(desk, found, gap, why, month))


@router.post(PATHS["forecast_make"], dependencies=[require("submit")])
async def make(desk: DeskDep, track: Annotated[Track, Form()] = Track.REVENUE) -> Response:
    await desk.call(MAKE_FORECAST, ForecastRequest(principal=desk.who, track=track))
    return desk.go("forecast", track=track.value)


def page_of(desk: Desk, found: Forecast, gap: Variance | None, why: str, month: str) -> ForecastPage:
    """The page of what was found; `why` is why there is no gap to show."""
    points = tuple(_points(desk, found))
    drawn = any(point.actual is not None or point.expected is not None for point in points)
    unit = "" if found.unit == "count" else desk.say("ر.س", "SAR")
    title = desk.say("الفعلي والمتوقع شهرًا بشهر", "Actual and forecast by month") + (f" ({unit})" if unit else "")
    level = f"{found.level:.0%}"
    return ForecastPage(
        "numbers", desk.say("الفعلي والمتوقع", "Actual vs forecast"), _sections(desk, found, gap, why, month), tabs(desk, "forecast"),
        desk.say("الأرقام والمصادر", "Numbers and sources"),
        chart=chart(points, rtl=desk.lang == "ar") if drawn else None, chart_title=title,
        chart_said=desk.say(
            "الأعمدة للفعلي، والخط المتقطع للمتوقع. الأرقام نفسها في الجدول.",
            "Bars are actuals, the dashed line is the forecast. The table holds the same figures.",
        ),
        legend=(
            ("bar", desk.say("الفعلي", "Actual")), ("open", desk.say("الشهر الجاري حتى الآن", "This month so far")),
            ("line", desk.say("المتوقع", "Forecast")), ("band", desk.say(f"مجال يضم {level} من الأشهر", f"Interval for {level} of months")),
        ),
    )  # fmt: skip


def _began(found: Forecast) -> int:
    """Where the record begins. Months after it without a figure are gaps; those before it are nobody's business."""
    known = (at for at, one in enumerate(found.months) if one.actual is not None or one.forecast is not None)
    return next(known, len(found.months))


def _points(desk: Desk, found: Forecast) -> list[Point]:
    past = [
        Point(_month(desk, one.since, "MMM y"), one.actual, one.forecast, one.low, one.high, one.so_far)
        for one in found.months[_began(found) :]
    ]
    return past + [
        Point(_month(desk, one.since, "MMM y"), None, one.expected, one.low, one.high) for one in found.ahead
    ]


def _sections(desk: Desk, found: Forecast, gap: Variance | None, why: str, month: str) -> tuple[Section, ...]:
    parts = [_choose(desk, found)]
    if not found.ready:
        parts.append(_missing(desk, found))
    return (
        *parts,
        _table(desk, found),
        *_gap(desk, found, gap, why, month),
        *_drivers(desk, found),
        _tests(desk, found),
    )


def _choose(desk: Desk, found: Forecast) -> Section:
    tracks = tuple((track.value, desk.say(*said)) for track, said in TRACKS.items())
    forms = [
        DeskForm("track", url("forecast"), desk.say("اعرض", "Show"), (Input("track", desk.say("المسار", "Track"), "select", found.track.value, options=tracks),), get=True)
    ]  # fmt: skip
    if allowed(desk.who, "submit"):
        given = (Input("track", "", "hidden", found.track.value),)
        forms.append(
            DeskForm("make", url("forecast_make"), desk.say("أعد التوقع الآن", "Forecast now"), given, quiet=True)
        )
    facts = [(desk.say("المسار", "Track"), Cell(desk.say(*TRACKS[found.track])))]
    if found.made_at is not None:
        facts.append((desk.say("صدر التوقع", "Forecast made"), Cell(found.made_at, "moment")))
    if found.provenance is not None and found.ready:
        facts.append((desk.say("الثقة", "Confidence"), Cell(f"{found.provenance.confidence:.0%}", "ltr")))
    if found.excluded_deals:
        facts.append((desk.say("صفقات مفتوحة بعملة أخرى لا تدخل", "Open deals in other currencies, left out"), Cell(str(found.excluded_deals), "ltr")))  # fmt: skip
    return Section(desk.say("المسار", "Track"), facts=tuple(facts), forms=tuple(forms))


def _missing(desk: Desk, found: Forecast) -> Section:
    rows = tuple((Cell(desk.say(one.ar, one.en)), Cell(str(one.have), "ltr"), Cell(str(one.need), "ltr")) for one in found.missing)  # fmt: skip
    said = desk.say(
        "لا يُعرض توقع لا تسنده بيانات. حمّل الصفقات المغلقة سابقًا، أو انتظر حتى تكتمل.",
        "No forecast is shown that no data supports. Load earlier closed deals, or wait until there are enough.",
    )  # fmt: skip
    columns = (desk.say("ما ينقص", "What is missing"), desk.say("المتوفر", "There is"), desk.say("المطلوب", "Needed"))
    return Section(desk.say("السجل أقصر من أن يُبنى عليه توقع", "Too little history to forecast"), said, columns=columns, rows=rows)  # fmt: skip


def _table(desk: Desk, found: Forecast) -> Section:
    columns = (
        desk.say("الشهر", "Month"), desk.say("الفعلي", "Actual"), desk.say("المتوقع", "Forecast"), desk.say("المجال", "Interval"),
        desk.say("الفرق", "Gap"), desk.say("أساس المتوقع", "Kind"),
    )  # fmt: skip
    rows = []
    for one in found.ahead:
        rows.append((
            Cell(_month(desk, one.since)), Cell(""), Cell(_amount(one.expected), "ltr"), Cell(_between(one.low, one.high), "ltr"), Cell(""),
            Cell(desk.say(f"توقع، الأفق {one.horizon}", f"Forecast, {one.horizon} ahead")),
        ))  # fmt: skip
    for past in reversed(found.months[_began(found) :]):
        gap = None if past.actual is None or past.forecast is None or past.so_far else past.actual - past.forecast
        named = _named(past.since)
        href = url("forecast", track=found.track.value, month=named) if gap is not None else ""
        actual = _amount(past.actual) if past.actual is not None else desk.say("لا بيانات", "No data")
        rows.append((
            Cell(_month(desk, past.since)), Cell(desk.say(f"{actual} حتى الآن", f"{actual} so far") if past.so_far else actual, "text" if past.so_far else "ltr"),
            Cell(_amount(past.forecast) if past.forecast is not None else "", "ltr"),
            Cell(_between(past.low, past.high) if past.low is not None and past.high is not None else "", "ltr"),
            Cell(_signed(gap) if gap is not None else "", "ltr", href=href), Cell(desk.say(*KINDS[past.kind]) if past.kind else ""),
        ))  # fmt: skip
    return Section(
        desk.say("الأشهر", "Months"), columns=columns, rows=tuple(rows), empty=nothing(desk.lang, "months"))  # fmt: skip


def _gap(desk: Desk, found: Forecast, gap: Variance | None, why: str, month: str) -> tuple[Section, ...]:
    if gap is None:
        title = desk.say("لماذا اختلف الفعلي عن المتوقع؟", "Why did the actual differ from the forecast?")
        return (Section(title, why),) if found.ready or month else ()
    named, met = (
        _month(desk, gap.since),
        desk.say("لا يُحسب", "not defined") if gap.accuracy is None else f"{gap.accuracy:.0%}",
    )
    facts = (
        (desk.say("الشهر", "Month"), Cell(named)), (desk.say("الفعلي", "Actual"), Cell(_amount(gap.actual), "ltr")),
        (desk.say("المتوقع", "Forecast"), Cell(_amount(gap.expected), "ltr")), (desk.say("الفرق", "Gap"), Cell(_signed(gap.variance), "ltr")),
        (desk.say("الدقة", "Accuracy"), Cell(met, "ltr")), (desk.say("أساس المتوقع", "Kind"), Cell(desk.say(*KINDS[gap.kind]))),
        (desk.say("داخل المجال", "Inside the interval"), Cell(desk.say("نعم", "Yes") if gap.within else desk.say("لا", "No"))),
    )  # fmt: skip
    ways = (
        (desk.say("حسب التوقيت", "By timing"), gap.by_timing), (desk.say("حسب الصفقة", "By deal"), gap.by_deal),
        (desk.say("حسب المرحلة", "By stage"), gap.by_stage), (desk.say("حسب القطاع", "By sector"), gap.by_segment),
    )  # fmt: skip
    return (
        Section(desk.say(f"فرق {named}", f"The gap of {named}"), facts=facts),
        *(_parts(desk, f"{title} · {named}", parts) for title, parts in ways),
    )


def _parts(desk: Desk, title: str, parts: tuple[Part, ...]) -> Section:
    columns = (desk.say("الجزء", "Part"), desk.say("المتوقع", "Forecast"), desk.say("الفعلي", "Actual"), desk.say("الفرق", "Gap"))  # fmt: skip
    rows = tuple(
        (
            Cell(desk.say(one.ar, one.en), href=url("deal", str(one.deal_id)) if one.deal_id else ""), Cell(_amount(one.expected), "ltr"),
            Cell(_amount(one.actual), "ltr"), Cell(_signed(one.variance), "ltr"),
        )
        for one in parts
    )  # fmt: skip
    return Section(title, columns=columns, rows=rows)


def _drivers(desk: Desk, found: Forecast) -> tuple[Section, ...]:
    if not found.ahead or not found.ahead[0].drivers:
        return ()
    first, stages = found.ahead[0], records().stages
    columns = (
        desk.say("الصفقة", "Deal"), desk.say("المرحلة", "Stage"), desk.say("القيمة", "Amount"), desk.say("احتمال الفوز في الشهر", "Chance in the month"),
        desk.say("إسهامها", "Contribution"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(one.title or str(one.deal_id)[-12:], href=url("deal", str(one.deal_id))),
            Cell(desk.say(stages[Stage(one.stage)].ar, stages[Stage(one.stage)].en)), Cell(_amount(one.amount), "ltr"),
            Cell(f"{one.probability:.1%}", "ltr"), Cell(_amount(one.contribution), "ltr"),
        )
        for one in first.drivers
    )  # fmt: skip
    named = _month(desk, first.since)
    said = desk.say(
        f"من الصفقات المفتوحة {_amount(first.from_deals)}، والباقي من صفقات لم تُعرف بعد.",
        f"Open deals bring {_amount(first.from_deals)}; the rest comes from deals that nobody knows yet.",
    )
    return (Section(desk.say(f"ما يقوم عليه توقع {named}", f"What the forecast of {named} rests on"), said, columns=columns, rows=rows),)  # fmt: skip


def _tests(desk: Desk, found: Forecast) -> Section:
    columns = (
        desk.say("الأفق بالأشهر", "Months ahead"), desk.say("الأشهر المختبرة", "Months tested"), desk.say("الدقة", "Accuracy"),
        desk.say("دقة «مثل الشهر السابق»", "Accuracy of “as last month”"), desk.say("داخل المجال", "Inside the interval"),
    )  # fmt: skip
    rows = tuple(
        (Cell(str(one.horizon), "ltr"), Cell(str(one.months), "ltr"), Cell(_share(one.accuracy), "ltr"), Cell(_share(one.naive), "ltr"), Cell(_share(one.coverage), "ltr"))
        for one in found.back_test
    )  # fmt: skip
    said = desk.say(
        "كل شهر سابق كما كان سيُتوقع بما كان معروفًا حينها فقط.", "Each past month as it would have been forecast, with only what was known then."
    )  # fmt: skip
    return Section(
        desk.say("الاختبار الرجعي", "Back-test"), said, columns=columns, rows=rows,
        empty=desk.say("لا أشهر كافية للاختبار بعد. تظهر الدقة هنا مع اكتمال الأشهر المطلوبة.", "There are not enough months to test yet. Accuracy appears here once there are."),
    )  # fmt: skip


def _month(desk: Desk, at: datetime, form: str = "MMMM y") -> str:
    """A month as people read it: «نوفمبر 2026»."""
    return format_date(at.astimezone(RIYADH).date(), form, locale=desk.lang)


def _named(at: datetime) -> str:
    """A month as it stands in an address."""
    return f"{at.astimezone(RIYADH):%Y-%m}"


def _amount(value: Decimal) -> str:
    return f"{value:,.2f}".removesuffix(".00")


def _signed(value: Decimal) -> str:
    return f"{value:+,.2f}".removesuffix(".00")


def _between(low: Decimal, high: Decimal) -> str:
    return f"{_amount(low)} – {_amount(high)}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
