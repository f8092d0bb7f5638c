"""The rejected rows as a file a person can mend and import again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from services.data.importing.domain.records import RowRejected
from services.data.importing.domain.rows import cell_damage

REASON_COLUMNS = ("row_number", "rejected_field", "reason_en", "reason_ar")
"""Added behind the file's own columns; an import knows and ignores them."""

BOM = "\ufeff"


def rejects_csv(header: Sequence[str], rejected: Iterable[RowRejected]) -> str:
    """CSV text with the original columns first. It begins with a byte order mark, without which Excel misreads Arabic.

    Cells that a spreadsheet would run as a formula get an apostrophe in front (OWASP, CSV injection). A row with too
    many cells keeps the surplus joined in its last column, one with too few is padded.
    """
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*header, *REASON_COLUMNS])
    for row in rejected:
        cells = [_harmless(cell) for cell in _fitted(row.raw, len(header))]
        writer.writerow([*cells, row.row_number, row.field, row.en, row.ar])
    return out.getvalue()


def _fitted(cells: Sequence[str], width: int) -> list[str]:
    if len(cells) <= width:
        return [*cells, *("",) * (width - len(cells))]
    return [*cells[: width - 1], " ".join(cells[width - 1 :])]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell_damage(cell) == "formula" else cell
