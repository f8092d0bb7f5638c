"""A page of tables and forms, for desks whose words come with their values: rights, registers, approvals together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from markupsafe import Markup

from services.gateway.console.views import Tab

InputKind = Literal[
    "text", "long", "select", "password", "datetime-local", "date", "time", "number", "email", "hidden", "file", "check", "checks", "part"
]  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One value of a table. A time is shown as people read it; `kind` isolates what runs from left to right; `tone` makes it a chip."""

    value: str | datetime | None
    kind: Literal["text", "ltr", "moment"] = "text"
    href: str = ""
    tone: Literal["", "neutral", "low", "medium", "high"] = ""


@dataclass(frozen=True)
class Input:
    """One field of a form. `options` are (value, label) of a select, or of the boxes of `checks`, of which those in `chosen` are ticked. A
    `check` is one box, ticked when it has a value. `hint` says under the field what is wanted there; a `part` is a heading over the fields after it."""

    name: str
    label: str
    kind: InputKind = "text"
    value: str = ""
    required: bool = True
    ltr: bool = False
    options: tuple[tuple[str, str], ...] = ()
    accept: str = ""
    chosen: tuple[str, ...] = ()
    hint: str = ""
    step: str = ""


@dataclass(frozen=True)
class Note:
    """A piece of text with where it stands: a passage of a document."""

    title: str
    text: str
    meta: str = ""
    href: str = ""


@dataclass(frozen=True)
class Tile:
    """A figure. `definition` opens on hover, focus and touch; without a value `note` says why. `href` leads to its rows. `caution` speaks
    against it, and `caution_href` leads to what does."""

    name: str
    label: str
    value: str
    unit: str
    definition: str
    note: str
    href: str = ""
    caution: str = ""
    caution_href: str = ""


@dataclass(frozen=True)
class DeskForm:
    """A form that posts, or with `get` one that only asks. `key` makes the ids of its fields unique on the page; a `quiet` one stands beside
    the page's main verb. `columns` lets short fields stand beside one another; `text` says above them what they are about."""

    key: str
    action: str
    submit: str
    inputs: tuple[Input, ...] = ()
    danger: bool = False
    quiet: bool = False
    get: bool = False
    columns: bool = False
    text: str = ""


@dataclass(frozen=True)
class Side:
    """One of two texts beside one another: what is said, word for word where there is a text, and who says it."""

    label: str
    value: str
    meta: str = ""
    kind: Literal["text", "ltr"] = "text"
    quote: str = ""
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class Pair:
    """Two texts about one thing, where it comes from, and what a person may do about them."""

    title: str
    sides: tuple[Side, Side]
    state: str = ""
    tone: Literal["neutral", "low", "medium", "high"] = "neutral"
    href: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    forms: tuple[DeskForm, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A way to another page: what it is called, and what is done there."""

    title: str
    text: str
    href: str
    state: str = ""
    tone: Literal["neutral", "low", "medium", "high"] = "neutral"


@dataclass(frozen=True)
class Section:
    """A part of a page: facts, then a table or what else it holds, then forms. `code` is JSON as it stands; `drawing` an SVG made here;
    `only` a form above the table that asks for a part of it."""

    title: str
    text: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    empty: str = ""
    forms: tuple[DeskForm, ...] = ()
    notes: tuple[Note, ...] = ()
    tiles: tuple[Tile, ...] = ()
    pairs: tuple[Pair, ...] = ()
    entries: tuple[Entry, ...] = ()
    code: str = ""
    drawing: Markup | None = None
    only: DeskForm | None = None
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeskPage:
    template: ClassVar[str] = "desk.html"
    section: str
    title: str
    sections: tuple[Section, ...]
    tabs: tuple[Tab, ...] = ()
    tabs_label: str = ""
    error: str = ""
    done: str = ""
    back: str = ""
    back_label: str = ""
