"""The strategic simulator and the return on an investment. Amounts are SAR, shares and rates from 0 to 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from libs.contracts.forecasts import Missing
from libs.contracts.message import Message, Principal, Provenance

Sourced = Annotated[str, Field(min_length=1, max_length=300)]


class Assumptions(Message):
    """What people state instead of what was read. `new_deals` are a month; `amount_spread` is the standard deviation of an amount's
    logarithm; `cycle_months` the mean time from opening to winning; `monthly_cost` is taken off each month."""

    new_deals: Annotated[float, Field(gt=0, le=10_000)] | None = None
    win_rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    amount: Annotated[float, Field(gt=0, le=1e9)] | None = None
    amount_spread: Annotated[float, Field(ge=0, le=3)] | None = None
    cycle_months: Annotated[float, Field(gt=0, le=60)] | None = None
    monthly_cost: Annotated[float, Field(ge=0, le=1e9)] | None = None


class Simulate(Message):
    """The same seed, assumptions and history give the same answer."""

    principal: Principal
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    runs: Annotated[int, Field(ge=200, le=20_000)] = 4000
    months: Annotated[int, Field(ge=1, le=36)] = 12
    target: Annotated[float, Field(gt=0, le=1e12)] | None = None
    assumptions: Assumptions = Assumptions()


class Assumed(Message):
    """One input: what it was, how it varies (the distribution and its parameters, in words) and where it comes from."""

    name: str
    value: float
    distribution: str
    source: str


class Outcome(Message):
    """What a scenario comes to over all months. `p10` is undercut by a tenth of the runs. `reaches` is the share of runs at or above the target;
    `effect` is the mean's distance from the first scenario's."""

    key: str
    en: str
    ar: str
    changes: dict[str, float]
    mean: Decimal
    p10: Decimal
    p50: Decimal
    p90: Decimal
    reaches: float | None
    effect: Decimal


class Sensitivity(Message):
    """One input a fifth lower and a fifth higher, all else equal and by the same chance: what the mean is then."""

    name: str
    lower: Decimal
    higher: Decimal
    swing: Decimal


class Simulation(Message):
    """`missing` names inputs that neither history nor anybody gave: then nothing is simulated."""

    seed: int
    runs: int
    months: int
    ready: bool
    missing: tuple[Missing, ...]
    assumed: tuple[Assumed, ...]
    scenarios: tuple[Outcome, ...]
    sensitivity: tuple[Sensitivity, ...]
    provenance: Provenance


class RoiInput(Message):
    """A number and where it comes from: a contract, an offer, a metric. `certainty` is how likely it is to come about."""

    value: Annotated[float, Field(ge=0, le=1e12)]
    source: Sourced
    certainty: Annotated[float, Field(gt=0, le=1)] = 1.0


class RoiRequest(Message):
    """`benefit` and `cost` are a year, from the first year on; `rate` discounts a year."""

    principal: Principal
    investment: RoiInput
    benefit: RoiInput
    cost: RoiInput
    years: Annotated[int, Field(ge=1, le=30)]
    rate: RoiInput


class RoiChange(Message):
    input: str
    change: float
    npv: Decimal


class Roi(Message):
    """`irr` is None where there is none or more than one. `payback_months` is None where the money never comes back within the years.
    `roi` is (benefits - costs - investment) / investment, not discounted. `risk_adjusted_npv` weighs each input by its certainty, `break_even`
    is the share of the yearly benefit at which the net present value is nil."""

    npv: Decimal
    irr: float | None
    payback_months: int | None
    roi: float | None
    risk_adjusted_npv: Decimal
    break_even: float | None
    flows: tuple[Decimal, ...]
    sensitivity: tuple[RoiChange, ...]
    inputs: dict[str, RoiInput]
    provenance: Provenance
