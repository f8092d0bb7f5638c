"""Messages around whom to approach and how well one's messages are received: the buying committee, sender reputation, export."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.message import Message, Principal, TenantId

SEQUENCE_APPROVE = "sequence_approve"
"""The effect whose approval stands for every message of the sequence that its payload holds."""
SEQUENCE_REFERENCE = "sequence:"
"""How an action refers to such an approval: this, and the id of the action that was approved."""


class CommitteeRequest(Message):
    """Who decides at an account."""

    principal: Principal
    account_id: UUID


class CommitteeSeat(Message):
    """A contact and the part that the job title gives them; `role` is None where the title says nothing that is known."""

    contact_id: UUID
    name: str
    title: str | None
    role: str | None
    role_en: str = ""
    role_ar: str = ""
    fit: float = 0.0
    exact: bool = False


class CommitteeReply(Message):
    """`missing` are roles that nobody known to us holds: whom to look for."""

    account_id: UUID
    account_name: str
    seats: tuple[CommitteeSeat, ...]
    missing: tuple[str, ...] = ()


class SignalKind(StrEnum):
    """What happened to a message that was sent."""

    SENT = "sent"
    BOUNCED = "bounced"
    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    REPLIED = "replied"


class RecordSignals(Message):
    """What a provider reports of messages: counted once by `external_id`."""

    principal: Principal
    channel: Annotated[str, Field(min_length=1, max_length=40)]
    kind: SignalKind
    external_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    at: datetime


class SignalsReply(Message):
    """How many were new."""

    recorded: int


class ReputationRequest(Message):
    principal: Principal


class Deduction(Message):
    """Points that a rate takes away, and the sentence for a person. Rates are shares of what was sent."""

    kind: SignalKind
    rate: float
    limit: float
    points: int
    en: str
    ar: str


class ChannelReputation(Message):
    """`score` starts at 100; below the pause mark the channel pauses. Rates are None while nothing was sent."""

    channel: str
    score: int
    paused: bool
    counts: dict[str, int]
    rates: dict[str, float | None]
    deductions: tuple[Deduction, ...]
    days: int


class ChannelPaused(Message):
    """A channel's score fell below the pause mark: its messages stop until a person resumes them."""

    tenant_id: TenantId
    channel: str
    score: int
    at: datetime


class ReputationReply(Message):
    items: tuple[ChannelReputation, ...]


EXPORTED_BESIDE: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.ACCOUNT: ("aliases",),
    RecordKind.CONTACT: ("consents",),
    RecordKind.LEAD: ("cold", "collected_directly", "reasons"),
}
"""What an export holds of a kind beside its fields: without it a record would come back milder than it went."""


class ExportRequest(Message):
    """A page of one kind of a tenant's records, oldest first; the first page of an export is audited."""

    principal: Principal
    kind: RecordKind
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class ExportReply(Message):
    items: tuple[dict[str, Any], ...]
    next_cursor: str | None = None
