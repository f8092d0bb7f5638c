"""Which files are read, in which encodings, and which are refused, each with its reason in both languages."""

import io
import string
import struct
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.importing.domain.detect import Limits, read_file
from services.data.importing.domain.mapping import fields, map_columns, recognise
from services.data.importing.domain.messages import FileRefused, codes, say
from services.data.importing.domain.records import ParsedFile
from services.data.importing.domain.table import MAX_LINES_PER_ROW, read_records, split_lines
from services.data.importing.domain.vocabulary import load

ARABIC = "اسم الشركة,الاسم,الجوال,البريد الإلكتروني\nشركة نجد,محمد العتيبي,0501234567,m@najd.example\n"


def workbook(*rows: tuple[object, ...], sheets: dict[str, list[tuple[object, ...]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    for row in rows:
        first.append(row)
    for name, content in (sheets or {}).items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refusal(content: bytes, **options: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read_file(content, **options)  # type: ignore[arg-type]  # each test passes the options it is about
    assert caught.value.en
    assert caught.value.ar
    assert "{" not in caught.value.en + caught.value.ar
    return caught.value


def cells(parsed: ParsedFile) -> list[tuple[str, ...]]:
    return [row.cells for row in parsed.rows]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("windows-1256", "windows-1256"),
    ],
)
def test_arabic_is_read_in_every_encoding_that_lists_come_in(encoding: str, named: str) -> None:
    parsed = read_file(ARABIC.encode(encoding))
    assert parsed.encoding == named
    assert cells(parsed) == [("شركة نجد", "محمد العتيبي", "0501234567", "m@najd.example")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    text = "company,name,notes\nNajd,Ali,hello\n".replace(",", delimiter)
    assert cells(read_file(text.encode())) == [("Najd", "Ali", "hello")]


def test_a_semicolon_file_with_decimal_commas_is_not_split_at_commas() -> None:
    assert cells(read_file(b"company;name;value\nNajd;Ali;1,5\nRowad;Sara;2,5\n"))[0] == ("Najd", "Ali", "1,5")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"  \n\n ", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"company,name\n", "no_rows"),
        (b"company,name\n,,\n\n", "no_rows"),
        (b"%PDF-1.7\n1 0 obj", "not_a_table"),
        (b"\n\n%PDF-1.7\ncompany,name\nx,y", "not_a_table"),
        (b"\x89PNG\r\n\x1a\n....", "not_a_table"),
        (b"\xff\xd8\xff\xe0....", "not_a_table"),
        (b"\x1f\x8b\x08....", "not_a_table"),
        (b"\x7fELF....", "not_a_table"),
        (b"<!DOCTYPE html><table>", "not_a_table"),
        (b'[{"company": "Najd"}]', "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old_excel"),
        (b"PK\x03\x04 not really", "broken_workbook"),
        (bytes(range(256)) * 20, "not_a_table"),
        (b"foo,bar\n1,2\n", "no_recognised_column"),
        (b"name,email\nAli,a@b.example\n", "no_company_column"),
    ],
)
def test_what_is_no_list_of_leads_is_refused_whatever_it_is_called(content: bytes, code: str) -> None:
    assert refusal(content).code == code


def test_a_file_over_the_limit_is_refused_before_it_is_read() -> None:
    assert refusal(ARABIC.encode(), limits=Limits(file_bytes=50)).code == "too_large"
    assert Limits().file_bytes == 200 * 1024 * 1024


def test_ten_thousand_columns_are_refused() -> None:
    wide = ("company,name," + ",".join(f"c{i}" for i in range(10_000)) + "\n").encode()
    assert refusal(wide + b"x,y\n").code == "too_many_columns"
    assert refusal(workbook(("company", *(f"c{i}" for i in range(10_000))), ("x",))).code == "too_many_columns"


def test_too_many_rows_are_refused() -> None:
    assert refusal(b"company\n" + b"x\n" * 11, limits=Limits(rows=10)).code == "too_many_rows"


def test_a_wrong_encoding_is_refused_and_not_guessed() -> None:
    assert refusal(ARABIC.encode("iso-8859-6")).code == "wrong_encoding"
    assert refusal("company,name\nNajd,Жуков Петрович\nПривет,Иван\n".encode("koi8-r")).code == "wrong_encoding"


def test_damaged_utf8_is_refused_with_the_line() -> None:
    content = ARABIC.encode() + "شركة رواد,سارة".encode()[:-1] + b",1,2\n"
    error = refusal(content)
    assert error.code == "damaged_encoding"
    assert "3" in error.en
    assert "3" in error.ar


# -- workbooks ---------------------------------------------------------------------------------------------------------


