"""Saudi business time: Sunday to Thursday, a tenant's hours, public holidays; and the four thresholds of an approval's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays

from libs.contracts.approvals import TrustRules
from services.trust.domain.facts import RIYADH

LONGEST = 400
"""Days looked at for an open hour; a calendar without one in more than a year is a mistake, refused when rules are set."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`share` of the SLA after which `stage` is reached."""

    stage: str
    share: float


THRESHOLDS = (
    Threshold("reminded", 0.5),
    Threshold("warned", 0.8),
    Threshold("escalated", 1.0),
    Threshold("breached", 1.5),
)


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Public holidays of Saudi Arabia. Days of the lunar calendar are estimates until they are announced: `closed_on` corrects them."""
    return frozenset(holidays.country_holidays("SA", years=year))


def is_open(day: date, rules: TrustRules) -> bool:
    return day.weekday() in rules.days and day not in rules.closed_on and day not in public_holidays(day.year)


def after(start: datetime, minutes: float, rules: TrustRules, *, any_hour: bool = False) -> datetime:
    """When `minutes` of business time have passed since `start`; of any time with `any_hour`.

    Raises ValueError when the rules leave no hour open.
    """
    if any_hour:
        return start + timedelta(minutes=minutes)
    left = timedelta(minutes=minutes)
    for opens, closes in _hours(start, rules):
        begin = max(opens, start)
        if begin >= closes:
            continue
        if closes - begin >= left:
            return (begin + left).astimezone(start.tzinfo)
        left -= closes - begin
    raise ValueError("the rules leave no business hours")


def between(start: datetime, end: datetime, rules: TrustRules, *, any_hour: bool = False) -> int:
    """Business minutes from `start` to `end`; negative when `end` is earlier."""
    if end < start:
        return -between(end, start, rules, any_hour=any_hour)
    if any_hour:
        return int((end - start).total_seconds() // 60)
    total = timedelta()
    for opens, closes in _hours(start, rules):
        if opens >= end:
            break
        total += max(timedelta(), min(closes, end) - max(opens, start))
    return int(total.total_seconds() // 60)


def _hours(start: datetime, rules: TrustRules) -> Iterator[tuple[datetime, datetime]]:
    first = start.astimezone(RIYADH).date()
    for offset in range(LONGEST):
        day = first + timedelta(days=offset)
        if is_open(day, rules):
            midnight = datetime.combine(day, time(), RIYADH)
            yield (
                midnight + timedelta(minutes=rules.opens_minute),
                midnight + timedelta(minutes=rules.closes_minute),
            )


def thresholds(start: datetime, risk: str, action_type: str, rules: TrustRules) -> dict[str, datetime]:
    """When each stage of a request's clock is reached."""
    minutes = rules.sla_minutes.get(risk, rules.sla_minutes.get("high", 240))
    any_hour = action_type in rules.any_hour
    return {t.stage: after(start, minutes * t.share, rules, any_hour=any_hour) for t in THRESHOLDS}


def role_at(stage: str, role: str, rules: TrustRules) -> str:
    """Whose queue a request is in once it reaches a stage."""
    if stage == "escalated":
        return rules.next_role.get(role, rules.executive)
    return rules.executive if stage == "breached" else role
