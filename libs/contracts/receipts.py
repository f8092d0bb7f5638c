"""Messages about receipts, owned by the trust plane: what tools claim, what vendors' own logs say, what nobody asked for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.execution import ActionState, Receipt
from libs.contracts.message import Message, Page, Principal, TenantId


class Verification(StrEnum):
    """How far a claimed result is borne out."""

    VERIFIED = "verified"
    PARTIALLY_VERIFIED = "partially_verified"
    UNVERIFIED = "unverified"
    CONTRADICTED = "contradicted"


class ToolReceipt(Message):
    """An effect's claimed outcome, its receipt, and what they are worth together. `why` is a stable code."""

    grant_id: UUID
    action_id: UUID
    tool: str
    actor: str
    claimed: str
    verification: Verification
    why: str
    receipt: Receipt | None
    closed_at: datetime


class ToolReceiptsRequest(Message):
    principal: Principal
    action_id: UUID | None = None
    page: Page = Page()


class ToolReceiptsReply(Message):
    items: tuple[ToolReceipt, ...]
    next_cursor: str | None = None


class VerifyTool(Message):
    """What somebody claims that a tool did: `claim` holds `outcome` and any of a receipt's fields."""

    principal: Principal
    action_id: UUID
    tool: Annotated[str, Field(max_length=100)]
    claim: dict[str, Any]


class ToolVerdict(Message):
    verification: Verification
    why: str
    differing: tuple[str, ...] = ()
    receipt: Receipt | None = None


class OrphanEffect(Message):
    """Something in a vendor's own log that no grant allowed. `paused` says whether the connector is stopped by now."""

    connector: str
    vendor_id: str
    operation: str
    action_id: UUID | None
    at: datetime
    found_at: datetime
    paused: bool


class ReconciliationRun(Message):
    """The newest look at a connector's own log. `checkable` false: the vendor can't be asked, and nothing is said."""

    connector: str
    at: datetime
    checkable: bool
    effects: int
    matched: int
    waiting: int
    orphans: int
    resolved: int


class ReconciliationRequest(Message):
    principal: Principal


class ReconciliationReply(Message):
    runs: tuple[ReconciliationRun, ...]
    orphans: tuple[OrphanEffect, ...]


class OutcomeResolved(Message):
    """What a vendor's own log says became of an effect whose outcome was unknown."""

    tenant_id: TenantId
    action_id: UUID
    grant_id: UUID
    outcome: ActionState
    vendor_id: str
    at: datetime