def test_a_workbook_gives_phones_as_typed_and_dates_as_dates() -> None:
    content = workbook(
        ("company", "mobile", "date", "value", "active"), ("Najd", 501234567.0, date(2026, 3, 5), 1250.5, True)
    )
    assert cells(read_file(content)) == [("Najd", "501234567", "2026-03-05", "1250.5", "true")]


def test_a_workbook_keeps_spreadsheet_row_numbers_below_a_title() -> None:
    parsed = read_file(workbook(("قائمة العملاء",), (), ("company", "name"), ("Najd", "Ali"), (), ("Rowad", "Sara")))
    assert [row.row_number for row in parsed.rows] == [4, 6]
    assert [notice.code for notice in parsed.notices] == ["skipped_lines"]


def test_a_formula_shows_as_one_although_the_workbook_has_its_value() -> None:
    parsed = read_file(
        workbook(("company", "name", "value"), ("Najd", "Ali", "=1+1"), ("Rowad", '=HYPERLINK("http://x","y")', 5))
    )
    assert cells(parsed)[0][2].startswith("=")
    assert cells(parsed)[1][1].startswith("=")
    assert cells(parsed)[1][2] == "5"


def test_other_sheets_are_named_and_not_silently_left_out() -> None:
    parsed = read_file(workbook(("company", "name"), ("Najd", "Ali"), sheets={"Old": [("company",), ("x",)]}))
    assert [notice.code for notice in parsed.notices] == ["unread_sheets"]
    assert "Old" in parsed.notices[0].ar


def test_a_workbook_without_data_is_refused() -> None:
    assert refusal(workbook()).code == "no_sheet"


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("leads.csv", "company,name\nNajd,Ali\n")
    assert refusal(out.getvalue()).code == "not_a_table"


def test_a_zip_bomb_is_refused() -> None:
    bomb = repacked(workbook(("company",), ("x",)), "xl/worksheets/sheet1.xml", b" " * (80 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    assert refusal(bomb).code == "zip_bomb"


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    honest = repacked(workbook(("company",), ("x",)), "xl/worksheets/sheet1.xml", b" " * (8 * 1024 * 1024))
    size = struct.pack("<I", 8 * 1024 * 1024)
    assert honest.count(size) >= 2
    assert refusal(honest.replace(size, struct.pack("<I", 1000))).code in ("zip_bomb", "broken_workbook")
    with pytest.raises(FileRefused, match="unpacks"):
        read_file(honest.replace(size, struct.pack("<I", 1000)))


def test_a_damaged_workbook_is_refused() -> None:
    content = workbook(("company", "name"), ("Najd", "Ali"))
    assert refusal(content[: len(content) // 2]).code == "broken_workbook"
    assert refusal(repacked(content, "xl/worksheets/sheet1.xml", b"<worksheet><row>")).code in (
        "broken_workbook",
        "no_sheet",
    )


def test_an_entity_bomb_in_a_workbook_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;<f >1</f></worksheet>'
    assert refusal(repacked(workbook(("company",), ("x",)), "xl/worksheets/sheet1.xml", bomb)).code in (
        "broken_workbook",
        "no_sheet",
    )


def repacked(content: bytes, part: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            target.writestr(info.filename, data if info.filename == part else source.read(info))
    return out.getvalue()


# -- broken rows -------------------------------------------------------------------------------------------------------


def test_a_broken_line_costs_that_line_only() -> None:
    text = 'company,name,notes\nNajd,Ali,"two\nlines"\nRowad,"Sara,open\nSama,Omar,fine\nhalf,row\nBayan,Reem,x,surplus\nWaha,Huda,y\n'
    parsed = read_file(text.encode())
    assert [row.cells[0] for row in parsed.rows] == ["Najd", "Sama", "Waha"]
    assert [(broken.row_number, broken.code) for broken in parsed.broken] == [
        (3, "broken_quotes"),
        (5, "broken_row"),
        (6, "broken_row"),
    ]
    assert parsed.broken[1].raw == ("half", "row")


def test_a_quotation_mark_that_a_later_line_closes_swallows_nothing() -> None:
    text = 'company,name,notes\nRowad,"Sara,open\nSama,Omar,end"\nBayan,Reem,x\n'
    parsed = read_file(text.encode())
    assert cells(parsed) == [("Sama", "Omar", 'end"'), ("Bayan", "Reem", "x")]
    assert [(broken.row_number, broken.code) for broken in parsed.broken] == [(2, "broken_quotes")]


def test_an_unclosed_mark_at_the_top_does_not_eat_the_file() -> None:
    lines = "".join(f"Company {i},Ali,x\n" for i in range(3 * MAX_LINES_PER_ROW))
    parsed = read_file(f'company,name,notes\nNajd,"Sara,open\n{lines}'.encode())
    assert len(parsed.rows) == 3 * MAX_LINES_PER_ROW
    assert [broken.row_number for broken in parsed.broken] == [2]


def test_surplus_cells_that_are_empty_are_no_damage() -> None:
    assert cells(read_file(b"company,name\nNajd,Ali,,\n")) == [("Najd", "Ali")]


@given(st.lists(st.text(alphabet='ab",\n x', max_size=30), min_size=1, max_size=12))
def test_no_line_is_lost_whatever_is_in_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    physical = split_lines(text)
    taken = list(read_records(physical, ",", 3))
    assert (taken[-1].end if taken else 0) == len(physical)
    assert [record.number for record in taken] == list(range(1, len(taken) + 1))


# -- headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("اسم الشركة", "company"), ("إسم الشركه", "company"), ("Company Name", "company"), ("COMPANY_NAME", "company"), ("المنشأة", "company"),
        ("الجوال", "phone"), ("رقم الجوال", "phone"), ("Mobile No", "phone"), ("البريد الالكتروني", "email"), ("E-mail", "email"),
        ("المسمى الوظيفي", "title"), ("السجل التجاري", "cr"), ("Opt-Out", "opted_out"), ("WhatsApp Opt-in", "whatsapp_opt_in"),
        ("القيمة التقديرية (ريال)", "estimated_value"), ("المصدر", "source"), ("compny name", "company"),
    ],
)  # fmt: skip
def test_headers_are_recognised_in_both_languages_and_with_slips(header: str, field: str) -> None:
    found, confidence, _ = recognise(header)
    assert found == field
    assert 0.88 <= confidence <= 1


@pytest.mark.parametrize("header", ["", "xyz", "لون السيارة", "favourite colour", "note2self"])
def test_an_unknown_header_is_left_alone(header: str) -> None:
    assert recognise(header)[0] is None


def test_of_two_claims_to_one_field_the_better_wins() -> None:
    columns = map_columns(["Company", "Tel", "Mobile"])
    assert [column.field for column in columns] == ["company", None, "phone"]


def test_the_user_decides_which_column_feeds_which_field() -> None:
    columns = map_columns(["A", "Company", "Client"], {"A": "email", "Company": "", "Client": "company"})
    assert [column.field for column in columns] == ["email", None, "company"]


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"Nowhere": "email"}, ("nowhere", "Company, Name")),
        ({"Company": "shoe size"}, ("shoe size", "full_name")),
        ({"Company": "company", "Name": "company"}, ("Company", "Name")),
    ],
)
def test_a_mapping_to_nowhere_is_refused_and_says_what_there_is(
    mapping: dict[str, str], named: tuple[str, ...]
) -> None:
    refused = refusal(b"Company,Name\nNajd,Ali\n", mapping=mapping)
    assert refused.code == "bad_mapping"
    assert all(word in refused.en for word in named) and refused.ar != refused.en


