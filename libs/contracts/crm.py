"""Messages of the CRM: records of every kind, their history, merges, search, and what people arrange around them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.catalogue.records import FieldType, RecordKind, Stage
from libs.contracts.message import Message, Page, Principal

Values = dict[str, Any]
"""Field names of the catalogue to JSON values: dates and moments in ISO 8601, money as a decimal string, ids as text."""


class Record(Message):
    """One record. `values` has every field of its kind, `custom` the tenant's own; `version` grows with each change."""

    kind: RecordKind
    id: UUID
    version: int
    values: Values
    custom: Values = {}
    names: dict[str, str] = {}
    """Names of the records that it refers to, by field."""
    created_at: datetime
    updated_at: datetime


class ListRecords(Message):
    """A page of one kind, newest first. `where` holds fields to equal values; `q` is searched for."""

    principal: Principal
    kind: RecordKind
    where: dict[str, str] = {}
    q: Annotated[str, Field(max_length=1000)] | None = None
    page: Page = Page()


class RecordsReply(Message):
    items: tuple[Record, ...]
    next_cursor: str | None = None


class GetRecord(Message):
    principal: Principal
    kind: RecordKind
    id: UUID


class CreateRecord(Message):
    """The same id again answers with the record that is there."""

    principal: Principal
    kind: RecordKind
    id: UUID
    values: Values
    custom: Values = {}


class ChangeRecord(Message):
    """Fields to new values; None empties a field. `version` is the one that the change was made on, when it matters."""

    principal: Principal
    kind: RecordKind
    id: UUID
    values: Values = {}
    custom: Values = {}
    version: int | None = None


class DeleteRecord(Message):
    principal: Principal
    kind: RecordKind
    id: UUID
    version: int | None = None


class MoveDeal(Message):
    """Move a deal to a stage. Losing one, reopening one and going back need a reason."""

    principal: Principal
    id: UUID
    stage: Stage
    reason: Annotated[str, Field(max_length=1000)] = ""
    version: int | None = None


class BulkChange(Message):
    """The same change to many records of a kind, as one that can be taken back as a whole."""

    principal: Principal
    batch_id: UUID
    kind: RecordKind
    ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1000)]
    values: Values = {}
    custom: Values = {}


class BulkChanged(Message):
    """`skipped` are records that are not there or have been changed since."""

    batch_id: UUID
    changed: int
    skipped: tuple[UUID, ...] = ()


class UndoBulk(Message):
    principal: Principal
    batch_id: UUID


class TimelineRequest(Message):
    principal: Principal
    kind: RecordKind
    id: UUID
    page: Page = Page()


class Happening(Message):
    """One thing that happened with a record. `what` is a stable word (`created`, `changed`, `moved`, `merged`, `imported`,
    `call` …); `detail` says what it needs, by name."""

    at: datetime
    what: str
    kind: str
    record_id: UUID
    title: str = ""
    actor: str = ""
    detail: dict[str, Any] = {}


class TimelineReply(Message):
    items: tuple[Happening, ...]
    next_cursor: str | None = None


class MergeRecords(Message):
    """Make two records one: `keep_id` stays, blanks are filled, the strictest consent wins."""

    principal: Principal
    kind: RecordKind
    merge_id: UUID
    keep_id: UUID
    gone_id: UUID


class MergeReply(Message):
    merge_id: UUID
    record: Record
    moved: dict[str, int]
    """How many contacts, leads, deals … now belong to the record that stayed."""


class UndoMerge(Message):
    principal: Principal
    merge_id: UUID


class UndoMergeReply(Message):
    merge_id: UUID
    kept: Record
    restored: Record


class ReviewState(StrEnum):
    WAITING = "waiting"
    MERGED = "merged"
    APART = "apart"
    GONE = "gone"


class Review(Message):
    """Two records that are probably one, waiting for a person. `score` is the likeness of their names, 0 to 100."""

    review_id: UUID
    kind: RecordKind
    state: ReviewState
    score: float
    why_en: tuple[str, ...]
    why_ar: tuple[str, ...]
    left: Record
    right: Record
    import_id: UUID
    merge_id: UUID | None = None


class ReviewsRequest(Message):
    principal: Principal
    kind: RecordKind | None = None
    state: ReviewState = ReviewState.WAITING
    page: Page = Page()


class ReviewsReply(Message):
    items: tuple[Review, ...]
    next_cursor: str | None = None
    waiting: int = 0


class DecideReview(Message):
    """`merge` keeps `keep_id`, or the older of the two; `apart` remembers that they are two."""

    principal: Principal
    review_id: UUID
    merge: bool
    merge_id: UUID
    keep_id: UUID | None = None


class ReviewGet(Message):
    principal: Principal
    review_id: UUID


class SearchRequest(Message):
    principal: Principal
    q: Annotated[str, Field(max_length=1000)]
    kinds: tuple[RecordKind, ...] = ()
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class Hit(Message):
    kind: RecordKind
    id: UUID
    title: str
    subtitle: str = ""
    score: float


class SearchReply(Message):
    items: tuple[Hit, ...]


class CustomField(Message):
    """A field that a tenant added to a kind."""

    kind: RecordKind
    key: Annotated[str, Field(max_length=40)]
    """A word of small letters, digits and underscores."""
    type: FieldType
    en: Annotated[str, Field(min_length=1, max_length=100)]
    ar: Annotated[str, Field(min_length=1, max_length=100)]
    choices: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class SaveCustomField(Message):
    principal: Principal
    field: CustomField


class DropCustomField(Message):
    """The field is no longer shown; what was stored under it stays until the record is deleted."""

    principal: Principal
    kind: RecordKind
    key: str


class CustomFieldsRequest(Message):
    principal: Principal
    kind: RecordKind | None = None


class CustomFieldsReply(Message):
    items: tuple[CustomField, ...]


class SavedView(Message):
    """A list that somebody wants to see again: a kind with its filters."""

    view_id: UUID
    kind: RecordKind
    name: Annotated[str, Field(min_length=1, max_length=100)]
    where: dict[str, str] = {}
    q: str = ""
    shared: bool = False
    owner: str = ""


class SaveView(Message):
    principal: Principal
    view: SavedView


class DropView(Message):
    principal: Principal
    view_id: UUID


class ViewsRequest(Message):
    principal: Principal
    kind: RecordKind | None = None


class ViewsReply(Message):
    items: tuple[SavedView, ...]
