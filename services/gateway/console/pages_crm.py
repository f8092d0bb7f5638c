"""The pages of the CRM: search, a record with its timeline, the pipeline board, and the review queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Literal

from services.gateway.console.views import Event, Fact, Tab


@dataclass(frozen=True)
class Line:
    """A record in a list."""

    title: str
    kind: str
    href: str
    note: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A field to fill in. `choices` are (value, word); `type` is an HTML input type, or `long` for a text area."""

    name: str
    label: str
    type: str
    value: str = ""
    required: bool = False
    ltr: bool = False
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Related:
    """Records that belong to the one that is shown."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class CrmSearchPage:
    template: ClassVar[str] = "crm_search.html"
    query: str
    tabs: tuple[Tab, ...]
    lines: tuple[Line, ...]
    waiting: int
    error: str = ""
    next_href: str = ""


@dataclass(frozen=True)
class RecordPage:
    """A record: what is known, what belongs to it, what happened. `entries` make the form that edits it."""

    template: ClassVar[str] = "crm_record.html"
    id: str
    kind: str
    kind_word: str
    title: str
    version: int
    facts: tuple[Fact, ...]
    entries: tuple[Entry, ...]
    related: tuple[Related, ...]
    events: tuple[Event, ...]
    activity: tuple[Entry, ...]
    deal: tuple[Entry, ...] = ()
    card: DealCard | None = None
    may_edit: bool = False
    may_write: bool = False
    error: str = ""
    older_href: str = ""
    may_prove: bool = False
    """Whether the reader may make an evidence pack of it."""


@dataclass(frozen=True)
class DealCard:
    id: str
    title: str
    account: str
    href: str
    version: int
    stage: str
    stage_word: str
    amount: Decimal | None
    currency: str
    next_stage: str
    next_word: str
    moves: tuple[tuple[str, str, bool], ...]
    """The other stages: key, word, and whether a reason is needed."""


@dataclass(frozen=True)
class BoardColumn:
    stage: str
    word: str
    cards: tuple[DealCard, ...]
    more: bool = False


@dataclass(frozen=True)
class PipelinePage:
    template: ClassVar[str] = "crm_pipeline.html"
    columns: tuple[BoardColumn, ...]
    waiting: int
    may_edit: bool = False
    error: str = ""


@dataclass(frozen=True)
class Compared:
    """One field of two records side by side."""

    label: str
    left: str
    right: str
    same: bool
    ltr: bool = False


@dataclass(frozen=True)
class ReviewCard:
    id: str
    kind_word: str
    left: str
    right: str
    left_id: str
    right_id: str
    left_href: str
    right_href: str
    score: int
    why: tuple[str, ...]
    rows: tuple[Compared, ...]


@dataclass(frozen=True)
class Undoable:
    """A decision that can be taken back."""

    merge_id: str
    text: str


@dataclass(frozen=True)
class ReviewsPage:
    template: ClassVar[str] = "crm_reviews.html"
    cards: tuple[ReviewCard, ...]
    waiting: int
    merged: tuple[Undoable, ...] = ()
    may_edit: bool = False
    error: str = ""
    next_href: str = ""
    empty: Literal["all_done", "none_yet"] = "all_done"
    tabs: tuple[Tab, ...] = field(default=())


CrmPage = CrmSearchPage | RecordPage | PipelinePage | ReviewsPage
