"""What messages say of the tenant itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from libs.contracts.data import SetOffer, TenantProfile, TenantRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import SET_OFFER, TENANT
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/tenant", tags=["tenant"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
SetUp = Annotated[Principal, require("users")]
Line = Annotated[str, Field(max_length=200)]


class OfferIn(RequestBody):
    """What the tenant sells, as it stands after "we offer"; empty where it is not said in that language."""

    offer_ar: Line = ""
    offer_en: Line = ""


@router.get("")
async def tenant(who: Reader, gateway: GatewayDep) -> TenantProfile:
    """The tenant as its messages name it, and what it says it sells, with who said so and when."""
    return await gateway.bus.call(TENANT, TenantRequest(tenant_id=who.tenant_id))


@router.put("/offer")
async def set_offer(body: OfferIn, who: SetUp, gateway: GatewayDep) -> TenantProfile:
    """Set both texts. Drafts use the one of their own language, or none."""
    wanted = SetOffer(principal=who, offer_ar=body.offer_ar, offer_en=body.offer_en)
    return await gateway.bus.call(SET_OFFER, wanted)
