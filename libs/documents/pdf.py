"""Sets a `Document` as PDF: Arabic joined and from right to left, Latin digits, pages numbered.

Shaping is HarfBuzz's, order the Unicode bidirectional algorithm's (UAX #9, by fpdf2), type IBM Plex Sans Arabic out of the
`fontpkg-ibm-plex-sans-arabic` wheel, embedded as the glyphs used (which the Open Font License permits in a document).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, WrapMode, XPos, YPos

from libs.documents.model import Block, Document, Facts, Heading, Language, Paragraph, Section, Table

FAMILY: Final = "plex"
_FONTS: Final = {"": "Regular", "B": "SemiBold"}
_PACKAGE: Final = "fontpkg-ibm-plex-sans-arabic"
_LRM: Final = "\u200e"
_SIGNED: Final = re.compile(r"(?<!\w)[+\-]\d[\d ,.]*")
_DATED: Final = re.compile(r"(?<![\w-])\d{4}-(?:Q[1-4]|\d\d(?:-\d\d(?: \d\d:\d\d)?)?)")
_ARABIC: Final = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")

_LETTER: Final = re.compile(f"[A-Za-z]|{_ARABIC.pattern}")

_INK, _QUIET, _PRIMARY, _RULE, _TINT = (20, 35, 28), (75, 90, 83), (22, 106, 69), (200, 208, 204), (246, 248, 247)
_MARGIN, _PADDING = 16.0, 1.6  # mm
_BODY, _SMALL, _TITLE, _HEADING = 10.5, 8.5, 20.0, 13.0  # points
_LEADING = 0.62  # mm of line height for a point of type: Arabic needs more than Latin

# The subsetter reports each table it drops; in a server's log that is noise.
logging.getLogger("fontTools.subset").setLevel(logging.WARNING)


def render(document: Document) -> bytes:
    """The PDF's bytes, equal for equal documents under the same locked libraries."""
    pdf = _Pages(document)
    for section in document.sections:
        _Setter(pdf, section).set()
    return bytes(pdf.output())


@cache
def font_file(weight: str) -> Path:
    """Where the wheel's TTF of a weight lies. Raises importlib.metadata.PackageNotFoundError."""
    name = f"fontpkg_ibm_plex_sans_arabic/files/IBMPlexSansArabic-{weight}.ttf"
    return Path(str(distribution(_PACKAGE).locate_file(name)))


