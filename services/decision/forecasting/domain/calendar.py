"""Months as they begin in Riyadh."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.contracts.business_time import RIYADH


def month_of(at: datetime) -> datetime:
    """The first moment of a moment's month."""
    local = at.astimezone(RIYADH)
    return datetime(local.year, local.month, 1, tzinfo=RIYADH)


def plus(month: datetime, count: int) -> datetime:
    """The month so many later, or earlier when `count` is negative. `month` is the first moment of one."""
    local = month.astimezone(RIYADH)
    index = local.year * 12 + local.month - 1 + count
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=RIYADH)


def edges(first: datetime, count: int) -> tuple[datetime, ...]:
    """The beginnings of so many months from `first` on, and the end of the last."""
    return tuple(plus(first, number) for number in range(count + 1))


def origin_in(month: datetime, offset: timedelta) -> datetime:
    """The moment of a month that lies `offset` after its beginning, within the month."""
    return min(month + offset, plus(month, 1) - timedelta(microseconds=1))


def named(text: str) -> datetime:
    """The month that a text as 2026-10 names. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=RIYADH)
