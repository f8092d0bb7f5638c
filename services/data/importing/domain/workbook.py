"""XLSX to rows of text: guarded against archives that unpack without end, and against formulas, whose cached values a
reader would otherwise take for data.

python-calamine reads the values; whether a cell is a formula it does not say, so the sheet's own XML is asked for that.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import IO

from defusedxml import ElementTree  # type: ignore[import-untyped]  # the package has no annotations
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # the same
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
from python_calamine import PasswordError as WorkbookLocked
from python_calamine import XmlError as WorkbookXmlError
from python_calamine import ZipError as WorkbookZipError

from services.data.importing.domain.messages import FileRefused, say

MAX_PARTS = 5_000
MAX_RATIO = 200
RATIO_FROM = 64 * 1024 * 1024
MAX_CELLS = 60_000_000

_FORMULA_TAG = re.compile(rb"<(?:\w+:)?f[\s>/]")
_REFERENCE = re.compile(r"([A-Z]+)(\d+)$")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


Place = tuple[int, int]
Rows = tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows with their spreadsheet numbers, and the cells (row number, column index) that are
    formulas."""

    name: str
    rows: Rows
    formulas: frozenset[tuple[int, int]]
    others: tuple[str, ...]
    filled: int = 0
    """Cells that have the value of a merged cell above them."""


def read_workbook(content: bytes, *, max_unpacked: int) -> Sheet:
    """The first visible sheet that holds data. `max_unpacked` is in bytes.

    Raises FileRefused: not_a_table, zip_bomb, broken_workbook, old_excel, no_sheet.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _guard(archive, content, max_unpacked)
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            return _first_sheet(book, archive)
    except WorkbookLocked as error:
        raise FileRefused("old_excel") from error
    except (
        zipfile.BadZipFile,
        CalamineError,
        WorkbookXmlError,
        WorkbookZipError,
        zlib.error,
        KeyError,
        DefusedXmlException,
        ElementTree.ParseError,
    ) as error:
        raise FileRefused("broken_workbook") from error


def _guard(archive: zipfile.ZipFile, content: bytes, max_unpacked: int) -> None:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        kind = "document" if "[Content_Types].xml" in names or "mimetype" in names else "archive"
        raise FileRefused("not_a_table", kind=say("kind", kind))
    declared = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if len(parts) > MAX_PARTS or declared > max_unpacked or (declared > RATIO_FROM and declared / packed > MAX_RATIO):
        raise FileRefused("zip_bomb")
    for part in parts:
        _guard_part(part, content)


def _guard_part(part: zipfile.ZipInfo, content: bytes) -> None:
    """Inflate the part without keeping it: the declared size is the sender's word, and other readers do not stop at
    it."""
    if part.flag_bits & 1 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileRefused("broken_workbook")
    if part.compress_type == zipfile.ZIP_STORED:
        if part.file_size != part.compress_size:
            raise FileRefused("zip_bomb")
        return
    fields = _LOCAL_HEADER.unpack_from(content, part.header_offset)
    start = part.header_offset + _LOCAL_HEADER.size + fields[9] + fields[10]
    inflater = zlib.decompressobj(-15)
    size, data = 0, content[start : start + part.compress_size]
    while data and not inflater.eof:
        size += len(inflater.decompress(data, 1 << 20))
        if size > part.file_size:
            raise FileRefused("zip_bomb")
        data = inflater.unconsumed_tail


def _first_sheet(book: CalamineWorkbook, archive: zipfile.ZipFile) -> Sheet:
    visible = [
        m.name
        for m in book.sheets_metadata
        if m.visible == SheetVisibleEnum.Visible and m.typ == SheetTypeEnum.WorkSheet
    ]
    filled: list[str] = []
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            filled.append(name)
    if not filled:
        raise FileRefused("no_sheet")
    name = filled[0]
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > MAX_CELLS:
        raise FileRefused("zip_bomb")
    top = sheet.start[0] if sheet.start else 0
    left = sheet.start[1] if sheet.start else 0
    pad = ("",) * left
    rows = tuple(
        (top + i + 1, pad + tuple(map(cell_text, row))) for i, row in enumerate(sheet.to_python(skip_empty_area=True))
    )
    formulas = frozenset(_formulas(archive, _sheet_path(archive, name)))
    rows, taken = _unmerged(rows, sheet.merged_cell_ranges or ())
    formulas |= {(row, column) for (row, column), above in taken.items() if (above, column) in formulas}
    return Sheet(name, rows, formulas, tuple(filled[1:]), len(taken))


def _unmerged(rows: Rows, merged: Sequence[tuple[Place, Place]]) -> tuple[Rows, dict[Place, int]]:
    """The rows with the value of a cell that is merged downwards in each row that it stands in, as a person sees it; and of each cell that got one the
    row of the value. A row that has nothing of its own stays blank. A cell that is merged to the side stays where it is: it is a heading."""
    taken: dict[Place, int] = {}
    if not rows:
        return rows, taken
    top, made = rows[0][0], list(rows)
    own = [any(cells) for _, cells in rows]
    for (first, column), (last, _) in merged:
        start = first + 1 - top
        if (
            last == first
            or not 0 <= start < len(rows)
            or not rows[start][1][column : column + 1]
            or not rows[start][1][column]
        ):
            continue
        for at in range(start + 1, min(last + 2 - top, len(rows))):
            number, cells = made[at]
            if own[at] and not cells[column]:
                made[at] = (number, (*cells[:column], rows[start][1][column], *cells[column + 1 :]))
                taken[number, column] = rows[start][0]
    return tuple(made), taken


def cell_text(value: object) -> str:
    """A cell's value as a person would have typed it: whole floats without the point (phones come as floats), ISO
    dates."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)


def _sheet_path(archive: zipfile.ZipFile, name: str) -> str:
    """The part that holds the sheet (ECMA-376 part 1, 18.2.19: the sheet's r:id leads through the workbook's
    relations)."""
    workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relation = next(
        value
        for element in workbook.iter()
        if element.tag.endswith("}sheet") and element.get("name") == name
        for key, value in element.attrib.items()
        if key.endswith("}id")
    )
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(element.get("Target") for element in relations if element.get("Id") == relation)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _formulas(archive: zipfile.ZipFile, path: str) -> Iterator[tuple[int, int]]:
    with archive.open(path) as part:
        if not _has_formula(part):
            return
    with archive.open(path) as part:
        row = column = 0
        for event, element in ElementTree.iterparse(part, events=("start", "end"), forbid_dtd=True):
            tag = element.tag.rsplit("}", 1)[-1]
            if event == "start" and tag == "row":
                row, column = int(element.get("r") or row + 1), 0
            elif event == "start" and tag == "c":
                found = _REFERENCE.match(element.get("r") or "")
                column = _column_number(found[1]) if found else column + 1
            elif event == "end" and tag == "f":
                yield row, column - 1
            elif event == "end" and tag == "row":
                element.clear()


def _has_formula(part: IO[bytes]) -> bool:
    tail = b""
    while chunk := part.read(1 << 20):
        if _FORMULA_TAG.search(tail + chunk):
            return True
        tail = chunk[-64:]
    return False


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
