"""The dictionary of metrics, and their values."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.errors import NotFound
from libs.contracts.message import Plane, Principal
from libs.contracts.metrics import MetricGet, MetricPart, MetricRow, MetricRowsRequest, MetricValue, PartsRequest
from libs.contracts.subjects import METRIC_PARTS, METRIC_ROWS, METRICS
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

PREFIX = "/api/v1/metrics-catalog"
router = APIRouter(prefix=PREFIX, tags=["metrics"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Since = Annotated[AwareDatetime | None, Query(alias="from")]
Until = Annotated[AwareDatetime | None, Query(alias="to")]


PLACES = {
    "account": "/accounts/{id}", "action": "/actions/{id}", "approval": "/approvals/{id}", "card": "/cards/{id}", "connector": "/connectors/{id}",
    "contact": "/contacts/{id}", "contradiction": "/contradictions/{id}", "control": "/compliance/controls/{id}", "deal": "/deals/{id}",
    "draft": "/lineage/draft/{id}", "flow": "/flows/{id}", "import": "/targeting/imports/{id}", "rights_request": "/rights-requests/{id}",
    "spend": "/spending/{id}",
}  # fmt: skip
"""Where a record behind a number is read. What has no place of its own is shown whole in the list of rows."""


class Defined(BaseModel):
    """A metric as it is defined, and where its value and rows are read."""

    metric: MetricRule
    value_path: str
    rows_path: str


class Valued(MetricValue):
    """A value, and the path of the rows that it came from, over the same period."""

    rows_path: str


class Row(BaseModel):
    """One record behind a number; `path` leads to it."""

    kind: str
    id: str
    at: datetime | None
    figure: Decimal | None
    path: str | None


@router.get("")
async def catalogue(who: Reader) -> Items[Defined]:
    """Every metric with its definition, unit, grain, dimensions and freshness."""
    return Items(
        items=[
            Defined(metric=rule, value_path=f"{PREFIX}/{name}/value", rows_path=f"{PREFIX}/{name}/rows")
            for name, rule in metrics().items()
        ]
    )


@router.get("/{name}/value")
async def value(
    name: str,
    who: Reader,
    gateway: GatewayDep,
    since: Since = None,
    until: Until = None,
) -> Valued:
    """A metric's value with its definition, as-of time and row counts; without data it says so, and is null."""
    rule = metrics().get(name)
    plane = rule.plane if rule else Plane.DATA
    found = await gateway.bus.call(METRICS[plane], MetricGet(principal=who, name=name, since=since, until=until))
    period = urlencode({"from": found.since.isoformat(), "to": found.until.isoformat()})
    return Valued(**dict(found), rows_path=f"{PREFIX}/{name}/rows?{period}")


@router.get("/{name}/rows")
async def rows(
    name: str,
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    since: Since = None,
    until: Until = None,
    excluded: Annotated[bool, Query(description="Those left out instead: another currency, no amount.")] = False,
) -> Items[Row]:
    """The records that a value came from, newest first, each with its figure and the path that leads to it."""
    rule = metrics().get(name)
    wanted = MetricRowsRequest(
        principal=who, name=name, since=since, until=until, excluded=excluded, page=paging.page(gateway, who)
    )
    reply = await gateway.bus.call(METRIC_ROWS[rule.plane if rule else Plane.DATA], wanted)
    return items(gateway, who, [_row(one) for one in reply.items], reply.next_cursor)


@router.get("/{name}/parts")
async def parts(
    name: str,
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    by: Annotated[str, Query(min_length=1, max_length=40, description="A dimension that the metric is cut by.")],
    since: Since = None,
    until: Until = None,
) -> Items[MetricPart]:
    """The value part by part along a dimension, the largest first."""
    rule = metrics().get(name)
    if rule is None or rule.plane not in METRIC_PARTS:
        raise NotFound
    wanted = PartsRequest(principal=who, name=name, by=by, since=since, until=until, page=paging.page(gateway, who))
    reply = await gateway.bus.call(METRIC_PARTS[rule.plane], wanted)
    return items(gateway, who, reply.items, reply.next_cursor)


def _row(one: MetricRow) -> Row:
    place = PLACES.get(one.kind)
    path = f"/api/v1{place.format(id=quote(one.id, safe=''))}" if place else None
    return Row(kind=one.kind, id=one.id, at=one.at, figure=one.figure, path=path)
