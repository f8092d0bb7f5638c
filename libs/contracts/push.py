"""Messages of what is pushed to a tenant's own systems: webhook subscriptions and the audit trail for a SIEM. Owned by execution.

What is pushed is the tenant's own ledger, in its order: a subscription's cursor is the number of the next entry that it has not seen.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Reason, TenantId
from libs.contracts.trust import LedgerEntry

Url = Annotated[str, Field(min_length=8, max_length=2000)]
EventName = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z_]{0,39}(\.(\*|[a-z][a-z_]{0,59}))?)$")]
Failures = Annotated[int, Field(ge=3, le=100)]


class SubscriptionKind(StrEnum):
    """`webhook`: one message an entry, side by side. `siem`: the whole trail in batches, strictly in its order."""

    WEBHOOK = "webhook"
    SIEM = "siem"


class Form(StrEnum):
    """How entries are written. `json` is Standard Webhooks' `{type, timestamp, data}`; the others are for a SIEM."""

    JSON = "json"
    JSONL = "jsonl"
    CLOUDEVENTS = "cloudevents"
    CEF = "cef"


class SubscriptionState(StrEnum):
    """`disabled` is what failures did; `paused` what a person did. Neither loses anything: the cursor stays."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    ENDED = "ended"


class SecretLife(Message):
    """A secret's lifetime; the secret itself is shown once. `until` null: the newest."""

    key_id: str
    created_at: datetime
    until: datetime | None = None


class Subscription(Message):
    """`failures` are tries in a row that failed since the last success; at `disable_after` it is disabled. `resume_at`: nothing is tried
    before. `cursor` is the ledger number of the next entry to look at; `waiting` counts what is not delivered yet."""

    subscription_id: UUID
    tenant_id: TenantId
    kind: SubscriptionKind
    url: str
    event_types: tuple[str, ...]
    form: Form
    description: str = ""
    state: SubscriptionState
    disable_after: int
    failures: int = 0
    last_error: Reason | None = None
    last_success_at: datetime | None = None
    resume_at: datetime | None = None
    cursor: int
    waiting: int = 0
    signing_keys: tuple[SecretLife, ...] = ()
    created_by: str
    created_at: datetime
    version: int


class Subscribe(Message):
    """`from_start` begins with the ledger's first entry instead of what comes from now on."""

    principal: Principal
    subscription_id: UUID
    kind: SubscriptionKind = SubscriptionKind.WEBHOOK
    url: Url
    event_types: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=50)]
    form: Form | None = None
    description: Annotated[str, Field(max_length=200)] = ""
    disable_after: Failures = 10
    from_start: bool = False


class SubscriptionMade(Message):
    """`secret` is shown this once: `whsec_` and base64, as Standard Webhooks' libraries take it."""

    subscription: Subscription
    secret: str


class ChangeSubscription(Message):
    """What is null stays. `version` is the one that was read."""

    principal: Principal
    subscription_id: UUID
    version: int
    url: Url | None = None
    event_types: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=50)] | None = None
    description: Annotated[str, Field(max_length=200)] | None = None
    disable_after: Failures | None = None


class SubscriptionCommand(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    TEST = "test"


class CommandSubscription(Message):
    principal: Principal
    subscription_id: UUID
    command: SubscriptionCommand


class RotateSecret(Message):
    """The old secret signs beside the new one for so many hours."""

    principal: Principal
    subscription_id: UUID
    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class SubscriptionGet(Message):
    principal: Principal
    subscription_id: UUID


class SubscriptionsRequest(Message):
    principal: Principal
    page: Page = Page()


class SubscriptionsReply(Message):
    items: tuple[Subscription, ...]
    next_cursor: str | None = None


class DeliveryState(StrEnum):
    """`waiting`: a person has to approve what it says first. `failed`: given up; it can be retried by hand."""

    PENDING = "pending"
    SENDING = "sending"
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Delivery(Message):
    """One message to one endpoint: entries `first_seq` to `last_seq`, the same `message_id` at every try. `mode` says sandbox when it was."""

    delivery_id: UUID
    subscription_id: UUID
    message_id: str
    event_type: str
    first_seq: int | None
    last_seq: int | None
    entries: int
    state: DeliveryState
    attempts: int
    mode: str | None = None
    error: Reason | None = None
    replay: bool = False
    due_at: datetime | None
    action_id: UUID | None = None
    created_at: datetime
    ended_at: datetime | None = None


class DeliveryAttempt(Message):
    """One try: the action it was, and how it ended."""

    number: int
    action_id: UUID
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    error: Reason | None = None


class DeliveryDetail(Message):
    delivery: Delivery
    tries: tuple[DeliveryAttempt, ...]


class DeliveriesRequest(Message):
    principal: Principal
    subscription_id: UUID
    state: DeliveryState | None = None
    page: Page = Page()


class DeliveriesReply(Message):
    items: tuple[Delivery, ...]
    next_cursor: str | None = None


class DeliveryGet(Message):
    principal: Principal
    subscription_id: UUID
    delivery_id: UUID


class RetryDelivery(Message):
    """Try one that was given up, or waits, at once."""

    principal: Principal
    subscription_id: UUID
    delivery_id: UUID


class ReplayRange(Message):
    """Deliver entries again: by number, both ends included, or from one moment until before another. Their message ids are those of the
    first time."""

    principal: Principal
    subscription_id: UUID
    replay_id: UUID
    first_seq: Annotated[int, Field(ge=0)] | None = None
    last_seq: Annotated[int, Field(ge=0)] | None = None
    since: datetime | None = None
    until: datetime | None = None


class Replaying(Message):
    replay_id: UUID
    subscription_id: UUID
    first_seq: int
    last_seq: int
    next_seq: int
    queued: int
    done: bool


class FeedRequest(Message):
    """Entries of a tenant's log from number `first` on, as they stand in it. With `since`, from the first one at or after that moment."""

    tenant_id: TenantId
    first: Annotated[int, Field(ge=0)] = 0
    since: datetime | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class FeedReply(Message):
    """The page begins at `first`; `next` is where to go on: what was left out stands before it as well. `size` is how many entries the
    log has."""

    items: tuple[LedgerEntry, ...]
    first: int
    next: int
    size: int


class SubscriptionDisabled(Message):
    """An endpoint failed so often that nothing is tried any more until a person resumes it."""

    tenant_id: TenantId
    subscription_id: UUID
    host: str
    kind: SubscriptionKind
    failures: int
    reason: Reason
    at: datetime
