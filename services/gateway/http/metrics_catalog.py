"""The dictionary of metrics, and their values."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.message import Plane, Principal
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.subjects import METRICS
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/metrics-catalog", tags=["metrics"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


class Defined(BaseModel):
    """A metric as it is defined. `available` is false while the data that it needs is not collected."""

    metric: MetricRule
    available: bool


@router.get("")
async def catalogue(who: Reader) -> Items[Defined]:
    """Every metric with its definition, unit, grain, dimensions and freshness."""
    return Items(items=[Defined(metric=rule, available=bool(rule.sql)) for rule in metrics().values()])


@router.get("/{name}/value")
async def value(
    name: str,
    who: Reader,
    gateway: GatewayDep,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> MetricValue:
    """A metric's value with its definition, as-of time and row counts; without data it says so, and is null."""
    rule = metrics().get(name)
    plane = rule.plane if rule else Plane.DATA
    return await gateway.bus.call(METRICS[plane], MetricGet(principal=who, name=name, since=since, until=until))