class _Pages(FPDF):
    """A4 pages with the document's footer and their number."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self._footer, self.language = document.footer, document.sections[0].language
        for style, weight in _FONTS.items():
            self.add_font(FAMILY, style, str(font_file(weight)))
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=_MARGIN + 4)
        self.set_creation_date(document.made_at)
        self.set_title(document.sections[0].title)
        self.set_creator("Dealix")
        # The library's own name carries its version; the file tells of its contents, not of its tool.
        self.set_producer("Dealix")

    def footer(self) -> None:
        """The document's footer and the page's number. Called by the library at the end of each page."""
        self.set_y(-(_MARGIN - 3))
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*_QUIET)
        self.cell(0, 5, shape(self, self._footer, "ltr"), align=Align.L)
        self.set_x(_MARGIN)
        self.cell(0, 5, str(self.page_no()), align=Align.R)
        self.set_text_color(*_INK)


def shape(pdf: FPDF, text: str, direction: str) -> str:
    """Shape what is set next as Arabic or Latin; text without an Arabic letter runs left to right. Returns what to set."""
    arabic = _ARABIC.search(text) is not None
    first = _LETTER.search(text)
    if first is not None and _ARABIC.match(first.group()):
        direction = "rtl"
    # No script: HarfBuzz finds each run's own. Told one, it sets the other's ligatures backwards ("verfiy").
    pdf.set_text_shaping(
        use_shaping_engine=True, direction=direction if arabic else "ltr", language="ara" if arabic else "eng"
    )
    # A sign or a plus before a number belongs to it, as does each group of a phone number (UAX #9 alone would turn them round).
    # So do the parts of a date, which after an Arabic letter would come out the last first.
    for kept in (_SIGNED, _DATED) if arabic else ():
        text = kept.sub(lambda number: f"{_LRM}{number.group()}", text)
    return text


class _Setter:
    """Sets one section."""

    def __init__(self, pdf: _Pages, section: Section) -> None:
        self._pdf, self._section = pdf, section
        self._rtl = section.language == "ar"
        self._direction = "rtl" if self._rtl else "ltr"
        self._start = Align.R if self._rtl else Align.L

    def set(self) -> None:
        language: Language = self._section.language
        self._pdf.language = language
        self._pdf.set_lang(language)
        self._pdf.add_page()
        self._text(self._section.title, _TITLE, "B", _PRIMARY)
        if self._section.lead:
            self._text(self._section.lead, _BODY, "", _QUIET)
        self._pdf.ln(3)
        for block in self._section.blocks:
            self._block(block)

    def _block(self, block: Block) -> None:
        match block:
            case Heading(text):
                self._pdf.ln(3)
                if self._pdf.will_page_break(34):  # a heading stays with what it heads
                    self._pdf.add_page()
                self._text(text, _HEADING, "B", _PRIMARY)
            case Paragraph(text, quiet):
                self._text(text, _BODY, "", _QUIET if quiet else _INK)
                self._pdf.ln(1)
            case Facts(pairs):
                for label, value in pairs:
                    self._row([label, value], self._shares([0.32, 0.68], 2), ["B", ""], _BODY)
                self._pdf.ln(2)
            case Table():
                self._table(block)

    def _text(self, text: str, size: float, style: str, color: tuple[int, int, int]) -> None:
        self._pdf.set_font(FAMILY, style, size)
        self._pdf.set_text_color(*color)
        shown = shape(self._pdf, text, self._direction)
        self._pdf.multi_cell(0, size * _LEADING, shown, align=self._start, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._pdf.set_text_color(*_INK)

    def _table(self, table: Table) -> None:
        widths = self._shares(table.widths, len(table.headings))
        bold, plain = ["B"] * len(widths), [""] * len(widths)
        if not table.rows:
            self._text(table.empty, _BODY, "", _QUIET)
            return
        self._row(table.headings, widths, bold, _SMALL, filled=True)
        for row in table.rows:
            self._row(row, widths, plain, _SMALL, ruled=True, again=(table.headings, bold))
        self._pdf.ln(3)

    def _shares(self, shares: Sequence[float], count: int) -> list[float]:
        given = list(shares) or [1.0] * count
        return [share / sum(given) * self._pdf.epw for share in given]

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        styles: Sequence[str],
        size: float,
        *,
        filled: bool = False,
        ruled: bool = False,
        again: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> None:
        """One row, as high as its highest cell. `again` is repeated at the head of a new page."""
        pdf, line = self._pdf, size * _LEADING
        lines = [
            self._lines(text, width, style, size) for text, width, style in zip(cells, widths, styles, strict=True)
        ]
        height = max(lines) * line + 2 * _PADDING
        if pdf.will_page_break(height):
            pdf.add_page()
            if again is not None:
                self._row(again[0], widths, again[1], size, filled=True)
        top, left = pdf.get_y(), pdf.l_margin
        if filled:
            pdf.set_fill_color(*_TINT)
            pdf.rect(left, top, pdf.epw, height, style="F")
        at = left + pdf.epw if self._rtl else left
        for text, width, style, count in zip(cells, widths, styles, lines, strict=True):
            at = at - width if self._rtl else at
            pdf.set_font(FAMILY, style, size)
            pdf.set_xy(at, top + _PADDING)
            shown = shape(pdf, text, self._direction)
            if count == 1:  # laid out already
                pdf.cell(width, line, shown, align=self._start)
            else:
                pdf.multi_cell(width, line, shown, align=self._start, wrapmode=self._wrap(shown, width))
            at = at if self._rtl else at + width
        pdf.set_xy(left, top + height)
        if ruled or filled:
            pdf.set_draw_color(*_RULE)
            pdf.line(left, top + height, left + pdf.epw, top + height)

    def _lines(self, text: str, width: float, style: str, size: float) -> int:
        """How many lines a cell takes."""
        pdf = self._pdf
        pdf.set_font(FAMILY, style, size)
        shown = shape(pdf, text, self._direction)
        if "\n" not in shown and pdf.get_string_width(shown) <= width - 2 * pdf.c_margin:
            return 1
        lines = pdf.multi_cell(
            width, size, shown, dry_run=True, output=MethodReturnValue.LINES, wrapmode=self._wrap(shown, width)
        )
        return max(1, len(lines)) if isinstance(lines, list) else 1

    def _wrap(self, text: str, width: float) -> WrapMode:
        # An identifier longer than its column breaks where it must; words never do.
        longest = max(text.split(), key=len, default="")
        return WrapMode.CHAR if self._pdf.get_string_width(longest) > width - 2 * self._pdf.c_margin else WrapMode.WORD
