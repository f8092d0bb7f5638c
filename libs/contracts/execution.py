"""Messages owned by the execution plane: actions, receipts, connectors, sandbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Reason, TenantId
from libs.contracts.trust import ResourceRef


class ActionState(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    AWAITING_APPROVAL = "awaiting_approval"
    DRAFTED = "drafted"
    GRANTED = "granted"
    DISPATCHED = "dispatched"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    COMPENSATED = "compensated"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MANUAL = "manual"


FINAL_STATES = frozenset(
    {
        ActionState.REFUSED,
        ActionState.DRAFTED,
        ActionState.SUCCEEDED,
        ActionState.FAILED,
        ActionState.NOT_SENT,
        ActionState.COMPENSATED,
        ActionState.EXPIRED,
        ActionState.CANCELLED,
        ActionState.MANUAL,
    }
)


class ActionItem(Message):
    """One action as a client asks for it. `action_id` comes from the gateway or from decision, so that a retry is the same action."""

    action_id: UUID
    action_type: Annotated[str, Field(min_length=1, max_length=100)]
    resource: ResourceRef
    payload: dict[str, Any]
    reason: Annotated[str, Field(max_length=2000)] = ""
    approval_token: str | None = None
    idempotency_key: Annotated[str, Field(max_length=255)] | None = None
    run_id: str = ""


class SubmitRequest(Message):
    principal: Principal
    items: Annotated[tuple[ActionItem, ...], Field(min_length=1, max_length=1000)]


class SubmitResult(Message):
    """Accepted means committed; `error` instead means that nothing was stored for this item."""

    action_id: UUID
    state: ActionState | None
    error: Reason | None = None


class SubmitReply(Message):
    results: tuple[SubmitResult, ...]


class Receipt(Message):
    """What a connector did under one grant. Digests are hex SHA-256; `mode` says sandbox when it was."""

    receipt_id: UUID
    tenant_id: TenantId
    action_id: UUID
    attempt: int
    grant_id: UUID
    connector: str
    operation: str
    mode: str
    vendor_id: str
    request_digest: str
    response_digest: str
    started_at: datetime
    finished_at: datetime
    retries: int = 0
    cost_sar: str = "0.00"
    sent: dict[str, str] = {}
    """What the request carried and how it travelled, in words that name nobody: `template`, `sender_domain`, `unsubscribe`, `tls`."""


class TimelineStep(Message):
    at: datetime
    state: str
    detail: str = ""
    trace_id: str = ""


class Action(Message):
    """An action as the API shows it."""

    action_id: UUID
    tenant_id: TenantId
    action_type: str
    action_class: str | None
    mode: str | None
    state: ActionState
    reasons: tuple[Reason, ...] = ()
    resource: ResourceRef
    payload: dict[str, Any]
    approval_id: UUID | None = None
    grant_id: UUID | None = None
    receipt: Receipt | None = None
    policy_version: str | None = None
    trace_id: str = ""
    waiting_for: str | None = None
    attempt: int = 1
    requested_by: str = ""
    timeline: tuple[TimelineStep, ...] = ()
    linked_traces: tuple[str, ...] = ()


class ActionGet(Message):
    """`wait_seconds` > 0 waits that long for a final state or an approval before answering."""

    principal: Principal
    action_id: UUID
    wait_seconds: Annotated[float, Field(ge=0, le=10)] = 0


class StatesRequest(Message):
    """States of many actions; `wait_seconds` > 0 waits that long for all of them to come to rest."""

    principal: Principal
    action_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1000)]
    wait_seconds: Annotated[float, Field(ge=0, le=10)] = 0


class StatesReply(Message):
    """One state an id, in the order asked; null for an id that is not there."""

    states: tuple[ActionState | None, ...]


class ActionsRequest(Message):
    principal: Principal
    state: ActionState | None = None
    page: Page = Page()


class ActionsReply(Message):
    items: tuple[Action, ...]
    next_cursor: str | None = None


class CancelAction(Message):
    principal: Principal
    action_id: UUID


class Settled(Message):
    """One action's outcome: it closes the grant."""

    tenant_id: TenantId
    action_id: UUID
    attempt: int
    action_type: str
    grant_id: UUID
    outcome: ActionState
    receipt: Receipt | None = None
    error: str = ""
    at: datetime


class ActionsSettled(Message):
    """Outcomes of one dispatch batch; may span tenants."""

    items: tuple[Settled, ...]

    @property
    def tenant_ids(self) -> tuple[TenantId, ...]:
        return tuple({item.tenant_id for item in self.items})


class SandboxMessage(Message):
    """What would have left the building."""

    message_id: UUID
    action_id: UUID
    connector: str
    operation: str
    at: datetime
    request: dict[str, Any]


class SandboxRequest(Message):
    principal: Principal
    connector: str | None = None
    page: Page = Page()


class SandboxReply(Message):
    items: tuple[SandboxMessage, ...]
    next_cursor: str | None = None


class ConnectorStatus(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    ERROR = "error"
    UNKNOWN = "unknown"


class ConnectorInfo(Message):
    connector_key: str
    display_name: str
    display_name_ar: str
    version: str
    mode: str
    status: ConnectorStatus
    registered: bool
    operations: tuple[str, ...]
    data_classification: str
    cross_border: bool
    idempotent: bool
    read_back: str
    per_minute: int = 0
    """Live effects a minute."""
    credential_at: datetime | None = None
    """When the credential was stored; it is never shown."""
    credential_fields: tuple[str, ...] = ()
    probed_at: datetime | None = None
    probe: Reason | None = None
    """What the newest probe found."""
    held_seconds: float | None = None
    """How long nothing is tried, because the vendor kept failing."""


class ConnectorsRequest(Message):
    """`live` names the connectors whose live flag is on, as operating says; whoever asks reads it there first."""

    principal: Principal
    live: tuple[str, ...] = ()


class ConnectorsReply(Message):
    items: tuple[ConnectorInfo, ...]


class ControlRow(Message):
    """A pause as execution enforces it: `scope` is `all`, `tenant`, `connector` or `action_type`."""

    tenant_id: TenantId
    scope: str
    target: str
    paused: bool
    version: int


class ControlReply(Message):
    acknowledged: bool
    version: int


class EffectsRequest(Message):
    tenant_id: TenantId
    connector: str
    since: datetime


class Effect(Message):
    vendor_id: str
    action_id: UUID | None
    at: datetime
    operation: str


class EffectsReply(Message):
    """`checkable` is false where the vendor can't be asked; then `items` says nothing. Unless `complete`, what is missing from
    `items` may still be in the vendor's log."""

    checkable: bool
    items: tuple[Effect, ...]
    complete: bool = True
