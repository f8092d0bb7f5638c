"""What brought a deal: its touchpoints, how its outcome splits between them, and how sure that is."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Provenance, Text

Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]


class TouchKind(StrEnum):
    SOURCE = "source"
    PARTNER = "partner"
    CALL = "call"
    MEETING = "meeting"
    VISIT = "visit"
    EMAIL = "email"
    WHATSAPP = "whatsapp"


class AttributionRequest(Message):
    principal: Principal
    deal_id: UUID


class AttributionsRequest(Message):
    """Of deals that were won, the newest record first."""

    principal: Principal
    page: Page = Page(limit=20)


class Touchpoint(Message):
    """One touch, the earliest first. `record` names the record that it is on, as `activity:…`; `channel` groups touches of one way."""

    kind: TouchKind
    channel: str
    title: str
    direction: str = ""
    at: datetime
    record: str
    share: Share


class ChannelShare(Message):
    channel: str
    touches: int
    share: Share


class ModelShare(Message):
    """How one of the models splits, by channel: what the confidence is made of."""

    model: str
    said: Text
    channels: tuple[ChannelShare, ...]


class Attribution(Message):
    """Shares add up to 1, or there are none. `needs_person` with its reasons where the split must not be used as it stands."""

    deal_id: UUID
    title: str
    account_name: str
    stage: str
    amount: Decimal | None
    currency: str
    closed_at: datetime | None
    touchpoints: tuple[Touchpoint, ...]
    channels: tuple[ChannelShare, ...]
    models: tuple[ModelShare, ...]
    confidence: Annotated[float, Field(ge=0, le=1)]
    needs_person: bool
    reasons: tuple[Text, ...]
    provenance: Provenance


class AttributionsReply(Message):
    items: tuple[Attribution, ...]
    next_cursor: str | None = None
