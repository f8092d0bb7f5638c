"""Metrics over time and attribution as pages: changes between stretches that are over, gaps that are no zeros, splits that need a person."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.analytics import Analytics, AnalyticsRequest, Trend
from libs.contracts.attribution import (
    Attribution,
    AttributionsReply,
    ChannelShare,
    ModelShare,
    TouchKind,
    Touchpoint,
)
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.errors import NotFound
from libs.contracts.message import Text
from libs.contracts.metrics import SeriesPoint
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
DEAL, PARTNER = UUID(int=2**125), UUID(int=2**125 + 1)


def point(month: int, value: str | None) -> SeriesPoint:
    since, until = datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC)
    return SeriesPoint(
        since=since,
        until=until,
        value=None if value is None else Decimal(value),
        rows=9,
        counted=0 if value is None else 7,
        excluded=0,
    )


def trend(name: str, *values: str | None, change: str | None = None, **more: Any) -> Trend:
    rule = metrics()[name]
    return Trend(
        metric=name, unit=rule.unit, en=rule.en, ar=rule.ar, definition_en=rule.definition_en, definition_ar=rule.definition_ar,
        points=tuple(point(at, one) for at, one in enumerate(values, 6)), change=None if change is None else Decimal(change), **more,
    )  # fmt: skip


def analytics(asked: AnalyticsRequest) -> Analytics:
    revenue = trend("revenue_actual", "90000", None, "140000.00", "128500.50", "20000", change="-11499.50")
    unread = Text(en="It could not be read.", ar="تعذّرت قراءته.")
    every = (revenue, trend("win_rate", "0.25", "0.4", "0.45", "0.1", change="0.05"), trend("velocity", why=unread))
    chosen = tuple(one for one in every if not asked.names or one.metric in asked.names)
    return Analytics(
        by=asked.by, since=datetime(2026, 6, 1, tzinfo=UTC), until=datetime(2026, 11, 1, tzinfo=UTC), as_of=datetime(2026, 10, 20, tzinfo=UTC),
        trends=chosen,
    )  # fmt: skip


def attribution(**changes: Any) -> Attribution:
    def touch(kind: TouchKind, channel: str, title: str, share: str, direction: str = "") -> Touchpoint:
        return Touchpoint(
            kind=kind, channel=channel, title=title, at=datetime(2026, 9, 3, 9, tzinfo=UTC), record="activity:1", share=Decimal(share),
            direction=direction,
        )  # fmt: skip

    channels = (
        ChannelShare(channel="meeting", touches=2, share=Decimal("0.6")),
        ChannelShare(channel=f"partner:{PARTNER}", touches=1, share=Decimal("0.3")),
        ChannelShare(channel="source:event", touches=1, share=Decimal("0.1")),
    )
    even = ModelShare(
        model="even", said=Text(en="Every touch by its kind.", ar="كل نقطة بحسب نوعها."), channels=channels[:2]
    )
    base: Attribution = example(Attribution).evolve(
        deal_id=DEAL, title="توريد أنظمة", account_name="شركة أفق", stage="won", amount=Decimal("80000.00"), currency="SAR",
        closed_at=datetime(2026, 10, 1, tzinfo=UTC), channels=channels, models=(even,), confidence=0.82, needs_person=False, reasons=(),
        touchpoints=(
            touch(TouchKind.SOURCE, "source:event", "event", "0.1"), touch(TouchKind.PARTNER, f"partner:{PARTNER}", "رمال للتقنية", "0.3"),
            touch(TouchKind.MEETING, "meeting", "عرض النظام", "0.6", "outbound"),
        ),
    )  # fmt: skip
    made: Attribution = base.evolve(**changes)
    return made


def fill(site: Site) -> None:
    doubted = attribution(
        needs_person=True,
        reasons=(Text(en="A partner and a campaign both claim it.", ar="شريك وحملة يدّعيانها معًا."),),
    )
    site.planes.answer(subjects.ANALYTICS, analytics)
    site.planes.answer(subjects.ATTRIBUTIONS, AttributionsReply(items=(attribution(), doubted), next_cursor="on"))
    site.planes.answer(subjects.ATTRIBUTION, doubted)


async def test_each_figure_is_of_the_last_whole_stretch_with_its_change_and_its_definition(site: Site) -> None:
    await enter(site, "auditor")
    fill(site)
    page = (await site.client.get("/console/numbers/trends")).text
    for said in ("128,500.50", "التغيّر", "-11,499.50", "+5.0", "تعذّرت قراءته.", "metric=revenue_actual", metrics()["win_rate"].definition_ar):  # fmt: skip
        assert said in page, said
    assert "20,000" not in page, "a stretch that still runs is not compared"
    assert not site.planes.requests(subjects.ANALYTICS)[-1].names


async def test_one_metric_is_drawn_with_a_gap_where_there_is_no_data_and_the_table_has_the_same_figures(site: Site) -> None:  # fmt: skip
    await enter(site, "auditor")
    fill(site)
    page = (await site.client.get("/console/numbers/trends?metric=revenue_actual&by=week&stretches=5")).text
    assert page.count('<rect class="chart-bar') == 4 + 2, "four months with data, and two signs of the legend"
    assert "140,000" in page and "0 / 9" in page and "لم تكتمل" in page
    asked = site.planes.requests(subjects.ANALYTICS)[-1]
    assert (asked.names, asked.by, asked.stretches) == (("revenue_actual",), "week", 5)
    site.planes.answer(subjects.ANALYTICS, lambda one: analytics(one).evolve(trends=(trend("revenue_actual", "-5", "7", "1"),)))  # fmt: skip
    below = (await site.client.get("/console/numbers/trends?metric=revenue_actual")).text
    assert '<rect class="chart-bar' not in below and ">-5<" in below, "a bar can't go below zero: the table tells it"


@pytest.mark.parametrize(
    ("query", "status"), [("metric=astrology", 404), ("metric=pipeline_value", 404), ("by=year", 422), ("stretches=2", 422)]
)  # fmt: skip
async def test_what_can_t_be_drawn_is_refused(site: Site, query: str, status: int) -> None:
    await enter(site, "auditor")
    fill(site)
    assert (await site.client.get(f"/console/numbers/trends?{query}")).status_code == status
    assert not site.planes.requests(subjects.ANALYTICS)


async def test_won_deals_say_what_counts_most_and_which_split_nobody_should_use_yet(site: Site) -> None:
    await enter(site, "member")
    fill(site)
    page = (await site.client.get("/console/numbers/attribution")).text
    for said in ("توريد أنظمة", "80,000.00", "اجتماع", "60%", "82%", "راجعها أولًا", f"/console/numbers/attribution/{DEAL}", "attribution?cursor="):  # fmt: skip
        assert said in page, said
    site.planes.answer(subjects.ATTRIBUTIONS, AttributionsReply(items=()))
    assert "لا صفقات مكسوبة بعد" in (await site.client.get("/console/numbers/attribution")).text


async def test_one_deal_shows_its_touches_by_name_and_each_model_beside_the_mean(site: Site) -> None:
    await enter(site, "member")
    fill(site)
    page = (await site.client.get(f"/console/numbers/attribution/{DEAL}")).text
    for said in ("شريك وحملة يدّعيانها معًا.", "عرض النظام", "شريك: رمال للتقنية", "صادر", "60.0%", "كل نقطة بحسب نوعها", f"/console/crm/deals/{DEAL}"):  # fmt: skip
        assert said in page, said
    assert ">event<" not in page and "source:event" not in page, "a source goes by its name"
    site.planes.answer(subjects.ATTRIBUTION, attribution(touchpoints=(), channels=(), models=()))
    assert "سجّل المكالمات والاجتماعات" in (await site.client.get(f"/console/numbers/attribution/{DEAL}")).text
    site.planes.answer(subjects.ATTRIBUTION, NotFound())
    assert (await site.client.get(f"/console/numbers/attribution/{DEAL}")).status_code == 404
