"""What people outside write to us, and what else tells a sequence that it is over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId


class ReceiveMessage(Message):
    """A message that a vendor delivered under a verified signature. `sender` is a number in E.164 or an address; `message_id` is the
    vendor's, and the same one counts once. `at` is when it was written, where the vendor says it: each time the same."""

    tenant_id: TenantId
    channel: Literal["whatsapp", "email"]
    sender: Annotated[str, Field(min_length=1, max_length=320)]
    message_id: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=4096)]
    at: datetime | None = None


class Received(Message):
    """The contacts whose sender it is; none when nobody of ours is known by it."""

    contact_ids: tuple[UUID, ...] = ()


class ReplyReceived(Message):
    """A person answered, by whichever way: `activity_id` is the record of it."""

    tenant_id: TenantId
    contact_id: UUID
    channel: str
    activity_id: UUID
    at: datetime


class DealMoved(Message):
    """A deal stands at another stage."""

    tenant_id: TenantId
    deal_id: UUID
    contact_id: UUID | None
    stage: str
    at: datetime
