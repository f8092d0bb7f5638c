"""Saudi business time: Sunday to Thursday, opening hours, public holidays. Pure: the clock comes in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

RIYADH = ZoneInfo("Asia/Riyadh")
LONGEST = 400
"""Days looked at for an open hour; a calendar without one in more than a year is a mistake, refused when rules are set."""


class Opening(Protocol):
    """When somebody works. Minutes of a day count from midnight in Riyadh; `days` are 0 (Monday) to 6 (Sunday)."""

    @property
    def opens_minute(self) -> int: ...

    @property
    def closes_minute(self) -> int: ...

    @property
    def days(self) -> tuple[int, ...]: ...

    @property
    def closed_on(self) -> tuple[date, ...]: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours by themselves."""

    opens_minute: int = 9 * 60
    closes_minute: int = 17 * 60
    days: tuple[int, ...] = (6, 0, 1, 2, 3)
    closed_on: tuple[date, ...] = ()


STANDARD = Hours()


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Public holidays of Saudi Arabia. Days of the lunar calendar are estimates until they are announced: `closed_on` corrects them."""
    # All the world's calendars come along: a tenth of the start of every process, and most never ask.
    import holidays

    return frozenset(holidays.country_holidays("SA", years=year))


def is_open(day: date, rules: Opening) -> bool:
    return day.weekday() in rules.days and day not in rules.closed_on and day not in public_holidays(day.year)


def after(start: datetime, minutes: float, rules: Opening, *, any_hour: bool = False) -> datetime:
    """When `minutes` of business time have passed since `start`; of any time with `any_hour`.

    Raises ValueError when the rules leave no hour open.
    """
    if any_hour:
        return start + timedelta(minutes=minutes)
    left = timedelta(minutes=minutes)
    for opens, closes in open_hours(start, rules):
        begin = max(opens, start)
        if begin >= closes:
            continue
        if closes - begin >= left:
            return (begin + left).astimezone(start.tzinfo)
        left -= closes - begin
    raise ValueError("the rules leave no business hours")


def between(start: datetime, end: datetime, rules: Opening, *, any_hour: bool = False) -> int:
    """Business minutes from `start` to `end`; negative when `end` is earlier."""
    if end < start:
        return -between(end, start, rules, any_hour=any_hour)
    if any_hour:
        return int((end - start).total_seconds() // 60)
    total = timedelta()
    for opens, closes in open_hours(start, rules):
        if opens >= end:
            break
        total += max(timedelta(), min(closes, end) - max(opens, start))
    return int(total.total_seconds() // 60)


def open_hours(start: datetime, rules: Opening) -> Iterator[tuple[datetime, datetime]]:
    """The open hours of each day from `start`'s own on."""
    first = start.astimezone(RIYADH).date()
    for offset in range(LONGEST):
        day = first + timedelta(days=offset)
        if is_open(day, rules):
            midnight = datetime.combine(day, time(), RIYADH)
            yield (
                midnight + timedelta(minutes=rules.opens_minute),
                midnight + timedelta(minutes=rules.closes_minute),
            )
