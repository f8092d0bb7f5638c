"""Chances of open deals, calibrated by what became of deals at their stage; and how long customers stay away."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import numpy as np

from libs.contracts.catalogue.records import Stage
from libs.contracts.deal_history import PastDeal
from libs.contracts.predictive import Calibration, Customer
from services.decision.forecasting.domain.calendar import plus
from services.decision.forecasting.domain.knowing import OPEN_STAGES, counts, open_at, won_between
from services.decision.forecasting.domain.model import History
from services.decision.forecasting.rules import ForecastRules

HORIZON_DAYS = 90
Z_80 = 1.2816
"""The normal quantile that leaves a tenth on each side."""
LEAST_RETURNS = 10
"""Returns that it takes to say how long customers stay away."""


@dataclass(frozen=True)
class Chances:
    """`probability` by stage of being won within the horizon; the table that it was held to; the mean squared error of single deals."""

    probability: dict[str, float]
    table: tuple[Calibration, ...]
    brier: float | None
    months: int


def chances(history: History, rules: ForecastRules) -> Chances:
    """From the beginning of each month whose horizon is over: who was open, at which stage, and who was won within it.

    What a month was predicted is computed from the months whose horizon was over by then alone, so the table is out of sample.
    """
    opened, won = _snapshots(history)
    shares = _shares(opened, won, rules.prior)
    predicted, tested_open, tested_won = (
        np.zeros(len(OPEN_STAGES)),
        np.zeros(len(OPEN_STAGES)),
        np.zeros(len(OPEN_STAGES)),
    )
    errors = deals = 0.0
    lag = math.ceil(HORIZON_DAYS / 30)
    for k in range(rules.train_months + lag, len(opened)):
        then = _shares(opened[: k - lag], won[: k - lag], rules.prior)
        predicted += then * opened[k]
        tested_open += opened[k]
        tested_won += won[k]
        errors += float((won[k] * (1 - then) ** 2 + (opened[k] - won[k]) * then**2).sum())
        deals += float(opened[k].sum())
    table = []
    for at, stage in enumerate(OPEN_STAGES):
        count, hits = int(tested_open[at]), int(tested_won[at])
        low, high = wilson(hits, count)
        table.append(
            Calibration(
                stage=stage, deals=count, predicted=round(float(predicted[at]) / count, 4) if count else None,
                actual=round(hits / count, 4) if count else None, low=low, high=high, probability=round(float(shares[at]), 4),
            )
        )  # fmt: skip
    probability = dict(zip(OPEN_STAGES, map(float, shares), strict=True))
    return Chances(probability, tuple(table), round(errors / deals, 4) if deals else None, len(opened))


def _snapshots(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Per month, by stage: deals that were open when it began, and those of them that were won within the horizon."""
    opened, won = [], []
    span = timedelta(days=HORIZON_DAYS)
    for k in range(len(history.values)):
        at = plus(history.first, k)
        if at + span > history.now:
            break
        here, hits = np.zeros(len(OPEN_STAGES)), np.zeros(len(OPEN_STAGES))
        for deal in open_at(history.deals or (), at):
            place = OPEN_STAGES.index(deal.stage)
            here[place] += 1
            hits[place] += won_between(deal.was, at, at + span)
        opened.append(here)
        won.append(hits)
    empty = np.zeros((0, len(OPEN_STAGES)))
    return (np.array(opened), np.array(won)) if opened else (empty, empty)


def _shares(opened: np.ndarray, won: np.ndarray, prior: float) -> np.ndarray:
    counted, hits = opened.sum(axis=0), won.sum(axis=0)
    average = hits.sum() / counted.sum() if counted.sum() else 0.0
    found: np.ndarray = (hits + prior * average) / (counted + prior)
    return found


def wilson(hits: int, count: int) -> tuple[float | None, float | None]:
    """The 80% interval of a share (Wilson, 1927); nothing of nothing."""
    if not count:
        return None, None
    share, z2 = hits / count, Z_80**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_80 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)


# -- customers ---------------------------------------------------------------------------------------------------------


def customers(deals: Iterable[PastDeal], now: datetime, most: int) -> tuple[tuple[Customer, ...], int]:
    """Customers by what is at risk, the most first, and how many returns this rests on. With too few returns there are none.

    How long customers stay away is estimated from their pauses, those that last still included (Kaplan and Meier, 1958); the risk is the
    chance of another whole horizon of silence, given the silence so far.
    """
    bought: dict[UUID, list[PastDeal]] = defaultdict(list)
    for deal in deals:
        if deal.stage == Stage.WON.value and deal.closed_at is not None:
            bought[deal.account_id].append(deal)
    ended, running = [], []
    for those in bought.values():
        days = sorted(deal.closed_at for deal in those if deal.closed_at)
        ended += [(later - earlier).days for earlier, later in pairwise(days)]
        running.append(max(0, (now - days[-1]).days))
    returns = [pause for pause in ended if pause > 0]
    if len(returns) < LEAST_RETURNS:
        return (), len(returns)
    found = [_customer(those, now, returns, running) for those in bought.values()]
    found.sort(key=lambda one: (-one.at_risk, -one.risk, one.account_id))
    return tuple(found[:most]), len(returns)


def _customer(those: list[PastDeal], now: datetime, returns: list[int], running: list[int]) -> Customer:
    days = sorted(deal.closed_at for deal in those if deal.closed_at)
    silent = max(0, (now - days[-1]).days)
    now_alive, then_alive = still_away(returns, running, silent), still_away(returns, running, silent + HORIZON_DAYS)
    risk = round(then_alive / now_alive if now_alive > 0 else 1.0, 4)
    years = max(1.0, (now - days[0]).days / 365)
    yearly = (sum((deal.amount for deal in those if counts(deal) and deal.amount), Decimal(0)) / Decimal(repr(years))).quantize(Decimal("0.01"))  # fmt: skip
    return Customer(
        account_id=those[0].account_id, account_name=those[0].account_name, won=len(those), silent_days=silent, risk=risk, yearly=yearly,
        at_risk=(yearly * Decimal(repr(risk))).quantize(Decimal("0.01")),
    )  # fmt: skip


def still_away(returns: list[int], running: list[int], days: int) -> float:
    """The share of pauses that last longer than so many days."""
    alive = 1.0
    for pause in sorted({one for one in returns if one <= days}):
        waiting = sum(one >= pause for one in returns) + sum(one >= pause for one in running)
        alive *= 1 - returns.count(pause) / waiting
    return alive
