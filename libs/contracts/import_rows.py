"""What an import has to say of single rows that it took in: what it left out of them, and why they wait or are blocked."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from libs.contracts.message import Message, Page, Principal

Standing = Literal["created", "merged", "needs_review", "blocked"]


class Remark(Message):
    """`field` is the column's field whose value was left out; empty where the whole row is meant."""

    field: str = ""
    code: str
    en: str
    ar: str


class RemarkedRow(Message):
    """A row with what was left out of it (`left_out`) and why it waits or is blocked (`reasons`), and the records that it became."""

    row_number: int
    outcome: Standing
    company: str = ""
    person: str = ""
    account_id: UUID | None = None
    contact_id: UUID | None = None
    left_out: tuple[Remark, ...] = ()
    reasons: tuple[Remark, ...] = ()


class RemarksRequest(Message):
    """`outcome` asks for rows of one outcome alone."""

    principal: Principal
    import_id: UUID
    outcome: Standing | None = None
    page: Page = Page()


class RemarksReply(Message):
    rows: tuple[RemarkedRow, ...]
    next_cursor: str | None = None
