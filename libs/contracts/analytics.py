"""Figures over time, stretch by stretch, from the metric layer alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Principal, Text
from libs.contracts.metrics import SeriesPoint


class Stretch(StrEnum):
    """Days and months of Riyadh; weeks begin on Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class AnalyticsRequest(Message):
    """`names` of metrics that have a period; without any, those of the executive room."""

    principal: Principal
    names: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    by: Stretch = Stretch.MONTH
    stretches: Annotated[int, Field(ge=3, le=60)] = 12


class Trend(Message):
    """A metric over time, the oldest first; the last point is the running stretch. `change` is between the last two that are over, None where
    either has no data. `why` says why there are no points."""

    metric: str
    unit: str
    en: str
    ar: str
    definition_en: str
    definition_ar: str
    points: tuple[SeriesPoint, ...]
    change: Decimal | None
    caution: Text | None = None
    why: Text | None = None


class Analytics(Message):
    by: Stretch
    since: datetime
    until: datetime
    as_of: datetime
    trends: tuple[Trend, ...]
