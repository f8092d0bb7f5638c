"""Messages of approvals over WhatsApp: what a person was shown there, and what came back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Principal, TenantId, Text


class BriefItem(Message):
    """One request as a brief showed it: its place, its code, and the hashes of exactly what was shown."""

    number: int
    code: str
    approval_id: UUID
    payload_hash: str
    view_hash: str


class MakeBrief(Message):
    """A brief for this person. Asking again with the same id gives the same brief."""

    principal: Principal
    brief_id: UUID


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
