"""`/sequences`: several messages to one contact, approved as they would be sent, in the tenant's business time, ended by a reply."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import flows
from libs.contracts.errors import NotFound
from libs.contracts.flows import Flow, FlowStatus
from libs.contracts.message import Principal
from libs.contracts.subjects import FLOW, FLOWS, SIGNAL_FLOW, START_FLOW
from services.gateway.http.bodies import Id, Items, Note, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.flows import Reader, Submitter
from services.gateway.http.guards import IdsDep
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/sequences", tags=["flows"], responses=RESPONSES)
SEQUENCE = "outreach_sequence"
Why = Literal["replied", "withdrawn", "suppressed", "stage_changed"]
"""What ends a sequence from outside."""


class SequenceMessage(RequestBody):
    """One message exactly as it would be sent; `after_business_hours` of the tenant's own pass before it."""

    channel: Literal["email", "whatsapp"]
    payload: dict[str, Any]
    after_business_hours: Annotated[int, Field(ge=0, le=400)] = 16


class NewSequence(RequestBody):
    """With `approval` `whole` one approval stands for all messages, exactly as they are here, for `good_for_days` after it was given."""

    contact_id: Id
    lead_id: Id | None = None
    deal_id: Id | None = None
    messages: Annotated[list[SequenceMessage], Field(min_length=1, max_length=6)]
    approval: Literal["each", "whole"] = "each"
    good_for_days: Annotated[int, Field(ge=1, le=90)] = 30


class Stop(RequestBody):
    """Why it ends: what happened outside that this system can't see by itself."""

    why: Why
    note: Note = ""


@router.post("", status_code=202)
async def start(body: NewSequence, who: Submitter, gateway: GatewayDep, ids: IdsDep) -> Flow:
    """Start a sequence. Every message waits for its own approval, or all for one; withdrawing consent ends it by itself."""
    given: dict[str, Any] = {
        "contact_id": str(body.contact_id), "lead_id": str(body.lead_id or ""), "deal_id": str(body.deal_id or ""),
        "messages": [one.model_dump(mode="json") for one in body.messages], "approval": body.approval,
        "good_for_days": body.good_for_days,
    }  # fmt: skip
    request = flows.StartFlow(principal=who, flow_id=ids("flow"), flow=SEQUENCE, input=given)
    return await gateway.bus.call(START_FLOW, request)


@router.get("")
async def listed(
    who: Reader, gateway: GatewayDep, paging: PagingDep, status: Annotated[FlowStatus | None, Query()] = None
) -> Items[Flow]:
    request = flows.FlowsRequest(principal=who, flow=SEQUENCE, status=status, page=paging.page(gateway, who))
    reply = await gateway.bus.call(FLOWS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{flow_id}")
async def get(flow_id: UUID, who: Reader, gateway: GatewayDep) -> Flow:
    return await _sequence(gateway, who, flow_id)


@router.post("/{flow_id}/stop")
async def stop(flow_id: UUID, body: Stop, who: Submitter, gateway: GatewayDep, ids: IdsDep) -> Flow:
    """End a sequence; a message that waits for approval is withdrawn."""
    await _sequence(gateway, who, flow_id)
    request = flows.SignalFlow(
        principal=who, flow_id=flow_id, signal_id=ids("signal"), name=body.why, payload={"note": body.note}
    )
    return await gateway.bus.call(SIGNAL_FLOW, request)


async def _sequence(gateway: GatewayDep, who: Principal, flow_id: UUID) -> Flow:
    found = await gateway.bus.call(FLOW, flows.FlowGet(principal=who, flow_id=flow_id))
    if found.flow != SEQUENCE:
        raise NotFound
    return found
