"""Actual vs forecast as a page: bars, a dashed line with its interval, gaps where nothing is on record, and a table with the same figures."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.errors import NotFound
from libs.contracts.forecasts import Ahead, Driver, Forecast, HorizonTest, Missing, Month, Part, Track, Variance
from libs.contracts.message import new_id
from services.gateway.console.charts import Point, chart
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

DEAL = new_id()


def moment(month: int) -> datetime:
    return datetime(2026, month, 1, tzinfo=UTC)


def month(number: int, actual: int | None, **more: Any) -> Month:
    value = None if actual is None else Decimal(actual)
    return Month(since=moment(number), until=moment(number + 1), actual=value, **more)


def expected(value: int) -> dict[str, Any]:
    return {"forecast": Decimal(value), "low": Decimal(value - 50), "high": Decimal(value + 50), "kind": "back_test"}


def forecast(**more: Any) -> Forecast:
    driver = Driver(
        deal_id=DEAL,
        title="رمال: توسعة",
        stage="open",
        amount=Decimal(900),
        probability=0.25,
        contribution=Decimal(225),
    )
    ahead = Ahead(
        since=moment(11), until=moment(12), horizon=1, expected=Decimal(300), low=Decimal(100), high=Decimal(500), from_deals=Decimal(225),
        weight=0.5, drivers=(driver,),
    )  # fmt: skip
    values: dict[str, Any] = {
        "track": Track.REVENUE, "metric": "revenue_actual", "unit": "SAR", "ready": True, "level": 0.8, "made_at": moment(10),
        "months": (month(6, None), month(7, 200), month(8, None), month(9, 410, **expected(300)), month(10, 90, so_far=True)), "ahead": (ahead,),
        "back_test": (HorizonTest(horizon=1, months=9, accuracy=0.71, naive=0.5, coverage=0.78),),
    }  # fmt: skip
    return Forecast(**{**values, **more})


def variance() -> Variance:
    one = example(Variance)
    assert isinstance(one, Variance)
    part = Part(
        key="slipped", en="Not closed", ar="لم تُغلق", expected=Decimal(100), actual=Decimal(0), variance=Decimal(-100)
    )
    made: Variance = one.evolve(
        since=moment(9),
        kind="made",
        variance=Decimal(110),
        by_timing=(part,),
        by_deal=(part.evolve(deal_id=DEAL, ar="رمال: توسعة"),),
    )
    return made


@pytest.mark.asyncio
async def test_the_chart_and_its_table_show_the_same_figures_and_a_missing_month_is_a_gap(site: Site) -> None:
    await enter(site, "operator")
    site.planes.answer(subjects.FORECAST, forecast())
    site.planes.answer(subjects.FORECAST_VARIANCE, variance())
    page = await site.client.get("/console/numbers/forecast")
    assert page.status_code == 200, page.text
    bars = re.findall(r"<title>([^<:]+): ([0-9,]+)</title></rect>", page.text)
    assert bars == [("يوليو 2026", "200"), ("سبتمبر 2026", "410"), ("أكتوبر 2026", "90")], (
        "no bar for months without a record"
    )
    assert "chart-line" in page.text and "style=" not in page.text and "<script>" not in page.text
    for figure in ("410", "300", "250 – 350", "+110", "100 – 500", "225", "71%", "78%", "-100"):
        assert f">{figure}<" in page.text, figure
    assert page.text.count(">لا بيانات<") == 1, "August is a gap in the table too; June was before the record begins"
    assert f"/console/crm/deals/{DEAL}" in page.text and "لم تُغلق" in page.text and "حتى الآن" in page.text
    english = await site.client.get("/console/numbers/forecast", headers={"Cookie": "dealix_lang=en"}, params={"month": "2026-09"})  # fmt: skip
    assert english.status_code in (200, 303)


@pytest.mark.asyncio
async def test_too_little_history_says_what_is_missing_and_a_gap_that_nobody_can_tell_takes_only_its_part(
    site: Site,
) -> None:
    token = await enter(site, "operator")
    lacking = Missing(code="months", have=3, need=11, en="11 needed.", ar="يلزم 11 شهرًا.")
    site.planes.answer(subjects.FORECAST, forecast(ready=False, missing=(lacking,), months=(month(6, None),), ahead=(), back_test=()))  # fmt: skip
    site.planes.answer(subjects.FORECAST_VARIANCE, NotFound("no_forecast", "No forecast.", "لا توقع لهذا الشهر."))
    page = await site.client.get("/console/numbers/forecast", params={"track": "expansion"})
    assert page.status_code == 200 and "يلزم 11 شهرًا." in page.text and '<svg class="chart"' not in page.text
    assert site.planes.requests(subjects.FORECAST)[-1].track is Track.EXPANSION
    site.planes.answer(subjects.FORECAST, forecast())
    partly = await site.client.get("/console/numbers/forecast", params={"month": "2026-09"})
    assert partly.status_code == 200 and "لا توقع لهذا الشهر." in partly.text and "chart-line" in partly.text
    assert (await site.client.get("/console/numbers/forecast", params={"month": "soon"})).status_code == 422
    site.planes.answer(subjects.MAKE_FORECAST, forecast())
    made = await site.client.post("/console/numbers/forecast/make", data={"csrf": token, "track": "revenue"})
    assert made.status_code == 303


@pytest.mark.asyncio
async def test_an_auditor_sees_forecasts_and_starts_none(site: Site) -> None:
    token = await enter(site, "auditor")
    site.planes.answer(subjects.FORECAST, forecast())
    site.planes.answer(subjects.FORECAST_VARIANCE, variance())
    page = await site.client.get("/console/numbers/forecast")
    assert page.status_code == 200 and "forecast/make" not in page.text
    assert (await site.client.post("/console/numbers/forecast/make", data={"csrf": token})).status_code == 403


def test_lines_break_where_nothing_was_expected_and_arabic_begins_on_the_right() -> None:
    points = [Point(str(n), Decimal(n), None if n == 2 else Decimal(10), Decimal(5), Decimal(15)) for n in range(5)]
    right, left = chart(points, rtl=True), chart(points, rtl=False)
    assert len(right.lines) == 2 and len(right.dots) == 4
    assert right.bars[0].x > right.bars[-1].x and left.bars[0].x < left.bars[-1].x
    assert all(0 <= bar.y <= bar.y + bar.height <= right.height for bar in right.bars)
    assert chart([], rtl=True).bars == () and chart([Point("a", Decimal(0), None)], rtl=True).bars[0].height == 0
