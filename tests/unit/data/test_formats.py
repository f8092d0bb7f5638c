"""vCard and JSON Lines become rows like any other file's, and what people chose for columns is remembered."""

import io
import re
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from services.data.importing.domain.detect import read_file
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.records import ReadRows
from services.data.importing.domain.rows import read_rows

CARDS = """BEGIN:VCARD
VERSION:3.0
FN:نورة القحطاني
ORG:شركة رمال للمقاولات;المشتريات
TITLE:مديرة المشتريات
TEL;TYPE=WORK,VOICE:+966 11 234 5678
TEL;TYPE=CELL:+966 50 123 4567
EMAIL;TYPE=INTERNET:noura@rimal.example
ADR;TYPE=WORK:;;شارع العليا;الرياض;;;السعودية
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQEASABIAAD
 2wBDAP//////////////////////////
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D8=A7=D9=84=D8=B9=D8=AA=D9=8A=D8=A8=D9=8A;=D8=B3=D8=B9=D8=AF
ORG:Qimam Energy
TEL;CELL:0551234567
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Nobody's company
TEL:0551234568
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:cut off
"""


def rows(content: bytes) -> ReadRows:
    return read_rows(read_file(content), source="own_crm", today=date(2026, 11, 21))


def test_a_card_becomes_a_row_with_its_mobile_number_first() -> None:
    read = rows(CARDS.encode())
    first, second = read.leads
    assert (first.account.name, first.contact.full_name, first.contact.title) == (
        "شركة رمال للمقاولات", "نورة القحطاني", "مديرة المشتريات",
    )  # fmt: skip
    assert (first.contact.phone_e164, first.account.phone_e164) == ("+966501234567", "+966112345678")
    assert (first.account.city, first.contact.email) == ("riyadh", "noura@rimal.example")
    assert (second.contact.full_name, second.contact.phone_e164) == ("سعد العتيبي", "+966551234567")


def test_a_card_without_a_company_and_a_card_cut_off_are_rejected_alone() -> None:
    assert [(one.row_number, one.code) for one in rows(CARDS.encode()).rejected] == [
        (3, "missing_company"),
        (4, "broken_card"),
    ]


def test_lines_of_json_need_not_have_the_same_keys() -> None:
    text = (
        '{"company": "Sanam Foods", "mobile": "0501234567", "name": "Ali"}\n'
        '{"name": "سارة", "company": "شركة نجد", "email": "sara@najd.example", "employees": 40}\n'
        "\n"
        '{"company": "Nested", "name": {"first": "A"}}\n'
        '["company"]\n'
        '{"company": "Half", "na\n'
    )
    read = rows(text.encode())
    assert [(one.row_number, one.account.name) for one in read.leads] == [(1, "Sanam Foods"), (2, "شركة نجد")]
    assert read.leads[1].account.employees == 40
    assert [(one.row_number, one.code) for one in read.rejected] == [
        (4, "missing_name"), (5, "broken_json"), (6, "broken_json"),
    ]  # fmt: skip


def test_what_is_nested_in_a_line_of_json_has_columns_of_its_own_and_costs_nothing_beside() -> None:
    text = (
        '{"company": {"name": "Sanam"}, "full_name": "Ali", "custom": {"tier": "gold", "a": {"b": {"c": {"d": {"e": 1}}}}}, "tags": ["x"], "no": {}}\n'
        '{"company": "Rimal", "full_name": "Sara", "phone": ["0501234567"]}\n'
    )
    parsed = read_file(text.encode())
    assert [one.header for one in parsed.columns][:5] == [
        "company.name",
        "full_name",
        "custom.tier",
        "custom.a.b.c.d",
        "tags",
    ]
    assert parsed.rows[0].cells[2:5] == ("gold", '{"e": 1}', '["x"]')
    read = rows(text.encode())
    assert [one.account.name for one in read.leads] == ["Rimal"], "of two columns for the company the plainer counts"
    assert [one.account.name for one in rows(text.splitlines()[0].encode()).leads] == ["Sanam"]
    (listed,) = rows(b'{"company": "Rimal", "full_name": "Sara", "phone": ["0501234567"]}').leads
    assert listed.contact.phone_e164 is None and [note.code for note in listed.notes] == ["invalid_phone"]


