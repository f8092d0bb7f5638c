"""The file of rejected rows: what it says, and that it comes back as it left, mended."""

from datetime import date

from libs.contracts.data import RejectedRow
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.records import ReadRows
from services.data.importing.domain.rows import read_rows
from services.gateway.domain.rejects import heading, line
from services.gateway.domain.spreadsheet import BOM, lines

HEADER = "company,name,mobile"
LIST = f"{HEADER}\nNajd,,0501234567\n=1+1,Sara,0551234567\nSama,Omar\nRowad,Hind,0561234567,too,many\n"


def _read(text: str) -> tuple[tuple[str, ...], ReadRows]:
    parsed = read_file(text.encode())
    return parsed.header, read_rows(parsed, source="own_crm", today=date(2026, 11, 21))


def _file(text: str) -> str:
    """The file of rejects that an import of this text gives."""
    header, read = _read(text)
    rows = [
        RejectedRow(row_number=r.row_number, field=r.field, code=r.code, en=r.en, ar=r.ar, raw=r.raw)
        for r in read.rejected
    ]
    return BOM + lines([heading(header), *(line(header, row) for row in rows)])


def test_nothing_of_a_file_of_rejects_is_imported_before_it_is_mended() -> None:
    _, again = _read(_file(LIST))
    assert again.leads == ()
    assert [r.code for r in again.rejected] == ["missing_name", "formula", "broken_row", "broken_row"]


def test_a_mended_file_of_rejects_is_imported() -> None:
    mended = (
        _file(LIST)
        .replace("Najd,,", "Najd,Ali,")
        .replace("'=1+1", "Waha")
        .replace("Sama,Omar", "Sama,Omar,0571234567")
        .replace(",too,many", "")
    )
    _, again = _read(mended)
    assert again.rejected == ()
    assert [lead.account.name for lead in again.leads] == ["Najd", "Waha", "Sama", "Rowad"]


def test_a_file_of_rejects_of_rejects_has_the_reasons_once() -> None:
    once, twice = _file(LIST), _file(_file(LIST))
    assert twice.splitlines()[0] == once.splitlines()[0] == f"{BOM}row,field,code,reason_en,reason_ar,{HEADER}"
    assert [row.partition("Najd")[2] for row in twice.splitlines()[1:2]] == [",,0501234567"]
