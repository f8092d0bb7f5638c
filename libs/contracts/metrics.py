"""Messages of the metric layer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Page, Principal


class MetricGet(Message):
    """The value of a metric over a period; the last 30 days when none is given."""

    principal: Principal
    name: str
    since: datetime | None = None
    until: datetime | None = None


class MetricValue(Message):
    """A value with all that it takes to judge it. `value` is None when there is no data, which is not zero.

    `rows` could have counted, `counted` did, `excluded` would have but is in another currency or has no amount.
    """

    name: str
    unit: str
    en: str
    ar: str
    definition_en: str
    definition_ar: str
    freshness_hours: float
    value: Decimal | None
    no_data: bool
    why_en: str = ""
    why_ar: str = ""
    since: datetime
    until: datetime
    as_of: datetime
    rows: int = 0
    counted: int = 0
    excluded: int = 0


class MetricRowsRequest(Message):
    """The rows that a metric's value came from, or with `excluded` those that were left out of it."""

    principal: Principal
    name: str
    since: datetime | None = None
    until: datetime | None = None
    excluded: bool = False
    page: Page = Page()


class MetricRow(Message):
    """One record behind a number: what it is, when, and its figure in it (a record that is only counted has none)."""

    kind: str
    id: str
    at: datetime | None
    figure: Decimal | None


class MetricRowsReply(Message):
    items: tuple[MetricRow, ...]
    next_cursor: str | None = None


class CountedRequest(Message):
    """Which of these records count in a metric's value over a period."""

    principal: Principal
    name: str
    since: datetime | None = None
    until: datetime | None = None
    ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=500)]


class CountedReply(Message):
    ids: tuple[str, ...]


class SeriesRequest(Message):
    """A metric's value over each stretch between neighbouring `edges`, the oldest first."""

    principal: Principal
    name: str
    edges: Annotated[tuple[datetime, ...], Field(min_length=2, max_length=121)]


class SeriesPoint(Message):
    """One stretch. `value` is None where the metric has no data, which is not zero."""

    since: datetime
    until: datetime
    value: Decimal | None
    rows: int
    counted: int
    excluded: int


class SeriesReply(Message):
    name: str
    unit: str
    as_of: datetime
    points: tuple[SeriesPoint, ...]


class PartsRequest(Message):
    """A metric's value part by part along a dimension that it is cut by, the largest first; `part` asks for one alone."""

    principal: Principal
    name: str
    by: str
    part: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    page: Page = Page()


class MetricPart(Message):
    """One part, as `MetricValue` has the whole. `part` is its id."""

    part: str
    value: Decimal | None
    rows: int
    counted: int
    excluded: int


class PartsReply(Message):
    name: str
    unit: str
    since: datetime
    until: datetime
    as_of: datetime
    items: tuple[MetricPart, ...]
    next_cursor: str | None = None
