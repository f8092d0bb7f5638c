"""From the bytes of an uploaded file to its columns and rows, or the reason why the file is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from services.data.importing.domain.cards import HEADER, read_cards
from services.data.importing.domain.json_lines import read_json_lines
from services.data.importing.domain.mapping import check_choice, header_score, map_columns
from services.data.importing.domain.messages import FileRefused, say
from services.data.importing.domain.records import Column, ParsedFile, RowRejected, Said, SourceRow
from services.data.importing.domain.sniff import decode, file_kind
from services.data.importing.domain.table import DELIMITERS, Record, read_records, split_lines
from services.data.importing.domain.text import clean, fold, is_arabic
from services.data.importing.domain.workbook import read_workbook

MIB = 1024 * 1024
HEADER_WITHIN = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold at most. Bytes, rows, columns. `company`: its rows are leads, which need the name of a company.
    `unnamed`: it may have columns that nobody knows; its first row then names them."""

    file_bytes: int = 200 * MIB
    unpacked_bytes: int = 1500 * MIB
    rows: int = 1_000_000
    columns: int = 500
    company: bool = True
    unnamed: bool = False


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Choice:
    """Fields that people chose for columns: for this file, and for such files before."""

    mapping: Mapping[str, str]
    remembered: Mapping[str, str]

    def headers(self) -> frozenset[str]:
        """The columns that somebody chose a field for, folded."""
        return frozenset(fold(name) for name, field in self.mapping.items() if field) | frozenset(
            name for name, field in self.remembered.items() if field
        )

    def of(self, header: Sequence[str]) -> dict[str, str]:
        """What counts for the columns of this header, which the memory may know only in part."""
        known = {clean(name): self.remembered[fold(name)] for name in header if fold(name) in self.remembered}
        spoken = {fold(name) for name in self.mapping}
        taken = set(self.mapping.values()) - {"", "ignored"}
        kept = {name: field for name, field in known.items() if fold(name) not in spoken and field not in taken}
        return kept | dict(self.mapping)


