"""Messages of enrichment: facts about records that are there already, each with where it comes from."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId


class FactState(StrEnum):
    """`applied` filled what nobody had stated; `confirmed` says what is there already; `disputed` says something else and waits for a person,
    who accepts or refuses it. What a person stated is never overwritten by a file."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Enrich(Message):
    """A file in the object store, read by an adapter. `licence` names the terms of its source.

    With `dry_run` nothing is written and the file stays, so that it can be taken in after somebody has looked.
    """

    principal: Principal
    batch_id: UUID
    adapter: Annotated[str, Field(max_length=50)]
    object_name: Annotated[str, Field(max_length=200)]
    file_name: Annotated[str, Field(max_length=255)]
    lawful_basis: Annotated[str, Field(max_length=50)]
    licence: Annotated[str, Field(max_length=500)] = ""
    obtained_on: date
    dry_run: bool = False


class RowRefused(Message):
    """A row that filled in nothing, or a cell of it that could not be used, and why."""

    row: int
    field: str
    en: str
    ar: str


class FactsList(Message):
    """Facts, newest first: of one record, in one state, or all."""

    principal: Principal
    record_id: UUID | None = None
    state: FactState | None = None
    page: Page = Page()


class EnrichedFact(Message):
    """One fact with its provenance. `current` is what the record held when the fact came."""

    fact_id: UUID
    tenant_id: TenantId
    batch_id: UUID
    kind: str
    record_id: UUID
    field: str
    value: str
    current: str | None
    source: str
    adapter: str
    lawful_basis: str
    licence: str
    reference: str
    obtained_on: date
    confidence: float
    state: FactState
    recorded_at: datetime
    recorded_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""


class Enriched(Message):
    """What became of a file's rows and of the facts in them. Of the refused rows the first 200 are listed; `refused` counts all.

    A dry run names the first 200 facts that would be kept in `found`, as they would stand.
    """

    batch_id: UUID
    rows: int
    matched: int
    facts: dict[str, int]
    refused: int
    refusals: tuple[RowRefused, ...] = ()
    found: tuple[EnrichedFact, ...] = ()


class FactsListed(Message):
    items: tuple[EnrichedFact, ...]
    next_cursor: str | None = None


class DecideFact(Message):
    """A person's word on a disputed fact: accepted, it takes the place of what the record holds."""

    principal: Principal
    fact_id: UUID
    accept: bool
    reason: Annotated[str, Field(max_length=1000)] = ""
