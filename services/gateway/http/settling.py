"""After an effect: undo it, or say what became of it where nobody knows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from libs.contracts import settling
from libs.contracts.execution import Action
from libs.contracts.message import Principal
from libs.contracts.settling import Compensating, CompensationPlan, KnownOutcome
from libs.contracts.subjects import COMPENSATE, COMPENSATION, SETTLE_UNKNOWN
from services.gateway.http.bodies import Note
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/actions", tags=["actions"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Submitter = Annotated[Principal, require("submit")]


class Undo(RequestBody):
    reason: Note = ""


class Settle(RequestBody):
    """What was found out, and how: the evidence goes into the ledger under the person's name."""

    outcome: Annotated[KnownOutcome, Field(strict=False)]
    evidence: Annotated[str, Field(min_length=10, max_length=2000)]


@router.get("/{action_id}/compensation")
async def plan(action_id: UUID, who: Reader, gateway: GatewayDep) -> CompensationPlan:
    """What undoing an action would do: the action that does it with its payload, or why nothing can be undone. Changes nothing."""
    return await gateway.bus.call(COMPENSATION, settling.CompensationGet(principal=who, action_id=action_id))


@router.post("/{action_id}/compensate", status_code=202)
async def compensate(action_id: UUID, who: Submitter, gateway: GatewayDep, body: Undo | None = None) -> Compensating:
    """Undo an action that succeeded, by an action of its own that policy and people decide. 409 where nothing undoes it."""
    reason = body.reason if body is not None else ""
    begun = await gateway.bus.call(COMPENSATE, settling.Compensate(principal=who, action_id=action_id, reason=reason))
    gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
    return begun


@router.post("/{action_id}/settle")
async def settle(action_id: UUID, body: Settle, who: Submitter, gateway: GatewayDep) -> Action:
    """Settle an unknown outcome as a person found it. What was not sent can then be tried again as a dead letter."""
    found = await gateway.bus.call(
        SETTLE_UNKNOWN,
        settling.SettleUnknown(principal=who, action_id=action_id, outcome=body.outcome, evidence=body.evidence),
    )
    gateway.pulse.nudge(who.tenant_id, "ledger")
    return found