def test_a_number_written_as_a_uri_is_a_number() -> None:
    card = (
        "BEGIN:VCARD\nVERSION:4.0\nFN:Ali\nORG:Rimal\nTEL;VALUE=uri;TYPE=cell:tel:+966-50-123-4567;ext=5\nEND:VCARD\n"
    )
    (lead,) = rows(card.encode()).leads
    assert (lead.contact.phone_e164, lead.notes) == ("+966501234567", ())


def _book(*lines: tuple[object, ...], merged: tuple[str, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    for line in lines:
        sheet.append(line)
    for area in merged:
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_cell_merged_downwards_counts_in_each_of_its_rows_and_that_is_said() -> None:
    content = _book(
        ("قائمة المعرض",), ("اسم الشركة", "التواصل", None), (None, "الاسم", "الجوال"), ("سما", "علي", 966501234567.0), (None, "سالم", "0501234568"),
        (None, None, None), ("قمة", "ريم", "0501234569"), (None, "فهد", "0501234570"),
        merged=("A1:C1", "A2:A3", "B2:C2", "A4:A6"),
    )  # fmt: skip
    parsed = read_file(content)
    assert parsed.mapping == {"company": 0, "full_name": 1, "phone": 2}
    assert "merged_cells" in [said.code for said in parsed.notices]
    read = rows(content)
    assert [(one.account.name, one.contact.full_name) for one in read.leads] == [
        ("سما", "علي"),
        ("سما", "سالم"),
        ("قمة", "ريم"),
    ]
    assert [(one.row_number, one.code) for one in read.rejected] == [(8, "missing_company")], (
        "a blank cell that nobody merged"
    )


def test_a_formula_in_a_merged_cell_is_one_in_each_of_its_rows() -> None:
    content = io.BytesIO(_book(("company", "name"), ('="Najd"', "Ali"), (None, "Sara"), merged=("A2:A3",)))
    saved = io.BytesIO()
    with zipfile.ZipFile(content) as archive, zipfile.ZipFile(saved, "w") as to:
        for name in archive.namelist():  # with the value that Excel keeps beside a formula
            to.writestr(name, re.sub(rb"(</f>)<v ?/>|(</f>)<v></v>", rb"</f><v>1</v>", archive.read(name)))
    read = rows(saved.getvalue())
    assert (read.leads, [one.code for one in read.rejected]) == ((), ["formula", "formula"])


@pytest.mark.parametrize("text", ["501234567.0", "966501234567.0", "٩٦٦٥٠١٢٣٤٥٦٧.0"])
def test_a_phone_that_a_program_took_for_an_amount_is_a_phone(text: str) -> None:
    (lead,) = rows(f"company,name,mobile\nRimal,Ali,{text}\n".encode()).leads
    assert lead.contact.phone_e164 == "+966501234567"


@pytest.mark.parametrize("text", ["9.66501E+11", "501234567.5", "5012.0", "050.123.0"])
def test_what_lost_its_digits_is_not_guessed(text: str) -> None:
    (lead,) = rows(f"company,name,mobile\nRimal,Ali,{text}\n".encode()).leads
    assert lead.contact.phone_e164 is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{" * 200_000, "not_a_table"),
        (b'[{"company": "x"}]', "not_a_table"),
        (("{" + ",".join(f'"k{n}": 1' for n in range(2000)) + "}").encode(), "too_many_columns"),
        (b'{"foo": 1}', "no_recognised_column"),
    ],
)
def test_json_that_is_no_list_of_leads_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(content)
    assert refused.value.code == code


def test_what_was_chosen_for_a_column_before_counts_until_somebody_chooses_again() -> None:
    text = b"company,stuff,name\nRimal,0501234567,Ali\n"
    before = {"stuff": "phone"}
    assert read_file(text, remembered=before).mapping["phone"] == 1
    assert "phone" not in read_file(text).mapping
    assert read_file(text, remembered=before, mapping={"stuff": "notes"}).mapping["notes"] == 1
    assert "phone" not in read_file(b"company,name\nRimal,Ali\n", remembered=before).mapping
