"""CSV that a spreadsheet shows as text: cells that would run as formulas are made harmless (OWASP, CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

BOM = "\ufeff"
"""Without it Excel reads UTF-8 Arabic as Latin letters."""

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"^[+-]?[\d\s().,/-]*$", re.ASCII)


def harmless(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would take for a formula. Phones and numbers stay as they are."""
    if cell.startswith(_STARTS) and not (cell[0] in "+-" and _NUMBER.match(cell)):
        return f"'{cell}"
    return cell


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Rows as CSV text (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
