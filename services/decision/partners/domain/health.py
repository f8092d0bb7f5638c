"""How a partnership is doing, from what is on record: introductions, deals brought, months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from libs.contracts.catalogue.partners import HealthRules, HealthTier
from libs.contracts.message import Text
from libs.contracts.partners import HealthPart

TITLES = {
    "intros": Text(en="Introductions made", ar="تعريفات قدّمها"),
    "deals": Text(en="Deals brought", ar="صفقات جلبها"),
    "months": Text(en="Months together", ar="أشهر الشراكة"),
}
MOST = 100.0


@dataclass(frozen=True, slots=True)
class Health:
    """`parts` add up to `score`, which ends at 100. `after` is the tier above, if there is one."""

    score: float
    parts: tuple[HealthPart, ...]
    tier: HealthTier
    after: HealthTier | None

    @property
    def to_next(self) -> float | None:
        return None if self.after is None else round(self.after.least - self.score, 1)


def health(intros: int, deals: int, months: int, rules: HealthRules) -> Health:
    """The points of each part, and the tier of their sum. What would go beyond 100 is taken off the last part that has it, so that parts add up."""
    points = {
        "intros": intros * rules.intros,
        "deals": deals * rules.deals,
        "months": min(months * rules.months, rules.months_most),
    }
    left, parts = MOST, []
    for key, count, most in (("deals", deals, None), ("intros", intros, None), ("months", months, rules.months_most)):
        earned = min(points[key], left)
        left -= earned
        parts.append(HealthPart(key=key, title=TITLES[key], count=count, points=earned, most=most))
    score = round(MOST - left, 1)
    tier = rules.tier(score)
    after = next((one for one in rules.tiers if one.least > score), None)
    return Health(score, tuple(parts), tier, after)


def whole_months(since: date, today: date) -> int:
    """Months that have passed whole; none before it began."""
    months = (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
    return max(0, months)
