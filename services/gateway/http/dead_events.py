"""Events that a plane could not take: kept, looked at, handed over once more, closed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import dead_events as contract
from libs.contracts.dead_events import DeadEvent, DeadEventDetail, DeadEventState
from libs.contracts.message import Principal
from libs.contracts.subjects import DEAD_EVENT, DEAD_EVENTS, DISCARD_EVENT, REPLAY_EVENT
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/dead-events", tags=["dead letters"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("submit")]


class Close(RequestBody):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("")
async def dead_events(
    who: Reader, gateway: GatewayDep, paging: PagingDep, state: Annotated[DeadEventState | None, Query()] = None
) -> Items[DeadEvent]:
    """The tenant's own and the system's, the newest first."""
    request = contract.DeadEventsRequest(principal=who, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(DEAD_EVENTS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{dead_event_id}")
async def dead_event(dead_event_id: UUID, who: Reader, gateway: GatewayDep) -> DeadEventDetail:
    """One event, with what it says where it is this tenant's alone."""
    return await gateway.bus.call(DEAD_EVENT, contract.DeadEventGet(principal=who, dead_event_id=dead_event_id))


@router.post("/{dead_event_id}/replay")
async def replay(dead_event_id: UUID, who: Operator, gateway: GatewayDep) -> DeadEvent:
    """Hand it to its plane once more: by the plane's own handler, once, however often this is asked."""
    asked = contract.ReplayEvent(principal=who, dead_event_id=dead_event_id)
    found = await gateway.bus.call(REPLAY_EVENT, asked)
    gateway.pulse.nudge(who.tenant_id, "ledger")
    return found


@router.post("/{dead_event_id}/discard")
async def discard(dead_event_id: UUID, body: Close, who: Operator, gateway: GatewayDep) -> DeadEvent:
    """Close it for good, with the reason why."""
    asked = contract.DiscardEvent(principal=who, dead_event_id=dead_event_id, reason=body.reason)
    return await gateway.bus.call(DISCARD_EVENT, asked)
