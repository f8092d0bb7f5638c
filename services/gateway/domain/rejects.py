"""The rejected rows of an import as a file that a person mends and imports again."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.data import RejectedRow

COLUMNS = ("row", "field", "code", "reason_en", "reason_ar")
"""Before the file's own columns; an import knows them and reads nothing from them."""


def _own(cells: Sequence[str], header: Sequence[str]) -> tuple[str, ...]:
    """Without the columns of an earlier file of rejects, so that mending twice does not pile them up."""
    return tuple(cells[len(COLUMNS) :] if tuple(header[: len(COLUMNS)]) == COLUMNS else cells)


def heading(header: Sequence[str]) -> tuple[str, ...]:
    return (*COLUMNS, *_own(header, header))


def line(header: Sequence[str], row: RejectedRow) -> tuple[str, ...]:
    """A row with its reasons. One with too few or too many cells stays so, lest it be imported before anybody has looked at it."""
    return (str(row.row_number), row.field, row.code, row.en, row.ar, *_own(row.raw, header))
