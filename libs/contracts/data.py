"""Messages owned by the data plane: tenants, imports, contacts and leads as others may see them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId, Text
from libs.contracts.trust import Contactability


class TenantProfile(Message):
    """A tenant and what outgoing messages say of it. `sender_email` must be an address of the tenant's own domain."""

    tenant_id: TenantId
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    name_en: str
    name_ar: str
    sender_name: str
    sender_email: str
    opt_out_url: str
    time_zone: str = "Asia/Riyadh"
    offer_ar: Annotated[str, Field(max_length=200)] = ""
    """What the tenant says it sells, in its own words; empty where nobody said it in that language."""
    offer_en: Annotated[str, Field(max_length=200)] = ""
    offer_by: str = ""
    offer_at: datetime | None = None


class SetOffer(Message):
    """What the tenant says it sells, in both languages."""

    principal: Principal
    offer_ar: Annotated[str, Field(max_length=200)]
    offer_en: Annotated[str, Field(max_length=200)]


class EnsureTenant(Message):
    """Create the tenant, or leave it as it is when the slug exists; answers with what is stored."""

    profile: TenantProfile


class TenantRequest(Message):
    tenant_id: TenantId


class ImportState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    MATCHING = "matching"
    ASSESSING = "assessing"
    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"
    UNDONE = "undone"
    CANCELLED = "cancelled"


class ImportRequest(Message):
    """Start an import of a file that the gateway put in the bus's object store under `object_name`."""

    principal: Principal
    import_id: UUID
    object_name: str
    file_name: Annotated[str, Field(max_length=255)]
    size: int
    source: str
    obtained_how: str = ""
    mapping: dict[str, str] | None = None
    dry_run: bool = False


class ImportCounts(Message):
    """Add up to `rows`: every row ends in exactly one of them."""

    rows: int = 0
    created: int = 0
    merged: int = 0
    needs_review: int = 0
    blocked: int = 0
    rejected: int = 0
    unchanged: int = 0


class ColumnMapping(Message):
    column: str
    field: str | None
    confidence: float


class ImportStatus(Message):
    import_id: UUID
    tenant_id: TenantId
    file_name: str
    source: str
    state: ImportState
    counts: ImportCounts
    progress: Annotated[float, Field(ge=0, le=1)]
    dry_run: bool = False
    mapping: tuple[ColumnMapping, ...] = ()
    fields: dict[str, Text] = {}
    """After a dry run: the fields that a column may feed, by key, as people call them."""
    encoding: str = ""
    notices: tuple[Text, ...] = ()
    """What of the file was not read: other sheets, lines above the heading."""
    sample: tuple[tuple[str, ...], ...] = ()
    """After a dry run: the first rows, until the file is imported, at most a day."""
    error_code: str | None = None
    error_en: str | None = None
    error_ar: str | None = None
    started_at: datetime
    finished_at: datetime | None = None
    trace_id: str = ""


class ImportGet(Message):
    principal: Principal
    import_id: UUID


class ImportsRequest(Message):
    principal: Principal
    page: Page = Page()


class ImportsReply(Message):
    items: tuple[ImportStatus, ...]
    next_cursor: str | None = None


class RejectedRow(Message):
    """`raw` is the row as it stood, so that it can be mended and imported again."""

    row_number: int
    field: str
    code: str
    en: str
    ar: str
    raw: tuple[str, ...]


class RejectsReply(Message):
    header: tuple[str, ...]
    rows: tuple[RejectedRow, ...]
    next_cursor: str | None = None


class RejectsRequest(Message):
    principal: Principal
    import_id: UUID
    page: Page = Page(limit=200)


class UndoReply(Message):
    import_id: UUID
    removed: int
    kept: int


class ImportCompleted(Message):
    import_id: UUID
    tenant_id: TenantId
    counts: ImportCounts
    blocked_by: dict[str, int] = {}
    """Blocked contacts by why: `opted_out`, or the key of the source that may not be used."""
    at: datetime
    few: bool = False
    """Whether its leads were named by `data.leads_changed.v1`, so that they alone are ranked among all."""


class ContactsChanged(Message):
    """Ids only: whoever needs the facts asks for them by `data.facts.v1`."""

    tenant_id: TenantId
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=5000)]
    version: int
    at: datetime


class LeadsChanged(Message):
    """Ids only, of leads and of accounts and contacts whose leads are worth another look. Large imports are told of by
    `data.import_completed.v1` alone."""

    tenant_id: TenantId
    lead_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    account_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    at: datetime


class FactsRequest(Message):
    tenant_id: TenantId
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=5000)]


class ConsentClaim(Message):
    """A consent as the imported row states it, with its evidence; trust decides what it is worth."""

    channel: str
    purpose: str
    captured_at: datetime
    method: str
    evidence: str


class ContactFacts(Message):
    """What the owner of the truth knows of one contact, for trust to decide on."""

    contact_id: UUID
    account_id: UUID | None
    email: str | None
    phone: str | None
    source: str
    obtained_how: str = ""
    obtained_at: date | None
    collected_directly: bool
    opted_out: str = "no"
    cold: bool = False
    email_valid: bool | None = None
    last_verified_at: datetime | None = None
    consents: tuple[ConsentClaim, ...] = ()
    version: int = 1


class FactsReply(Message):
    """Contacts that do not exist (or are another tenant's) are simply absent."""

    items: tuple[ContactFacts, ...]


class Lead(Message):
    """A lead with its account and contact, as decision ranks it and the console lists it."""

    lead_id: UUID
    account_id: UUID
    contact_id: UUID | None
    account_name: str
    account_name_ar: str | None = None
    contact_name: str | None = None
    title: str | None = None
    email: str | None = None
    phone: str | None = None
    sector: str | None = None
    city: str | None = None
    region: str | None = None
    employees: int | None = None
    source: str
    source_detail: str | None = None
    obtained_at: date | None = None
    last_activity_at: date | None = None
    notes: str | None = None
    estimated_value: Decimal | None = None
    currency: str = "SAR"
    language: str | None = None
    contactability: dict[str, Contactability] = {}
    import_id: UUID | None = None
    row_number: int | None = None
    completeness: float = 0.0
    updated_at: datetime


class LeadsRequest(Message):
    """A page of a tenant's leads in id order. `lead_ids`, `account_ids` and `contact_ids` pick those that any of them names, which
    makes ranking incremental; with none of the three, all."""

    tenant_id: TenantId
    lead_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    account_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=2000)] = ()
    cursor: str | None = None
    until: UUID | None = None
    """The last lead of the page at most: pages that end where others begin can be asked for at once."""
    limit: Annotated[int, Field(ge=1, le=2000)] = 2000


class LeadsReply(Message):
    items: tuple[Lead, ...]
    next_cursor: str | None = None


class LeadPagesRequest(Message):
    tenant_id: TenantId
    size: Annotated[int, Field(ge=1, le=2000)] = 2000


class LeadPagesReply(Message):
    """The lead with which each page of so many leads ends, all but the last page, which may be shorter."""

    ends: tuple[UUID, ...]


class LineageRequest(Message):
    principal: Principal
    kind: str
    id: UUID


class LineageStep(Message):
    kind: str
    id: str
    at: datetime | None
    detail: dict[str, Any] = {}


class LineageReply(Message):
    items: tuple[LineageStep, ...]
