"""Messages of approvals over WhatsApp: what a person was shown there, and what came back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field, model_validator

from libs.contracts.business_time import RIYADH
from libs.contracts.message import Message, Principal, TenantId, Text


class BriefItem(Message):
    """One request as a brief showed it: its place, its code, and the hashes of exactly what was shown."""

    number: int
    code: str
    approval_id: UUID
    payload_hash: str
    view_hash: str


class MakeBrief(Message):
    """A brief for this person, of all that waits or of `only` these. Asking again with the same id gives the same brief."""

    principal: Principal
    brief_id: UUID
    only: tuple[UUID, ...] = ()


class BriefWaiting(Message):
    """What waits for this person and may be decided in WhatsApp. Asking leaves nothing behind."""

    principal: Principal


class WaitingApproval(Message):
    approval_id: UUID
    action_type: str
    risk: str
    requested_at: datetime


class BriefWaitingReply(Message):
    items: tuple[WaitingApproval, ...]


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
"""In the order of Python's weekdays."""


class BriefHours(Message):
    """When a person wants to be written to. Minutes of a day count from midnight in Riyadh; the closing one is outside."""

    opens_minute: Annotated[int, Field(ge=0, le=1439)]
    closes_minute: Annotated[int, Field(ge=0, le=1440)]
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)]

    @model_validator(mode="after")
    def _opens_first(self) -> BriefHours:
        if self.opens_minute > self.closes_minute:
            raise ValueError("hours open before they close")
        return self

    def includes(self, now: datetime) -> bool:
        """Whether a moment is inside, by Riyadh's clock."""
        local = now.astimezone(RIYADH)
        minute = local.hour * 60 + local.minute
        return DAYS[local.weekday()] in self.days and self.opens_minute <= minute < self.closes_minute

    def end_of(self, now: datetime) -> datetime:
        """When the hours of that day are over."""
        midnight = datetime.combine(now.astimezone(RIYADH).date(), time(), RIYADH)
        return midnight + timedelta(minutes=self.closes_minute)


class OwnNumber(Message):
    """The verified number of one of the tenant's own people, as the gateway knows it; null forgets it. Without hours nothing is sent to
    it."""

    tenant_id: TenantId
    person: str
    number: Annotated[str, Field(max_length=30)] | None = None
    hours: BriefHours | None = None


class ApprovalBrief(Message):
    """At most three requests, each whole, within 1,024 characters. `left` counts those that are decided in the console alone: too long
    for a message, of high risk, or needing two people."""

    brief_id: UUID
    tenant_id: TenantId
    person: str
    text: str
    items: tuple[BriefItem, ...]
    left: int
    made_at: datetime
    expires_at: datetime


class WhatsAppReply(Message):
    """What a person wrote, from a number that the gateway has verified to be this principal's. `message_id` is the vendor's."""

    principal: Principal
    message_id: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=4096)]


class ReplyOutcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    UNCLEAR = "unclear"
    REFUSED = "refused"


class BriefAnswer(Message):
    """What a reply did, and what to answer. Only `approved` and `rejected` changed anything; `repeated` says that it had been done."""

    outcome: ReplyOutcome
    answer: Text
    approval_id: UUID | None = None
    code: str = ""
    repeated: bool = False
