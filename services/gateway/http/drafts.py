"""Drafts as they would be sent, with what both reviewers said of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from libs.contracts import decision
from libs.contracts.message import Principal
from libs.contracts.subjects import DRAFTS
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["cards"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("/drafts")
async def drafts(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[decision.Draft]:
    """Drafts, the newest first: text, facts with their sources, and the verdicts of quality and compliance."""
    reply = await gateway.bus.call(DRAFTS, decision.DraftsRequest(principal=who, page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)
