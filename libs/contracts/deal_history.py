"""Deals as they went: what a forecast learns from, and how deals that were closed before Dealix come in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Principal


class DealHistoryRequest(Message):
    """Deals that are open or were closed since `since`, oldest id first."""

    principal: Principal
    since: datetime
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class DealStep(Message):
    """One recorded change of a deal's stage or amount; what did not change is None on both sides."""

    at: datetime
    stage_before: str | None
    stage: str | None
    amount_before: Decimal | None
    amount: Decimal | None


class PastDeal(Message):
    """A deal as it stands, with every change of its stage and amount, the oldest first."""

    deal_id: UUID
    account_id: UUID
    account_name: str
    title: str
    sector: str | None
    partner_id: UUID | None
    stage: str
    amount: Decimal | None
    currency: str
    created_at: datetime
    closed_at: datetime | None
    expected_close: date | None
    steps: tuple[DealStep, ...]


class DealHistoryReply(Message):
    """`after` is where the next page begins; None on the last one."""

    items: tuple[PastDeal, ...]
    after: UUID | None = None


Currency = Literal["SAR", "USD", "EUR", "AED", "KWD", "BHD", "QAR", "OMR", "GBP"]
"""What a deal may be in: the choices of the records' catalogue."""


class ClosedDeal(Message):
    """A deal that was won or lost before it was recorded here. `reference` is its name in the system it comes from."""

    account: Annotated[str, Field(min_length=1, max_length=300)]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    amount: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)] | None = None
    currency: Currency = "SAR"
    outcome: Literal["won", "lost"]
    opened_on: date
    open_on: date | None = None
    negotiating_on: date | None = None
    closed_on: date
    reason: Annotated[str, Field(max_length=1000)] = ""
    reference: Annotated[str, Field(max_length=200)] = ""


class LoadClosedDeals(Message):
    """The same rows again change nothing."""

    principal: Principal
    items: Annotated[tuple[ClosedDeal, ...], Field(min_length=1, max_length=500)]


class RefusedRow(Message):
    """`row` counts from 1."""

    row: int
    field: str
    en: str
    ar: str


class ClosedDealsLoaded(Message):
    created: int
    existing: int
    refused: tuple[RefusedRow, ...] = ()