def read_file(
    content: bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    remembered: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ParsedFile:
    """Read a CSV, XLSX, vCard or JSON Lines file whole. The file's name plays no part: content decides.

    `mapping` is the user's choice of fields, header to field; `remembered` what was chosen for such a list before, by folded header: it
    counts for the columns that the user says nothing of. Rows that cannot be read come back in `broken`; whatever
    damages the file as a whole raises FileRefused with its code and both languages.
    """
    if len(content) > limits.file_bytes:
        raise FileRefused("too_large", size=-(-len(content) // MIB), limit=limits.file_bytes // MIB)
    check_choice(mapping or {})
    chosen = Choice(mapping or {}, remembered or {})
    kind = file_kind(content)
    if kind == "xlsx":
        return _from_workbook(content, chosen, limits)
    if kind == "vcard":
        text, encoding = decode(content)
        return _from_records("vcard", encoding, HEADER, read_cards(text), chosen, limits)
    if kind == "jsonl":
        text, encoding = decode(content)
        header, records = read_json_lines(split_lines(text), limits.columns)
        if not header:
            raise FileRefused("not_a_table", kind=say("kind", "json"))
        return _from_records("jsonl", encoding, header, records, chosen, limits)
    return _from_text(content, chosen, limits)


def _from_records(
    kind: str,
    encoding: str,
    header: Sequence[str],
    records: Iterable[Record],
    chosen: Choice,
    limits: Limits,
) -> ParsedFile:
    """A file whose format names its columns, so that there is no header to look for."""
    columns = _columns(header, chosen, limits)
    code = "broken_card" if kind == "vcard" else "broken_json"
    rows, broken, blank = _sort_rows(records, len(header), limits, broken_code=code)
    return ParsedFile(kind, encoding, None, None, _language(columns), 0, columns, rows, broken, blank)


def _from_text(content: bytes, chosen: Choice, limits: Limits) -> ParsedFile:
    text, encoding = decode(content)
    lines = split_lines(text)
    if len(lines) and len(lines[0]) > 4096:
        _refuse_wide(max(lines[0].count(d) for d in DELIMITERS) + 1, limits)
    delimiter, header_index = _best_delimiter(lines, chosen.headers(), limits)
    header = next(islice(read_records(lines, delimiter), header_index, None))
    columns = _columns(header.cells, chosen, limits)
    width = len(header.cells)
    records = read_records(lines, delimiter, width, start=header.end, number=header.number)
    rows, broken, blank = _sort_rows(records, width, limits)
    return ParsedFile(
        "csv",
        encoding,
        delimiter,
        None,
        _language(columns),
        header.number,
        columns,
        rows,
        broken,
        blank,
        _skipped(header_index),
    )


def _best_delimiter(lines: Sequence[str], chosen: Collection[str], limits: Limits) -> tuple[str, int]:
    """The delimiter under which a row near the top names the most fields, and that row's index."""
    best = (0, 0, ",", 0)
    top = list(lines[: HEADER_WITHIN * 20])
    for order, delimiter in enumerate(DELIMITERS):
        for index, record in enumerate(islice(read_records(top, delimiter), HEADER_WITHIN)):
            best = max(best, (header_score(record.cells, chosen), -order * 100 - index, delimiter, index))
    if best[0] == 0 and limits.unnamed:
        return max(DELIMITERS, key=next((line for line in lines if line.strip()), "").count), 0
    if best[0] == 0:
        raise FileRefused("no_recognised_column")
    return best[2], best[3]


def _from_workbook(content: bytes, chosen: Choice, limits: Limits) -> ParsedFile:
    sheet = read_workbook(content, max_unpacked=limits.unpacked_bytes)
    near_top = sheet.rows[:HEADER_WITHIN]
    _refuse_wide(max(len(cells) for _, cells in near_top), limits)
    named = chosen.headers()
    scores = [header_score(cells, named) for _, cells in near_top]
    if not max(scores) and not limits.unnamed:
        raise FileRefused("no_recognised_column")
    header_index = scores.index(max(scores))
    number, header = sheet.rows[header_index]
    columns = _columns(header, chosen, limits)
    marked = ((row, _marked(row, cells, sheet.formulas)) for row, cells in sheet.rows[header_index + 1 :])
    records = (Record(row, cells if any(cells) else ()) for row, cells in marked)
    rows, broken, blank = _sort_rows(records, len(header), limits)
    notices = _skipped(header_index)
    if sheet.filled:
        notices += (say("note", "merged_cells", count=sheet.filled),)
    if sheet.others:
        notices += (say("note", "unread_sheets", sheet=sheet.name, others="، ".join(sheet.others)),)
    return ParsedFile(
        "xlsx", "xlsx", None, sheet.name, _language(columns), number, columns, rows, broken, blank, notices
    )


def _marked(row: int, cells: tuple[str, ...], formulas: frozenset[tuple[int, int]]) -> tuple[str, ...]:
    """A formula shows again as one: the workbook gave only the value it had when it was last saved."""
    if not formulas:
        return cells
    return tuple(f"={cell}" if (row, i) in formulas else cell for i, cell in enumerate(cells))


def _columns(header: Sequence[str], chosen: Choice, limits: Limits) -> tuple[Column, ...]:
    _refuse_wide(len(header), limits)
    return map_columns(
        [clean(cell) for cell in header], chosen.of(header), company=limits.company, unnamed=limits.unnamed
    )


def _sort_rows(
    records: Iterable[Record], width: int, limits: Limits, *, broken_code: str = "broken_quotes"
) -> tuple[tuple[SourceRow, ...], tuple[RowRejected, ...], int]:
    rows: list[SourceRow] = []
    broken: list[RowRejected] = []
    blank = 0
    for record in records:
        cells = record.cells
        if not cells and not record.broken:
            blank += 1
        elif record.broken:
            said = say("row", broken_code)
            broken.append(RowRejected(record.number, "", said.code, said.en, said.ar, cells))
        elif len(cells) == width or (len(cells) > width and not any(cells[width:])):
            rows.append(SourceRow(record.number, cells[:width]))
        else:
            said = say("row", "broken_row", found=len(cells), expected=width)
            broken.append(RowRejected(record.number, "", said.code, said.en, said.ar, cells))
        if len(rows) + len(broken) > limits.rows:
            raise FileRefused("too_many_rows", limit=limits.rows)
    if not rows and not broken:
        raise FileRefused("no_rows")
    return tuple(rows), tuple(broken), blank


def _refuse_wide(count: int, limits: Limits) -> None:
    if count > limits.columns:
        raise FileRefused("too_many_columns", count=count, limit=limits.columns)


def _language(columns: Sequence[Column]) -> str:
    arabic = sum(1 for column in columns if is_arabic(column.header))
    named = sum(1 for column in columns if column.header)
    return "ar" if arabic == named else "en" if arabic == 0 else "mixed"


def _skipped(header_index: int) -> tuple[Said, ...]:
    return (say("note", "skipped_lines", count=header_index),) if header_index else ()
