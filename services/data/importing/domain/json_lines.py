"""JSON Lines as a table: one object a line, its keys the columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.data.importing.domain.table import Record

DEEPEST = 4
"""Objects within objects that become columns."""

Line = tuple[int, "dict[str, Any] | None", str]


def read_json_lines(lines: Sequence[str], most_columns: int) -> tuple[tuple[str, ...], list[Record]]:
    """The columns, in the order in which they are first met, and a record for each line.

    A line that is no object comes as broken, alone. What is nested has a column of its own, named by the way to it (`custom.tier`); a
    list is one cell, as JSON. The keys beyond `most_columns` come back as one column more, so that whoever counts can refuse the file.
    """
    columns: dict[str, int] = {}
    read = [_line(number, line) for number, line in enumerate(lines, 1)]
    for _, values, _ in read:
        for key in values or ():
            if key not in columns and len(columns) <= most_columns:
                columns[key] = len(columns)
    records = []
    for number, values, text in read:
        if values is not None:
            cells = [""] * len(columns)
            for key, value in values.items():
                if key in columns:
                    cells[columns[key]] = _cell(value)
            records.append(Record(number, tuple(cells) if any(cells) else ()))
        elif text.strip():
            records.append(Record(number, (text.strip()[:2000],), broken=True))
    return tuple(columns), records


def _line(number: int, line: str) -> Line:
    try:
        found = json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        found = None
    return number, _flat(found) if isinstance(found, dict) else None, line


def _flat(found: dict[str, Any], deep: int = 0) -> dict[str, Any]:
    """The object with the keys of nested ones beside its own; what lies deeper than anybody names columns stays JSON."""
    out: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, dict) and value and deep < DEEPEST:
            for inner, held in _flat(value, deep + 1).items():
                out.setdefault(f"{key}.{inner}", held)
        else:
            out[key] = value
    return out


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)
