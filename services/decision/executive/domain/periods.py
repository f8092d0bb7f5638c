"""Months, quarters, weeks and days of Riyadh, by their names and counted back from now."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.contracts.analytics import Stretch
from libs.contracts.business_time import RIYADH
from services.decision.forecasting.domain.calendar import edges, month_of, named, plus


def period(text: str) -> tuple[datetime, datetime]:
    """Where a month (2026-10) or a quarter (2026-Q3) begins and ends. Raises ValueError."""
    year, _, part = text.partition("-")
    if part.startswith("Q"):
        first = datetime(int(year), 3 * int(part[1:]) - 2, 1, tzinfo=RIYADH)
        return first, plus(first, 3)
    first = named(text)
    return first, plus(first, 1)


def last_month(now: datetime) -> str:
    """The name of the last month that ended."""
    return f"{plus(month_of(now), -1):%Y-%m}"


def back(now: datetime, by: Stretch, count: int) -> tuple[datetime, ...]:
    """The edges of so many stretches, the last of which is running and ends now."""
    local = now.astimezone(RIYADH)
    today = datetime(local.year, local.month, local.day, tzinfo=RIYADH)
    if by is Stretch.MONTH:
        return (*edges(plus(month_of(now), 1 - count), count - 1), now)
    step = timedelta(days=1 if by is Stretch.DAY else 7)
    first = today if by is Stretch.DAY else today - timedelta(days=(today.weekday() + 1) % 7)
    return (*(first - step * number for number in range(count - 1, -1, -1)), now)
