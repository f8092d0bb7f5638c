"""What effects left behind: receipts with what they are worth, checks of claims, and vendors' own logs."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from libs.contracts import receipts
from libs.contracts.message import Principal
from libs.contracts.receipts import ReconciliationReply, ToolReceipt, ToolVerdict
from libs.contracts.subjects import RECONCILIATION, TOOL_RECEIPTS, VERIFY_TOOL
from services.gateway.http.bodies import Id, Items, PagingDep, Word, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]


class Claim(RequestBody):
    """What somebody claims that a tool did: `outcome`, and any fields of its receipt."""

    action_id: Id
    tool: Word
    claim: dict[str, Any]


@router.get("/tool-receipts")
async def tool_receipts(
    who: Reader, gateway: GatewayDep, paging: PagingDep, action_id: Annotated[UUID | None, Query()] = None
) -> Items[ToolReceipt]:
    """Outcomes with their receipts, the newest first: verified, partially verified, unverified or contradicted."""
    request = receipts.ToolReceiptsRequest(principal=who, action_id=action_id, page=paging.page(gateway, who))
    reply = await gateway.bus.call(TOOL_RECEIPTS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/tool-receipts/verify")
async def verify(body: Claim, who: Reader, gateway: GatewayDep) -> ToolVerdict:
    """Compare a claimed result with the receipt. A claim without a receipt is unverified, whatever it says."""
    asked = receipts.VerifyTool(principal=who, action_id=body.action_id, tool=body.tool, claim=body.claim)
    return await gateway.bus.call(VERIFY_TOOL, asked)


@router.get("/reconciliation")
async def reconciliation(who: Reader, gateway: GatewayDep) -> ReconciliationReply:
    """The newest look at each connector's own log, and every effect in it that nobody granted."""
    return await gateway.bus.call(RECONCILIATION, receipts.ReconciliationRequest(principal=who))
