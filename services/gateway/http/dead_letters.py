"""Dead letters: actions that ended without their effect, and what a person does about each."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import dead_letters as contract
from libs.contracts.dead_letters import DeadLetter, DeadLetterDetail, LetterState
from libs.contracts.execution import Action
from libs.contracts.message import Principal
from libs.contracts.subjects import DEAD_LETTER, DEAD_LETTERS, DISCARD_LETTER, REPLAY_LETTER, RESUBMIT_LETTER
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("submit")]


class Edit(RequestBody):
    """The new action, where it differs from the one that failed. What is left out stays."""

    payload: dict[str, Any] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class Discard(RequestBody):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("")
async def dead_letters(
    who: Reader, gateway: GatewayDep, paging: PagingDep, state: Annotated[LetterState | None, Query()] = None
) -> Items[DeadLetter]:
    """Dead letters of the tenant, the newest first."""
    request = contract.DeadLettersRequest(principal=who, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(DEAD_LETTERS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{dead_letter_id}")
async def dead_letter(dead_letter_id: UUID, who: Reader, gateway: GatewayDep) -> DeadLetterDetail:
    """A dead letter with its action: payload, error, attempts, traces."""
    return await gateway.bus.call(DEAD_LETTER, contract.DeadLetterGet(principal=who, dead_letter_id=dead_letter_id))


@router.post("/{dead_letter_id}/replay")
async def replay(dead_letter_id: UUID, who: Operator, gateway: GatewayDep) -> Action:
    """Try the same action again, as its next attempt, under the approval that it has."""
    found = await gateway.bus.call(REPLAY_LETTER, contract.ReplayLetter(principal=who, dead_letter_id=dead_letter_id))
    gateway.pulse.nudge(who.tenant_id, "ledger")
    return found


@router.post("/{dead_letter_id}/resubmit")
async def resubmit(dead_letter_id: UUID, body: Edit, who: Operator, gateway: GatewayDep) -> DeadLetter:
    """Submit it changed, as a new action, which policy and people decide anew."""
    ended = await gateway.bus.call(
        RESUBMIT_LETTER,
        contract.ResubmitLetter(principal=who, dead_letter_id=dead_letter_id, payload=body.payload, reason=body.reason),
    )
    gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
    return ended


@router.post("/{dead_letter_id}/discard")
async def discard(dead_letter_id: UUID, body: Discard, who: Operator, gateway: GatewayDep) -> DeadLetter:
    """Close it for good, with the reason why."""
    return await gateway.bus.call(
        DISCARD_LETTER, contract.DiscardLetter(principal=who, dead_letter_id=dead_letter_id, reason=body.reason)
    )
