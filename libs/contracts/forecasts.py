"""Forecasts: what was expected of a month before it began, how sure that was, and what became of it. Amounts are SAR."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Provenance


class Track(StrEnum):
    REVENUE = "revenue"
    PARTNERSHIPS = "partnerships"
    ACQUISITIONS = "acquisitions"
    EXPANSION = "expansion"


class ForecastRequest(Message):
    principal: Principal
    track: Track = Track.REVENUE


class Missing(Message):
    """What a forecast would need and there is not: how much of it there is, and how much it takes."""

    code: str
    have: int
    need: int
    en: str
    ar: str


class Month(Message):
    """What a month brought. `actual` is None where nothing is on record: a gap, not zero. `forecast` is what was expected of it before it
    began; `kind` says whether that was a forecast (`made`) or a back-test made later with what was known then (`back_test`)."""

    since: datetime
    until: datetime
    actual: Decimal | None
    so_far: bool = False
    forecast: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    kind: str | None = None


class Driver(Message):
    """An open deal and what of the expected amount is its. `title` is empty where the deal is no longer there."""

    deal_id: UUID
    title: str
    stage: str
    amount: Decimal
    probability: float
    contribution: Decimal


class Ahead(Message):
    """A month to come. `horizon` counts months from the current one; `weight` is the part of the deals' estimate, the rest is the seasonal
    baseline's. `from_deals` is what open deals bring, the remainder comes from deals that nobody knows yet."""

    since: datetime
    until: datetime
    horizon: int
    expected: Decimal
    low: Decimal
    high: Decimal
    from_deals: Decimal
    weight: float
    drivers: tuple[Driver, ...] = ()


class HorizonTest(Message):
    """How months were met that many months ahead. `accuracy` is 1 - |gap| / actual, at least 0, averaged over months with an actual;
    `naive` is the same for "as last month"; `coverage` is the share of actuals inside an interval made from the other months' errors."""

    horizon: int
    months: int
    accuracy: float | None
    naive: float | None
    coverage: float | None


class Forecast(Message):
    """A track as it stands. Not `ready`, `missing` says what is lacking and nothing is forecast."""

    track: Track
    metric: str
    unit: str
    ready: bool
    missing: tuple[Missing, ...] = ()
    made_at: datetime | None = None
    level: float
    months: tuple[Month, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    back_test: tuple[HorizonTest, ...] = ()
    excluded_deals: int = 0
    provenance: Provenance | None = None


class MadeRequest(Message):
    """Stored forecasts, the newest first."""

    principal: Principal
    track: Track = Track.REVENUE
    page: Page = Page()


class Made(Message):
    """A forecast as it was stored; `actual` once its month has ended."""

    forecast_id: UUID
    track: Track
    kind: str
    horizon: int
    since: datetime
    until: datetime
    made_at: datetime
    expected: Decimal
    low: Decimal
    high: Decimal
    actual: Decimal | None
    accuracy: float | None


class MadeReply(Message):
    items: tuple[Made, ...]
    next_cursor: str | None = None


class VarianceRequest(Message):
    """Of the month that `month` (as 2026-10) names; without one, of the last that ended."""

    principal: Principal
    track: Track = Track.REVENUE
    month: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = None


class Part(Message):
    """A part of a gap: what was expected of it, what it brought, and the difference."""

    key: str
    en: str
    ar: str
    expected: Decimal
    actual: Decimal
    variance: Decimal
    deal_id: UUID | None = None
    deals: int = 0


class Variance(Message):
    """The gap between a month and its forecast, taken apart four ways; the parts of each way add up to the whole."""

    track: Track
    metric: str
    since: datetime
    until: datetime
    forecast_id: UUID
    made_at: datetime
    kind: str
    expected: Decimal
    low: Decimal
    high: Decimal
    actual: Decimal
    variance: Decimal
    accuracy: float | None
    within: bool
    by_deal: tuple[Part, ...]
    by_stage: tuple[Part, ...]
    by_segment: tuple[Part, ...]
    by_timing: tuple[Part, ...]
    provenance: Provenance
