"""The model of a track: what open deals bring, weighted by how deals at their stage went, beside a seasonal baseline.

From the same day of each earlier month it is counted which deals were open, at which stage, and which of them were won in the month that
lies `horizon` months ahead. A stage's share, pulled towards the average where it has few deals of its own, weighs today's deals; what came
from deals that nobody knew yet is added as its average. The baseline is the average month, with the time of the year once there are two
years of it. How much each of the two counts follows from how far each was off before (Bates and Granger, 1969). An interval is as wide as
the errors of the past were (split conformal prediction: Vovk et al., 2005).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from libs.contracts.deal_history import PastDeal
from services.decision.forecasting.domain.calendar import origin_in, plus
from services.decision.forecasting.domain.knowing import OPEN_STAGES, OpenDeal, brought, open_at
from services.decision.forecasting.rules import ForecastRules

Array = NDArray[np.float64]
SPARE = 3
"""Below so many tested months the two estimates count the same."""
YEAR = 12


@dataclass(frozen=True)
class History:
    """What a forecast is made from: the value of every whole month from `first` on, and deals where the track has any.

    `now` lies in the month after the last value: its deals are known as they stand.
    """

    first: datetime
    values: tuple[float, ...]
    now: datetime
    deals: tuple[PastDeal, ...] | None


@dataclass(frozen=True)
class Estimate:
    """What a month is expected to bring. `probabilities` are by stage; `low` and `high` hold the rules' share of the past's errors."""

    horizon: int
    expected: float
    low: float
    high: float
    weight: float
    from_deals: float
    unseen: float
    baseline: float
    probabilities: dict[str, float]
    residuals: int


@dataclass(frozen=True)
class Tested:
    """A month of the past as it would have been forecast: with what was known at `made_at` and nothing later."""

    horizon: int
    made_at: datetime
    since: datetime
    until: datetime
    expected: float
    low: float
    high: float
    actual: float
    naive: float

    @property
    def within(self) -> bool:
        return self.low <= self.actual <= self.high


@dataclass
class Model:
    """Counts once, forecasts from any month. `k` is the number of whole months that are known: the month `k` has begun."""

    history: History
    rules: ForecastRules
    _values: Array = field(init=False)
    _open: Array = field(init=False)
    _won: Array = field(init=False)
    _seen: Array = field(init=False)
    _memo: dict[tuple[int, int], tuple[float, float, float]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        months, ahead, stages = len(self.history.values), len(self.rules.horizons), len(OPEN_STAGES)
        self._values = np.asarray(self.history.values, dtype=np.float64)
        self._open = np.zeros((months + 1, stages))
        self._amounts = np.zeros((months + 1, stages))
        self._won = np.zeros((months + 1, ahead, stages))
        self._seen = np.zeros((months + 1, ahead))
        if self.history.deals is None:
            return
        for k in range(months + 1):
            known = self.open_deals(k)
            for deal in known:
                at = OPEN_STAGES.index(deal.stage)
                self._open[k, at] += 1
                self._amounts[k, at] += float(deal.amount)
                for place, horizon in enumerate(self.rules.horizons):
                    since = plus(self.history.first, k + horizon)
                    if (amount := brought(deal.was, since, plus(since, 1))) > 0:
                        self._won[k, place, at] += 1
                        self._seen[k, place] += float(amount)

    def origin(self, k: int) -> datetime:
        """The moment in the month `k` that is as far into it as now is into the current one."""
        month = plus(self.history.first, k)
        offset = self.history.now - plus(self.history.first, len(self._values))
        return origin_in(month, offset)

    def open_deals(self, k: int) -> list[OpenDeal]:
        return open_at(self.history.deals or (), self.origin(k))

    def probabilities(self, k: int, horizon: int) -> Array:
        """By stage, the share of deals that were won in the month so far ahead, counted over months whose end is known at `k`."""
        place, upto = self.rules.horizons.index(horizon), max(0, k - horizon)
        counted, won = self._open[:upto].sum(axis=0), self._won[:upto, place].sum(axis=0)
        average = won.sum() / counted.sum() if counted.sum() else 0.0
        shares: Array = (won + self.rules.prior * average) / (counted + self.rules.prior)
        return shares

    def _parts(self, k: int, horizon: int) -> tuple[float, float, float]:
        """From open deals, from deals not known yet, and the baseline."""
        if (found := self._memo.get((k, horizon))) is None:
            place, upto = self.rules.horizons.index(horizon), max(0, k - horizon)
            from_deals = float(self.probabilities(k, horizon) @ self._amounts[k])
            rest = self._values[horizon : upto + horizon] - self._seen[:upto, place]
            recent = rest[-self.rules.baseline_months :]
            unseen = float(max(0.0, recent.mean())) if recent.size else 0.0
            found = self._memo[(k, horizon)] = (from_deals, unseen, self._baseline(k, horizon))
        return found

    def _baseline(self, k: int, horizon: int) -> float:
        known = self._values[:k]
        months = (self.history.first.month - 1 + np.arange(k)) % YEAR
        index = np.ones(YEAR)
        if k >= self.rules.seasonal_months and known.mean() > 0:
            for month in range(YEAR):
                ratios = known[months == month] / known.mean()
                # One month as the average keeps two odd ones from being taken for the season.
                index[month] = (ratios.sum() + 1) / (ratios.size + 1)
        level = (known / index[months])[-self.rules.baseline_months :].mean()
        return float(level * index[(self.history.first.month - 1 + k + horizon) % YEAR])

    def weight(self, k: int, horizon: int) -> float:
        """How much the deals' estimate counts at `k`, by how far each of the two was off in the months tested before."""
        if self.history.deals is None:
            return 0.0
        errors = []
        for earlier in range(self.rules.train_months, k - horizon):
            from_deals, unseen, baseline = self._parts(earlier, horizon)
            actual = self._values[earlier + horizon]
            errors.append(((from_deals + unseen - actual) ** 2, (baseline - actual) ** 2))
        if len(errors) < SPARE:
            return 0.5
        by_deals, by_baseline = np.asarray(errors).mean(axis=0)
        return float(by_baseline / (by_deals + by_baseline)) if by_deals + by_baseline > 0 else 0.5

    def expected(self, k: int, horizon: int) -> float:
        from_deals, unseen, baseline = self._parts(k, horizon)
        weight = self.weight(k, horizon)
        return weight * (from_deals + unseen) + (1 - weight) * baseline

    def tests(self, horizon: int) -> tuple[Tested, ...]:
        """Every month that can be tested, the oldest first; each interval is made from the other months' errors."""
        months = range(self.rules.train_months, len(self._values) - horizon)
        made = [(k, self.expected(k, horizon), float(self._values[k + horizon])) for k in months]
        found = []
        for number, (k, expected, actual) in enumerate(made):
            others = [abs(a - e) for at, (_, e, a) in enumerate(made) if at != number]
            half = _half(others, self.rules.level)
            since = plus(self.history.first, k + horizon)
            found.append(
                Tested(
                    horizon, self.origin(k), since, plus(since, 1), expected, max(0.0, expected - half), expected + half, actual,
                    naive=float(self._values[k - 1]),
                )
            )  # fmt: skip
        return tuple(found)

    def estimate(self, horizon: int) -> Estimate:
        """The month so far ahead of the current one. Raises ValueError when too few months could be tested for an interval."""
        tested = self.tests(horizon)
        if len(tested) < self.rules.residuals:
            raise ValueError("too few months for an interval")
        k = len(self._values)
        expected = self.expected(k, horizon)
        half = _half([abs(one.actual - one.expected) for one in tested], self.rules.level)
        from_deals, unseen, baseline = self._parts(k, horizon)
        shares = self.probabilities(k, horizon)
        return Estimate(
            horizon, expected, max(0.0, expected - half), expected + half, self.weight(k, horizon), from_deals, unseen, baseline,
            dict(zip(OPEN_STAGES, map(float, shares), strict=True)), len(tested),
        )  # fmt: skip


def accuracy(expected: float, actual: float) -> float | None:
    """As the dictionary defines it: 1 - |gap| / actual, at least 0; None where nothing came, for a share of nothing says nothing."""
    return None if actual == 0 else max(0.0, 1 - abs(expected - actual) / abs(actual))


def mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def _half(errors: Sequence[float], level: float) -> float:
    """The error that the share `level` of months stays within: the ceil((m + 1) level)-th smallest of m."""
    if not errors:
        return 0.0
    ordered = sorted(errors)
    return ordered[min(len(ordered), math.ceil((len(ordered) + 1) * level)) - 1]
