"""Messages about what comes after an effect, owned by the execution plane: undoing it, and settling an unknown outcome."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Message, Principal, Reason, TenantId


class KnownOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    NOT_SENT = "not_sent"


class Compensate(Message):
    """Undo an action that succeeded: by the effect that the catalogue names for it, as a governed action of its own."""

    principal: Principal
    action_id: UUID
    reason: Annotated[str, Field(max_length=2000)] = ""


class Compensating(Message):
    """The action that undoes another, and where it stands. `action_id` is `compensated` once that one has succeeded."""

    action_id: UUID
    compensating_action_id: UUID
    action_type: str
    state: ActionState


class CompensationGet(Message):
    principal: Principal
    action_id: UUID


class CompensationPlan(Message):
    """What undoing an action would do: the effect that does it and what it asks for. `refused` says why nothing can be undone now;
    with `begun` it is under way already, or done."""

    action: Action
    action_type: str = ""
    payload: dict[str, Any] = {}
    begun: Compensating | None = None
    refused: Reason | None = None


class SettleUnknown(Message):
    """What a person found out about an effect whose outcome was unknown, and how: `evidence` is kept in the ledger."""

    principal: Principal
    action_id: UUID
    outcome: KnownOutcome
    evidence: Annotated[str, Field(min_length=10, max_length=2000)]


class OutcomeSettled(Message):
    """A person's word on an unknown outcome; it closes the grant for good."""

    tenant_id: TenantId
    action_id: UUID
    grant_id: UUID
    outcome: ActionState
    settled_by: str
    evidence: str
    at: datetime
