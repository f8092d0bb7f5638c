"""Messages about revenue work units: what was done, counted from the ledger, each with the entry that proves it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Text

MOST_TARGETS = 1000


class WorkUnitsRequest(Message):
    """Work from `since` until before `until`; the last 30 days when neither is given. `targets` (as `deal:ID`) leaves only what is about
    one of them; None asks for all, and none of them for nothing. `unit` leaves one kind of work."""

    principal: Principal
    since: datetime | None = None
    until: datetime | None = None
    unit: str | None = None
    targets: Annotated[tuple[str, ...], Field(max_length=MOST_TARGETS)] | None = None
    page: Page = Page()


class WorkUnit(Message):
    """A piece of work: `count` units of one kind, proved by one entry of the ledger. `weighted` is count × weight, a measure of work.

    `seq` is the entry's place in the log, None while it waits for one; `leaf_hash` is hex.
    """

    unit: str
    title: Text
    count: int
    weighted: Decimal
    at: datetime
    actor: str
    target: str
    kind: str
    entry_id: UUID
    seq: int | None = None
    leaf_hash: str = ""


class WorkTotal(Message):
    """All work of one kind in the period."""

    unit: str
    title: Text
    section: str
    weight: Decimal
    count: int
    entries: int
    weighted: Decimal


class WorkUnitsReply(Message):
    """`items` newest first; `totals` of every unit in the period, also those with nothing. `weighted` is work, never revenue."""

    items: tuple[WorkUnit, ...]
    next_cursor: str | None = None
    totals: tuple[WorkTotal, ...]
    weighted: Decimal
    since: datetime
    until: datetime
    version: str
