"""Messages of data quality."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from libs.contracts.message import Message, Principal, TenantId


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


class CheckState(Message):
    """How a check stood at a look. `since` is the first of the looks in a row that were below the goal; None where this one was not."""

    name: str
    state: QualityState
    share: float | None
    goal: float
    rows: int
    failed: int
    since: datetime | None = None


class QualityChecked(Message):
    """A tenant's rows were looked at: every check as it stood, failed or not."""

    tenant_id: TenantId
    at: datetime
    checks: tuple[CheckState, ...]


class DataHealthRequest(Message):
    principal: Principal


class DataHealth(Message):
    """What operating has heard of a tenant's data. `unknown` is nothing yet, `stale` is nothing for longer than two intervals between looks;
    neither is well."""

    status: Literal["ok", "below", "stale", "unknown"]
    looked_at: datetime | None
    below: int
    no_data: int
    checks: tuple[CheckState, ...]
