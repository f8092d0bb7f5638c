"""`/screening`: what the security gate found in texts from outside, people's word on it, and what it would say of a text."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import screening
from libs.contracts.message import Principal
from libs.contracts.screening import Direction, FindingState, GateFinding, ScreenReply
from libs.contracts.subjects import DECIDE_FINDING, FINDINGS, SCREEN
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/screening", tags=["trust"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]
Asker = Annotated[Principal, require("submit")]
Decider = Annotated[Principal, require("approve")]


class Text(RequestBody):
    """A text, and whether it came in or would leave."""

    text: Annotated[str, Field(max_length=100_000)]
    direction: Annotated[Direction, Field(strict=False)] = Direction.INBOUND


class Word(RequestBody):
    reason: Annotated[str, Field(min_length=10, max_length=2000)]


@router.post("/check")
async def check(body: Text, who: Asker, gateway: GatewayDep) -> ScreenReply:
    """What the gate sees in a text, with the OWASP item of each finding. Nothing is kept."""
    asked = screening.ScreenText(principal=who, text=body.text, direction=body.direction)
    return await gateway.bus.call(SCREEN, asked)


@router.get("/findings")
async def findings(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[FindingState | None, Query()] = None,
    subject: Annotated[str | None, Query(max_length=140)] = None,
) -> Items[GateFinding]:
    """Findings in texts from outside, the newest first. While one is open or confirmed, actions on its records wait for a person."""
    request = screening.FindingsRequest(principal=who, state=state, subject=subject, page=paging.page(gateway, who))
    reply = await gateway.bus.call(FINDINGS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/findings/{finding_id}/release")
async def release(finding_id: UUID, body: Word, who: Decider, gateway: GatewayDep) -> GateFinding:
    """Say that the text is harmless: its records leave quarantine. Only a person may."""
    return await _decide(gateway, who, finding_id, FindingState.RELEASED, body.reason)


@router.post("/findings/{finding_id}/confirm")
async def confirm(finding_id: UUID, body: Word, who: Decider, gateway: GatewayDep) -> GateFinding:
    """Say that the text is what it looks like: its records stay in quarantine."""
    return await _decide(gateway, who, finding_id, FindingState.CONFIRMED, body.reason)


async def _decide(gateway: Gateway, who: Principal, finding_id: UUID, state: FindingState, reason: str) -> GateFinding:
    asked = screening.DecideFinding(principal=who, finding_id=finding_id, state=state, reason=reason)
    return await gateway.bus.call(DECIDE_FINDING, asked)
