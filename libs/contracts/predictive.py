"""Predictive revenue: what open deals are worth at their calibrated chance, which customers may not come back, and how fast deals move."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from libs.contracts.forecasts import Missing
from libs.contracts.message import Message, Principal, Provenance


class PredictiveRequest(Message):
    principal: Principal


class Calibration(Message):
    """A stage in the past: `deals` that stood at it, the share of them that were expected to be won within the horizon with what was known
    then, and the share that were, with its 80% interval (Wilson). `probability` is what counts for today's deals."""

    stage: str
    deals: int
    predicted: float | None
    actual: float | None
    low: float | None
    high: float | None
    probability: float


class StageValue(Message):
    """Open deals of a stage, and what they are worth at its probability."""

    stage: str
    deals: int
    value: Decimal
    expected: Decimal


class Customer(Message):
    """A customer who bought before: `risk` is the chance that nothing more is bought within the horizon, having been silent for so long."""

    account_id: UUID
    account_name: str
    won: int
    silent_days: int
    risk: float
    yearly: Decimal
    at_risk: Decimal


class Speed(Message):
    """A figure of the dictionary by its name; None is no data."""

    metric: str
    unit: str
    value: Decimal | None
    rows: int


class Predictive(Message):
    """Amounts are SAR. `horizon_days` is how far ahead probabilities look. `missing` says what could not be computed and what it takes."""

    horizon_days: int
    expected: Decimal | None
    open_value: Decimal
    stages: tuple[StageValue, ...]
    calibration: tuple[Calibration, ...]
    brier: float | None
    customers: tuple[Customer, ...]
    churn_at_risk: Decimal | None
    returns: int
    velocity: tuple[Speed, ...]
    missing: tuple[Missing, ...]
    provenance: Provenance
