"""Messages about what a tenant pays its vendors, owned by the execution plane."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Principal


class SetPrice(Message):
    """What one live effect of a connector costs from `since` on, in SAR, and where that is written down."""

    principal: Principal
    connector: Annotated[str, Field(max_length=50)]
    sar: Annotated[Decimal, Field(ge=0, lt=1_000_000, decimal_places=4)]
    since: datetime | None = None
    reference: Annotated[str, Field(min_length=1, max_length=500)]


class PricesRequest(Message):
    principal: Principal
    connector: Annotated[str, Field(max_length=50)]


class Price(Message):
    connector: str
    sar: Decimal
    since: datetime
    reference: str
    set_by: str
    recorded_at: datetime


class PricesReply(Message):
    items: tuple[Price, ...]
