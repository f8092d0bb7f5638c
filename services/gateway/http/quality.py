"""Data quality: what the checks found, and how it went before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.message import Principal
from libs.contracts.quality import DataHealth, DataHealthRequest, QualityReply, QualityRequest, QualityStanding
from libs.contracts.subjects import DATA_HEALTH, DATA_QUALITY
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/data-quality", tags=["data quality"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Looker = Annotated[Principal, require("import")]


class Checked(Items[QualityStanding]):
    """All checks on one page, with how many are in which state."""

    counts: dict[str, int]


@router.get("")
async def standing(who: Reader, gateway: GatewayDep) -> Checked:
    """Every check with its latest look, its trend and some rows that failed; `no_data` is never a pass."""
    return _checked(await gateway.bus.call(DATA_QUALITY, QualityRequest(principal=who)))


@router.post("/run")
async def look(who: Looker, gateway: GatewayDep) -> Checked:
    """Look at the rows now; otherwise that happens every six hours."""
    return _checked(await gateway.bus.call(DATA_QUALITY, QualityRequest(principal=who, now=True)))


@router.get("/board")
async def board(who: Reader, gateway: GatewayDep) -> DataHealth:
    """The same as operating has heard it: `stale` when data has not looked for longer than two intervals."""
    return await gateway.bus.call(DATA_HEALTH, DataHealthRequest(principal=who))


def _checked(reply: QualityReply) -> Checked:
    return Checked(items=list(reply.items), counts=reply.counts)
