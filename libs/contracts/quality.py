"""Messages of data quality."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from libs.contracts.message import Message, Principal


class QualityState(StrEnum):
    """`no_data` is nothing to look at, or nobody looked yet; it is no pass."""

    OK = "ok"
    BELOW = "below"
    NO_DATA = "no_data"


class QualityPoint(Message):
    """What one look found. `share` of `rows` were right."""

    at: datetime
    rows: int
    failed: int
    share: float | None


class QualityStanding(Message):
    """A check with its latest look, the looks before it (the newest first) and ids of rows that failed."""

    name: str
    dimension: str
    table: str
    en: str
    ar: str
    goal: float
    state: QualityState
    latest: QualityPoint | None = None
    trend: tuple[QualityPoint, ...] = ()
    sample: tuple[str, ...] = ()


class QualityRequest(Message):
    """The standing of every check; `now` looks before it answers."""

    principal: Principal
    now: bool = False


class QualityReply(Message):
    """`counts` by state."""

    items: tuple[QualityStanding, ...]
    counts: dict[str, int]
