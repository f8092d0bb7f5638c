"""`/slo`: how each service level objective stands."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime

from libs.contracts.message import Principal
from libs.contracts.slos import SlosRequest, SloStanding
from libs.contracts.subjects import SLOS
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/slo", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


class Standings(Items[SloStanding]):
    """All objectives, with the moment of the reading and how many are in which state."""

    at: AwareDatetime
    counts: dict[str, int]


@router.get("")
async def objectives(who: Reader, gateway: GatewayDep) -> Standings:
    """Every objective with its budget of 30 days, how fast it burns, and whether that is an alert. Without a count it is `unknown`."""
    reply = await gateway.bus.call(SLOS, SlosRequest(principal=who))
    return Standings(items=reply.items, at=reply.at, counts=dict(Counter(one.state for one in reply.items)))
