"""Forecasts: months to come with their intervals, what was stored, where a gap came from; and the deals of before."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts.deal_history import ClosedDeal, ClosedDealsLoaded, Currency, LoadClosedDeals
from libs.contracts.forecasts import Forecast, ForecastRequest, Made, MadeRequest, Track, Variance, VarianceRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import FORECAST, FORECAST_VARIANCE, FORECASTS_MADE, LOAD_CLOSED_DEALS, MAKE_FORECAST
from services.gateway.http.bodies import Body, Items, PagingDep, Request, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["forecasts"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Submitter = Annotated[Principal, require("submit")]
Loader = Annotated[Principal, require("import")]
Day = Annotated[date, Field(strict=False)]
MonthName = Annotated[
    str | None, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="As 2026-10; the last that ended when left out.")
]  # fmt: skip


class PastDealIn(Body):
    """A deal that was won or lost before. `open_on` and `negotiating_on` are when it reached those stages, where that is known."""

    account: Annotated[str, Field(min_length=1, max_length=300)]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    amount: Annotated[Decimal, Field(strict=False, ge=0, lt=10_000_000_000, decimal_places=2)] | None = None
    currency: Currency = "SAR"
    outcome: Literal["won", "lost"]
    opened_on: Day
    open_on: Day | None = None
    negotiating_on: Day | None = None
    closed_on: Day
    reason: Annotated[str, Field(max_length=1000)] = ""
    reference: Annotated[str, Field(max_length=200)] = ""


class PastDeals(Request):
    items: Annotated[list[PastDealIn], Field(min_length=1, max_length=500)]


@router.get("/forecast")
async def forecast(who: Reader, gateway: GatewayDep, track: Track = Track.REVENUE) -> Forecast:
    """What the coming months are expected to bring, with intervals, beside the past and how such forecasts were met. With too little history it
    says what is missing, and forecasts nothing."""
    return await gateway.bus.call(FORECAST, ForecastRequest(principal=who, track=track))


@router.post("/forecast/make")
async def make(who: Submitter, gateway: GatewayDep, track: Track = Track.REVENUE) -> Forecast:
    """Forecast now; otherwise that happens once a day. An earlier one of the same day is replaced."""
    return await gateway.bus.call(MAKE_FORECAST, ForecastRequest(principal=who, track=track))


@router.get("/forecast/made")
async def made(who: Reader, gateway: GatewayDep, paging: PagingDep, track: Track = Track.REVENUE) -> Items[Made]:
    """Forecasts as they were stored, with what became of them, the newest first; back-tests are named so."""
    reply = await gateway.bus.call(
        FORECASTS_MADE, MadeRequest(principal=who, track=track, page=paging.page(gateway, who))
    )
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/forecast/variance")
async def variance(who: Reader, gateway: GatewayDep, track: Track = Track.REVENUE, month: MonthName = None) -> Variance:
    """The gap between a month and its forecast, taken apart by deal, stage, segment and timing; each way adds up to the whole."""
    return await gateway.bus.call(FORECAST_VARIANCE, VarianceRequest(principal=who, track=track, month=month))


@router.post("/deals/history")
async def load(body: PastDeals, who: Loader, gateway: GatewayDep) -> ClosedDealsLoaded:
    """Keep deals that were closed before, each on its own days; the same rows again change nothing, and a row that can't be is refused alone."""
    rows = tuple(ClosedDeal(**one.model_dump()) for one in body.items)
    return await gateway.bus.call(LOAD_CLOSED_DEALS, LoadClosedDeals(principal=who, items=rows))
