"""vCard and JSON Lines become rows like any other file's, and what people chose for columns is remembered."""

from datetime import date

import pytest

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
        (4, "broken_json"), (5, "broken_json"), (6, "broken_json"),
    ]  # fmt: skip


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
