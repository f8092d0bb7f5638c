"""What a document says, before it has a form: sections in one language each, made of headings, paragraphs, facts and tables.

Values are plain text. A value without an Arabic letter (a number, a hash, an address) is set left to right wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Language = Literal["ar", "en"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below the section's title."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `quiet` is secondary text, such as a reservation or a note on method."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values, one pair a line."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings that are repeated on every page. `widths` are shares, one a column; `empty` stands for no rows."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float] = ()
    empty: str = ""

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.headings)]
        if wrong or len(self.widths) not in (0, len(self.headings)):
            raise ValueError("every row and the widths have one value for each heading")


Block = Heading | Paragraph | Facts | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A part in one language, which begins on a page of its own. `lead` stands under the title."""

    language: Language
    title: str
    lead: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """`made_at` is the only time in the file: the same document gives the same bytes. `footer` stands on every page."""

    made_at: datetime
    sections: Sequence[Section]
    footer: str = ""

    def __post_init__(self) -> None:
        if not self.sections or self.made_at.tzinfo is None:
            raise ValueError("a document has a section and a time with a zone")
