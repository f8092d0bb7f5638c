"""Predictive revenue, the strategic simulator, and the return on an investment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from libs.contracts.message import Principal
from libs.contracts.predictive import Predictive, PredictiveRequest
from libs.contracts.simulations import Assumptions, Roi, RoiInput, RoiRequest, Simulate, Simulation
from libs.contracts.subjects import PREDICTIVE, ROI, SIMULATE
from services.gateway.http.bodies import Body, Request
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["forecasts"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Asker = Annotated[Principal, require("submit")]
Amount = Annotated[float, Field(strict=False, ge=0, le=1e12)]


class AssumptionsIn(Body):
    """What you state instead of what the last twelve months say; `amount_spread` is the standard deviation of an amount's logarithm."""

    new_deals: Annotated[float, Field(strict=False, gt=0, le=10_000)] | None = None
    win_rate: Annotated[float, Field(strict=False, gt=0, lt=1)] | None = None
    amount: Annotated[float, Field(strict=False, gt=0, le=1e9)] | None = None
    amount_spread: Annotated[float, Field(strict=False, ge=0, le=3)] | None = None
    cycle_months: Annotated[float, Field(strict=False, gt=0, le=60)] | None = None
    monthly_cost: Annotated[float, Field(strict=False, ge=0, le=1e9)] | None = None


class SimulateIn(Request):
    """The same seed, assumptions and history give the same answer."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    runs: Annotated[int, Field(ge=200, le=20_000)] = 4000
    months: Annotated[int, Field(ge=1, le=36)] = 12
    target: Annotated[float, Field(strict=False, gt=0, le=1e12)] | None = None
    assumptions: AssumptionsIn = AssumptionsIn()


class InputIn(Body):
    """A number, where it comes from, and how certain it is (1: it is agreed)."""

    value: Amount
    source: Annotated[str, Field(min_length=1, max_length=300)]
    certainty: Annotated[float, Field(strict=False, gt=0, le=1)] = 1.0


class RoiIn(Request):
    """`benefit` and `cost` are a year; `rate` discounts a year."""

    investment: InputIn
    benefit: InputIn
    cost: InputIn
    years: Annotated[int, Field(ge=1, le=30)]
    rate: InputIn


@router.get("/predictive-revenue")
async def predictive_revenue(who: Reader, gateway: GatewayDep) -> Predictive:
    """Open deals at their calibrated chance, with the table it was held to; customers who may not come back; velocity by its metrics."""
    return await gateway.bus.call(PREDICTIVE, PredictiveRequest(principal=who))


@router.post("/simulator")
async def simulator(body: SimulateIn, who: Asker, gateway: GatewayDep) -> Simulation:
    """Seven scenarios of the coming months by chance, on inputs from history or as you state them; every distribution is named."""
    asked = Simulate(
        principal=who, seed=body.seed, runs=body.runs, months=body.months, target=body.target,
        assumptions=Assumptions(**body.assumptions.model_dump()),
    )  # fmt: skip
    return await gateway.bus.call(SIMULATE, asked)


@router.post("/roi")
async def roi(body: RoiIn, who: Asker, gateway: GatewayDep) -> Roi:
    """Net present value, internal rate of return and payback, also weighed by how certain each input is; each input names its source."""
    given = {name: RoiInput(**getattr(body, name).model_dump()) for name in ("investment", "benefit", "cost", "rate")}
    return await gateway.bus.call(ROI, RoiRequest(principal=who, years=body.years, **given))
