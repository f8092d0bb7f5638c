"""What a tenant pays for one effect of a connector."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from libs.contracts.message import Principal
from libs.contracts.prices import Price, PricesRequest, SetPrice
from libs.contracts.subjects import PRICES, SET_PRICE
from services.gateway.http.bodies import Items, Zoned
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/connectors", tags=["connectors"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
SetUp = Annotated[Principal, require("users")]
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,49}$")]


class PriceIn(RequestBody):
    """`sar`: what one live effect costs, up to four decimals, as text or number. `reference`: the contract or invoice that says so."""

    sar: Annotated[Decimal, Field(strict=False, ge=0, lt=1_000_000, decimal_places=4)]
    since: Zoned | None = None
    reference: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/{key}/prices")
async def prices(key: Key, who: Reader, gateway: GatewayDep) -> Items[Price]:
    """What one effect costs, the newest price first; without one, its cost is unknown and never zero."""
    return Items(items=(await gateway.bus.call(PRICES, PricesRequest(principal=who, connector=key))).items)


@router.put("/{key}/prices")
async def set_price(key: Key, body: PriceIn, who: SetUp, gateway: GatewayDep) -> Items[Price]:
    """Record a price from a moment on. Earlier effects keep the price that held then."""
    wanted = SetPrice(principal=who, connector=key, sar=body.sar, since=body.since, reference=body.reference)
    return Items(items=(await gateway.bus.call(SET_PRICE, wanted)).items)
