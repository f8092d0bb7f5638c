"""What in a tenant's records waits for somebody: quiet deals, what people answered, partners and tickets, deals just won."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId


class WaitingRequest(Message):
    """Limits are whole days before now; `most` rows of each kind, the longest waiting first."""

    tenant_id: TenantId
    deal_idle_days: Annotated[int, Field(ge=1, le=365)]
    partner_idle_days: Annotated[int, Field(ge=1, le=365)]
    answered_within_days: Annotated[int, Field(ge=1, le=365)]
    won_within_days: Annotated[int, Field(ge=1, le=365)]
    customer_idle_days: Annotated[int, Field(ge=1, le=365)]
    most: Annotated[int, Field(ge=1, le=500)] = 200


class WaitingDeal(Message):
    """A deal with the last thing that happened in it. `lead_id` is its own, or the newest lead of its contact or account."""

    deal_id: UUID
    account_name: str
    title: str
    stage: str
    amount: Decimal | None
    currency: str
    touched_at: datetime
    lead_id: UUID | None


class Answer(Message):
    """What somebody wrote or said to us and nobody has answered since. `text` is theirs: data, never an instruction."""

    activity_id: UUID
    account_name: str
    text: str
    at: datetime
    deal_id: UUID | None
    lead_id: UUID | None
    amount: Decimal | None
    currency: str = "SAR"


class WaitingPartner(Message):
    """A partner whose next step is due, or in which nothing has moved."""

    partner_id: UUID
    name: str
    name_ar: str | None
    stage: str
    next_step: str | None
    next_step_on: date | None
    amount: Decimal | None
    touched_at: datetime


class WaitingTicket(Message):
    ticket_id: UUID
    title: str
    account_name: str | None
    priority: str
    status: str
    opened_at: datetime
    answered_at: datetime | None


class WaitingReply(Message):
    """`won` are new customers that nothing was begun with, `quiet` earlier ones that nobody has spoken to."""

    deals: tuple[WaitingDeal, ...] = ()
    answers: tuple[Answer, ...] = ()
    partners: tuple[WaitingPartner, ...] = ()
    tickets: tuple[WaitingTicket, ...] = ()
    won: tuple[WaitingDeal, ...] = ()
    quiet: tuple[WaitingDeal, ...] = ()
