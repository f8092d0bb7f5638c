"""Our own exports, known by what is in them: the zip as a whole, or one of its files."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from libs.contracts.catalogue.records import RecordKind, records
from services.data.importing.domain.detect import DEFAULT_LIMITS, Limits
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.table import DELIMITERS

K = RecordKind
ORDER = (K.ACCOUNT, K.CONTACT, K.PARTNER, K.LEAD, K.DEAL, K.ACTIVITY, K.TASK, K.TICKET, K.SPEND, K.PAYMENT)
"""What a record refers to comes before it."""
OWN_FIELDS = "fields.jsonl"
"""The fields that the tenant added, in the zip."""
_FRAME = frozenset({"id", "version", "custom", "created_at", "updated_at"})
_REJECTED = ("kind", "record")
"""The columns of the rejects of a zip: each row is a record of some kind, as JSON."""
_HEAD = 256 * 1024
_DOUBTFUL = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Line(NamedTuple):
    """One record as it stands in the file, `item` None where it can't be read; `raw` its cells in the file of rejects."""

    number: int
    kind: RecordKind
    item: dict[str, Any] | None
    raw: tuple[str, ...]


@dataclass(frozen=True)
class Export:
    """An export that was found. `header` names the cells of `Line.raw`; `count` is how many records it has."""

    path: Path
    header: tuple[str, ...]
    count: int
    kind: RecordKind | None = None
    """Of a single file; None of the zip, and of the rejects of one."""
    form: str = "zip"
    delimiter: str = ","

    def own_fields(self) -> list[dict[str, Any]]:
        if self.form != "zip":
            return []
        with zipfile.ZipFile(self.path) as archive:
            if OWN_FIELDS not in archive.namelist():
                return []
            return [found for line in archive.read(OWN_FIELDS).decode().splitlines() if (found := _object(line))]

    def lines(self) -> Iterator[Line]:
        """Every record, kind by kind in `ORDER`."""
        if self.form == "zip":
            yield from self._members()
            return
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            yield from self._table(file) if self.form == "csv" else self._objects(file, self.kind, 0)

    def _members(self) -> Iterator[Line]:
        done = 0
        with zipfile.ZipFile(self.path) as archive:
            there = set(archive.namelist())
            for kind in ORDER:
                name = f"{records().kinds[kind].plural}.jsonl"
                if name in there:
                    with archive.open(name) as file:
                        for line in self._objects(io.TextIOWrapper(file, "utf-8-sig", newline="\n"), kind, done):
                            done = line.number
                            yield line._replace(raw=(kind.value, line.raw[0]))

    def _objects(self, file: TextIO, kind: RecordKind | None, before: int) -> Iterator[Line]:
        assert kind is not None
        for number, text in enumerate((line for line in file if line.strip()), before + 1):
            yield Line(number, kind, _object(text), (text.strip(),))

    def _table(self, file: TextIO) -> Iterator[Line]:
        reader = csv.reader(file, delimiter=self.delimiter)
        header = next(reader)
        for number, cells in enumerate(reader, 2):
            if not any(cells):
                continue
            whole = len(cells) == len(header) and not any("\x00" in cell or _DOUBTFUL.search(cell) for cell in cells)
            item = dict(zip(header, map(_plain, cells), strict=True)) if whole else None
            kind = self.kind
            if kind is None:
                kind = next((one for one in ORDER if item and one.value == item["kind"]), K.ACCOUNT)
                item = _object(str(item["record"])) if item else None
            yield Line(number, kind, item, tuple(cells))


def open_export(path: Path, limits: Limits = DEFAULT_LIMITS) -> Export | None:
    """The export in this file; None where it is some other file. Raises FileRefused: zip_bomb, too_many_rows, no_rows, damaged_export."""
    try:
        found = _zip(path, limits) if zipfile.is_zipfile(path) else _single(path)
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error, OSError, EOFError) as error:
        raise FileRefused("damaged_export") from error
    if found is not None and found.count > limits.rows:
        raise FileRefused("too_many_rows", limit=limits.rows)
    if found is not None and not found.count and not found.own_fields():
        raise FileRefused("no_rows")
    return found


@contextmanager
def damage() -> Iterator[None]:
    """What only shows while a file is read is told as what it is. Raises FileRefused: damaged_export."""
    try:
        yield
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise FileRefused("damaged_export") from error


def _zip(path: Path, limits: Limits) -> Export | None:
    with zipfile.ZipFile(path) as archive:
        ours = {f"{records().kinds[kind].plural}.jsonl" for kind in ORDER} | {OWN_FIELDS}
        there = [info for info in archive.infolist() if info.filename in ours]
        if "accounts.jsonl" not in {info.filename for info in there}:
            return None
        if sum(info.file_size for info in there) > limits.unpacked_bytes:
            raise FileRefused("zip_bomb")
        count = 0
        for info in there:
            if info.filename != OWN_FIELDS:
                with archive.open(info) as file:
                    count += sum(1 for line in file if line.strip())
    return Export(path, _REJECTED, count)


def _single(path: Path) -> Export | None:
    with path.open("rb") as file:
        start = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf")
    first = start.split(b"\n", 1)[0].strip().decode("utf-8", errors="replace")
    if first.startswith("{"):
        kind = _kind(_object(first) or {})
        return Export(path, ("record",), _lines(path), kind, "jsonl") if kind else None
    for delimiter in DELIMITERS:
        header = tuple(next(csv.reader([first], delimiter=delimiter), ()))
        rejects = set(_REJECTED) <= set(header)
        kind = None if rejects else _kind(dict.fromkeys(header))
        if kind or rejects:
            with path.open(encoding="utf-8-sig", newline="") as table:
                rows = sum(1 for cells in csv.reader(table, delimiter=delimiter) if any(cells)) - 1
            return Export(path, header, rows, kind, "csv", delimiter)
    return None


def _kind(item: dict[str, Any]) -> RecordKind | None:
    """The kind whose export has these keys: all that frames a record, and every field of the kind. Of several the one with most."""
    keys = item.keys()
    if not keys >= _FRAME:
        return None
    fitting = [kind for kind in ORDER if keys >= records().kinds[kind].fields.keys()]
    return max(fitting, key=lambda kind: len(records().kinds[kind].fields), default=None)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and _storable(text, found) else None


def _storable(text: str, found: dict[str, Any]) -> bool:
    """Whether the database can keep what the escapes of this text say: no zero characters, no half of a pair (RFC 8259, 8.2)."""
    if _DOUBTFUL.search(text) is None:
        return True
    written = json.dumps(found, ensure_ascii=False)
    return (
        "\\u0000" not in written
        and "\x00" not in written
        and not any("\ud800" <= letter <= "\udfff" for letter in written)
    )


def _plain(cell: str) -> str | None:
    """The value of a cell of our own CSV, without the apostrophe that keeps a spreadsheet from running it."""
    return (cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell) or None
