"""Delimited text to rows. A broken line costs that line only: reading goes on with the next one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|", "؛")
MAX_LINES_PER_ROW = 200
"""A quoted cell may hold line breaks; one that runs on longer has lost its closing quotation mark."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row as parsed. `number` counts rows as a spreadsheet does; `broken` says that the quotation marks do not
    close;
    `end` is the index of the line after it."""

    number: int
    cells: tuple[str, ...]
    broken: bool = False
    end: int = 0


def split_lines(text: str) -> list[str]:
    """Physical lines with their ends, broken at LF, CR LF and CR only (never at U+2028 and its like)."""
    return list(io.StringIO(text, newline=""))


def read_records(
    lines: list[str], delimiter: str, width: int | None = None, *, start: int = 0, number: int = 0
) -> Iterator[Record]:
    """Every row from line `start`, blank ones with no cells; `number` is that of the row before.

    `width` is the number of columns, once the header is known.

    A line whose quotation marks do not close is handed over as broken, alone, and reading resumes on the next line:
    also when a later line happens to close it, which shows in a row of several lines and the wrong width. The lines
    that one bad mark swallows end at the next mark, so that the whole stays linear in the size of the text.
    """
    while start < len(lines):
        window = _Window(lines, start)
        reader = csv.reader(window, delimiter=delimiter, strict=True)
        start = len(lines)
        try:
            for cells in reader:
                number += 1
                if window.taken > 1 and width is not None and len(cells) != width:
                    start = window.first
                    break
                window.next_row()
                yield Record(number, tuple(cells) if any(cells) else (), end=window.first)
        except csv.Error:
            number += 1
            start = window.first
        if start < len(lines):
            yield Record(number, tuple(lines[start].rstrip("\r\n").split(delimiter)), broken=True, end=start + 1)
            start += 1


class _Window:
    """Hands lines to the csv reader and remembers where the current row began."""

    def __init__(self, lines: list[str], start: int) -> None:
        self._lines = lines
        self.first = start
        self._next = start

    @property
    def taken(self) -> int:
        return self._next - self.first

    def next_row(self) -> None:
        self.first = self._next

    def __iter__(self) -> _Window:
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            raise StopIteration
        if self.taken >= MAX_LINES_PER_ROW:
            raise csv.Error("the quotation marks do not close")
        self._next += 1
        return self._lines[self._next - 1]
