"""Messages of trust's approvals beyond the single vote: a tenant's rules, delegation, many at once, tokens, replies by WhatsApp."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId
from libs.contracts.trust import Approval

Minutes = Annotated[int, Field(ge=0, le=100_000)]
Hash = Annotated[str, Field(max_length=64)]


DAILY_CAP = 200
"""Messages a sender may send on a channel a day, until a tenant's rules or a warm-up say otherwise."""
CONTACT_CAP = 2
"""Marketing messages to one person on one channel in seven days, until a tenant's rules say otherwise."""


class TrustRules(Message):
    """What a tenant sets about approvals and sending. Every change is kept with who made it and when.

    Amounts are SAR. Minutes of a day count from midnight in Riyadh; `days` are 0 (Monday) to 6 (Sunday).
    """

    limits: dict[str, Decimal] = {"approver": Decimal(250_000)}
    """The highest value that a role may approve, by system or business role. A role that is not named has no limit."""
    quorum_above_sar: Decimal | None = Decimal(100_000)
    """Above this value two different people must approve, whatever the action."""
    sla_minutes: dict[str, Minutes] = {"high": 240, "medium": 480, "low": 1440}
    """Business minutes until an answer is due, by risk."""
    opens_minute: Annotated[int, Field(ge=0, le=1440)] = 9 * 60
    closes_minute: Annotated[int, Field(ge=0, le=1440)] = 17 * 60
    days: tuple[int, ...] = (6, 0, 1, 2, 3)
    closed_on: tuple[date, ...] = ()
    """Days off of the tenant's own, beside the public holidays of Saudi Arabia."""
    any_hour: tuple[str, ...] = ()
    """Action types whose clock runs day and night."""
    next_role: dict[str, str] = {
        "sales_manager": "ceo",
        "growth_manager": "ceo",
        "agency_partner": "ceo",
        "service_delivery": "ceo",
        "support": "service_delivery",
        "self_growth": "ceo",
    }
    """Whose queue a request moves to when its time is up."""
    executive: str = "ceo"
    daily_caps: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = {}
    """Messages that the tenant's sender of a channel may send a day; DAILY_CAP where nothing is set."""
    warm_up: tuple[Annotated[int, Field(ge=0, le=100_000)], ...] = ()
    """Caps of a sender's first days, in order, while they are below the daily cap."""
    contact_caps: dict[str, Annotated[int, Field(ge=0, le=100)]] = {}
    """Messages to one person on a channel in seven days; CONTACT_CAP where nothing is set."""


class RulesRequest(Message):
    principal: Principal


class RulesReply(Message):
    """`version` 0 says that nothing was set yet and the defaults hold."""

    rules: TrustRules
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


class SetRules(Message):
    """Change the rules. `expected_version` is the one that was edited."""

    principal: Principal
    rules: TrustRules
    expected_version: int


class Delegation(Message):
    """Somebody's right to approve, lent to another person until a date; of one request when `approval_id` is set."""

    delegation_id: UUID
    tenant_id: TenantId
    approval_id: UUID | None
    from_id: str
    from_roles: tuple[str, ...]
    from_business_role: str | None
    to_id: str
    starts_at: datetime
    ends_at: datetime
    note: str = ""
    ended_at: datetime | None = None


class DelegateRequest(Message):
    """Lend the right to approve. Without `approval_id` it covers everything that the giver may approve."""

    principal: Principal
    delegation_id: UUID
    approval_id: UUID | None = None
    to_id: Annotated[str, Field(min_length=1, max_length=100)]
    ends_at: datetime
    note: Annotated[str, Field(max_length=500)] = ""


class EndDelegation(Message):
    principal: Principal
    delegation_id: UUID


class DelegationsRequest(Message):
    principal: Principal
    page: Page = Page()


class DelegationsReply(Message):
    items: tuple[Delegation, ...]
    next_cursor: str | None = None


class BulkItem(Message):
    approval_id: UUID
    payload_hash: Hash
    view_hash: Hash


class BulkRequest(Message):
    """Votes for several requests of one template, each for its own hashes; all of them count, or none."""

    principal: Principal
    items: Annotated[tuple[BulkItem, ...], Field(min_length=1, max_length=100)]
    note: Annotated[str, Field(max_length=2000)] = ""


class BulkReply(Message):
    items: tuple[Approval, ...]


class CompareRequest(Message):
    principal: Principal
    approval_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]


class ComparedRow(Message):
    """One request of the table: its own hashes, and its values of the fields that differ."""

    approval_id: UUID
    payload_hash: str
    view_hash: str
    values: dict[str, Any]


class Comparison(Message):
    """Requests of one template side by side: what is the same in all, and each one's differing fields, whole."""

    action_type: str
    template: str
    same: dict[str, Any]
    differing: tuple[str, ...]
    rows: tuple[ComparedRow, ...]


class EditGet(Message):
    """Execution asks for the edited payload that takes a superseded request's place."""

    tenant_id: TenantId
    approval_id: UUID


class Edit(Message):
    action_id: UUID
    action_type: str
    resource_type: str
    resource_id: str
    payload: dict[str, Any]
    reason: str
    editor: Principal


class TokenRequest(Message):
    principal: Principal
    approval_id: UUID


class TokenReply(Message):
    """The reference to an approval, shown once: opaque, good for one action, bound to who asked, what and to which payload."""

    approval_token: str
    expires_at: datetime


class ApprovalEscalated(Message):
    """A request moved to another role's queue, because its time was up."""

    approval_id: UUID
    tenant_id: TenantId
    action_id: UUID
    from_role: str
    to_role: str
    stage: str
    at: datetime