def test_what_a_person_says_now_counts_before_what_was_remembered() -> None:
    content = b"Firm A,Firm B,Name\nNajd,Ofoq,Ali\n"
    read = read_file(content, mapping={"Firm B": "company"}, remembered={"firm a": "company"})
    assert read.mapping["company"] == 1 and read.columns[0].field is None


def test_every_name_of_every_field_leads_to_that_field() -> None:
    wrong = {
        name: recognise(name)[0]
        for field in fields()
        for name in load("fields")[field]["names"]
        if recognise(name)[0] != field
    }
    assert wrong == {}


def test_every_message_has_both_languages_with_the_same_blanks() -> None:
    for group, entries in load("messages").items():
        assert codes(group) == set(entries)
        for code, entry in entries.items():
            assert set(entry) == {"en", "ar"}, (group, code)
            assert blanks(entry["en"]) == blanks(entry["ar"]), (group, code)
            assert say(group, code, **dict.fromkeys(blanks(entry["en"]), "x")).ar


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_columns_that_a_person_chose_are_found_where_no_heading_is_known() -> None:
    text = "list of the fair\nالعميل الكريم;تلفونه\nشركة الغيم;0501239876\n".encode()
    assert refusal(text).code == "no_recognised_column"
    parsed = read_file(text, mapping={"العميل الكريم": "company", "تلفونه": "phone"})
    assert (parsed.delimiter, cells(parsed)) == (";", [("شركة الغيم", "0501239876")])
    book = workbook(("list of the fair",), ("العميل الكريم", "تلفونه"), ("شركة الغيم", 501239876))
    assert read_file(book, mapping={"العميل الكريم": "company"}).header_row == 2
    assert read_file(text, remembered={"العميل الكريم": "company"}).header_row == 2
