"""Revenue work units: what was done, counted from the ledger, each with the entry that proves it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from libs.contracts.message import Page, Principal
from libs.contracts.subjects import WORK_UNITS
from libs.contracts.work_units import WorkTotal, WorkUnit, WorkUnitsReply, WorkUnitsRequest
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/revenue-work-units", tags=["proof"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="30 days ago when left out")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="now when left out")]
Unit = Annotated[str | None, Query(max_length=100, description="one kind of work, as draft_created")]
DEMO_ITEMS = 20


class Proved(WorkUnit):
    """A piece of work; `proof_path` leads to the inclusion proof of its entry, once the entry has its place in the log."""

    proof_path: str | None


class WorkPage(Items[Proved]):
    """A page of work with the totals of the whole period. `weighted` is a measure of work, never of revenue."""

    totals: tuple[WorkTotal, ...]
    weighted: Decimal
    since: datetime
    until: datetime
    version: str


@router.get("")
async def work_units(
    who: Reader, gateway: GatewayDep, paging: PagingDep, unit: Unit = None, since: Since = None, until: Until = None
) -> WorkPage:
    """Work of the period, the newest first, with its weights and totals. Weights measure work, never revenue."""
    request = WorkUnitsRequest(principal=who, unit=unit, since=since, until=until, page=paging.page(gateway, who))
    return _page(gateway, who, await gateway.bus.call(WORK_UNITS, request))


@router.get("/demo")
async def work_units_demo(gateway: GatewayDep) -> WorkPage:
    """The newest work of the example tenant, counted from its ledger by the running pipeline; who did it is left out."""
    who = gateway.demo_principal()
    found = await gateway.bus.call(WORK_UNITS, WorkUnitsRequest(principal=who, page=Page(limit=DEMO_ITEMS)))
    return _page(gateway, who, found.evolve(items=tuple(one.evolve(actor="") for one in found.items), next_cursor=None))


def _page(gateway: Gateway, who: Principal, found: WorkUnitsReply) -> WorkPage:
    page = items(gateway, who, [_proved(one) for one in found.items], found.next_cursor)
    return WorkPage(
        items=page.items, next_cursor=page.next_cursor, totals=found.totals, weighted=found.weighted, since=found.since, until=found.until,
        version=found.version,
    )  # fmt: skip


def _proved(one: WorkUnit) -> Proved:
    path = None if one.seq is None else f"/api/v1/proof-ledger/entries/{one.seq}/proof"
    return Proved(**dict(one), proof_path=path)
