"""A pipeline by chance: deals arrive, some are won, each closes after a while and brings an amount.

New deals a month are Poisson around a rate that is itself uncertain (gamma); the share won is beta, as sure as the closings it rests on;
months to close are geometric; amounts are lognormal. Every input draws from a stream of its own, so that scenarios differ by what was
changed and hardly by luck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STATED_MONTHS, STATED_CLOSINGS = 12, 30
"""How many months and closings a stated number counts for: people are sure of themselves, not of the future."""
MOST_AMOUNTS = 4_000_000
"""Above so many amounts a sum is drawn at once, by the central limit theorem, instead of one by one."""


@dataclass(frozen=True)
class Inputs:
    """`closings` is how many closed deals the win rate rests on, `months_seen` how many months the rate of new deals does; 0 where stated."""

    new_deals: float
    win_rate: float
    amount: float
    amount_spread: float
    cycle_months: float
    monthly_cost: float = 0.0
    closings: int = 0
    months_seen: int = 0

    def changed(self, changes: Mapping[str, float]) -> Inputs:
        """With each named input multiplied; a share stays below 1."""
        values = {name: getattr(self, name) * by for name, by in changes.items()}
        if "win_rate" in values:
            values["win_rate"] = min(0.999, values["win_rate"])
        return replace(self, **values)


def simulated(inputs: Inputs, *, seed: int, runs: int, months: int) -> Array:
    """What each run comes to over all months: revenue less cost. The same arguments give the same array.

    Shape (runs,), SAR.
    """
    rates, arrivals, shares, wins, times, amounts = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(6)
    )
    certain = inputs.new_deals * (inputs.months_seen or STATED_MONTHS)
    rate = rates.gamma(certain, inputs.new_deals / certain, runs)
    arriving = arrivals.poisson(rate[:, None], (runs, months))
    weight = inputs.closings or STATED_CLOSINGS
    share = shares.beta(inputs.win_rate * weight, (1 - inputs.win_rate) * weight, runs)
    waiting = np.zeros(runs, dtype=np.int64)
    count = np.zeros(runs, dtype=np.int64)
    won = wins.binomial(arriving, share[:, None])
    for month in range(months):
        # Geometric: of the won deals that have not closed yet, the same share closes each month. What closes after the end is not counted.
        waiting += won[:, month]
        closing = times.binomial(waiting, 1 / (1 + inputs.cycle_months))
        waiting -= closing
        count += closing
    total: Array = _sums(amounts, count, inputs.amount, inputs.amount_spread) - inputs.monthly_cost * months
    return total


def _sums(generator: np.random.Generator, count: NDArray[np.int64], mean: float, spread: float) -> Array:
    """The sum of so many lognormal amounts for each run."""
    if spread == 0:
        return np.asarray(count * mean, dtype=np.float64)
    if count.sum() > MOST_AMOUNTS:
        deviation = mean * np.sqrt(np.exp(spread**2) - 1)
        found: Array = np.maximum(
            0.0, count * mean + generator.standard_normal(len(count)) * np.sqrt(count) * deviation
        )
        return found
    drawn = generator.lognormal(np.log(mean) - spread**2 / 2, spread, int(count.sum()))
    ends = np.concatenate(([0.0], np.cumsum(drawn)))
    upto = np.cumsum(count)
    sums: Array = ends[upto] - ends[upto - count]
    return sums
