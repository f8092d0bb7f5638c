"""Which texts of imported rows, records and documents show something. Rows are read as they stood in the file: cleaning a cell takes
away the very characters that hide a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from libs.screening.screen import any_suspect, suspect, texts

BLOCK = 500
"""Rows that are read as one text first, values that repeat once: most hold nothing. One that does is halved until the row is found."""
REMEMBERED = 200_000
"""As many clean cells are remembered; the rest of a longer file is read anew."""
FORMED = frozenset(
    {
        "phone",
        "landline",
        "email",
        "domain",
        "cr",
        "vat",
        "employees",
        "estimated_value",
        "obtained_at",
        "last_activity",
        "opted_out",
        "cold",
    }
)
"""Fields of a form of their own: what does not fit the form is left out of the record with a note."""

Found = dict[str, tuple[str, ...]]
"""Codes by field."""


def of_rows(
    mapping: Mapping[str, int], rows: Sequence[tuple[int, Sequence[str]]], clean: set[str] | None = None
) -> dict[int, Found]:
    """What rows show, by row number. `mapping` is field to column; columns that feed no field are not kept and not read. `clean`
    remembers, from one part of a file to the next, the cells that show nothing: names, titles and cities come again and again."""
    read = [(name, at) for name, at in mapping.items() if name not in FORMED]
    known = {""} if clean is None else clean
    known.add("")
    waiting = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    found: dict[int, Found] = {}
    while waiting:
        block = waiting.pop()
        new = {cells[at] for _, cells in block for _, at in read} - known
        if not new:
            continue
        if not _any(new):
            if len(known) < REMEMBERED:
                known |= new
            continue
        if len(block) > 1:
            half = len(block) // 2
            waiting += [block[half:], block[:half]]
            continue
        ((number, cells),) = block
        if shown := {name: codes for name, at in read if (codes := suspect(cells[at]))}:
            found[number] = shown
    return found


def _any(cells: Set[str]) -> bool:
    return any_suspect([cell for cell in cells if "\n" not in cell]) or any(
        suspect(cell) for cell in cells if "\n" in cell
    )


def of_values(values: Mapping[str, Any], *, ours: bool = False) -> Found:
    """What a record's fields show. `ours` says that such a record is what our people tell one another to do."""
    return {field[:60]: codes for field, text in texts(dict(values)) if (codes := suspect(text, ours=ours))}


def of_document(blocks: Sequence[str], raw: bytes) -> Found:
    """What a document shows: its text, and what the file holds that its reader does not see."""
    found: Found = {}
    for number, text in enumerate(blocks, 1):
        if codes := suspect(text, part=True):
            found[f"paragraph {number}"] = codes
    start = raw.lstrip()[:2000].lower()
    if b"<" in start and b">" in start and b"\x00" not in start:
        hidden = set(suspect(raw.decode("utf-8", "replace"))) & {"hidden_text", "hidden_characters"}
        if hidden:
            found["file"] = tuple(sorted(hidden))
    return found
