"""One row in, one typed lead or one rejection out: nothing mended in silence."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.catalogue.sources import Handling, sources
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.records import ConsentClaim, LeadRow, OptOut, ReadRows
from services.data.importing.domain.rows import read_rows

TODAY = date(2026, 11, 21)
HEADER = "company,name,mobile,email,source,opted_out,whatsapp_opt_in,whatsapp_opt_in_at,email_opt_in,email_opt_in_at,value,notes,cr,city"


def rows_of(*lines: str, source: str = "own_crm", header: str = HEADER) -> ReadRows:
    width = header.count(",")
    padded = [line + "," * (width - line.count(",")) for line in lines]
    return read_rows(read_file("\n".join([header, *padded]).encode()), source=source, today=TODAY)


def one(line: str, **options: str) -> LeadRow:
    read = rows_of(line, **options)
    assert not read.rejected, read.rejected
    return read.leads[0]


def test_a_row_becomes_a_typed_lead() -> None:
    lead = one(
        'شركة نجد للتقنية,محمد العتيبي,٠٥٠١٢٣٤٥٦٧,M@Najd.Example,نموذج الموقع,لا,نعم,1447/9/16,yes,2026-03-05,"25,000 ريال",طلب عرض سعر,1010123456,جدة'
    )
    assert (lead.account.name, lead.account.name_ar, lead.account.cr, lead.account.domain) == (
        "شركة نجد للتقنية",
        "شركة نجد للتقنية",
        "1010123456",
        "najd.example",
    )
    assert (lead.account.city, lead.account.region) == ("jeddah", "makkah")
    assert (lead.contact.phone_e164, lead.contact.email, lead.contact.opted_out) == (
        "+966501234567",
        "M@najd.example",
        OptOut.NO,
    )
    assert lead.contact.consents == (
        ConsentClaim("whatsapp", True, date(2026, 3, 5), None),
        ConsentClaim("email", True, date(2026, 3, 5), None),
    )
    assert (lead.lead.source, lead.lead.collected_directly, lead.lead.estimated_value) == (
        "website_form",
        True,
        Decimal("25000.00"),
    )
    assert (lead.notes, lead.review, lead.block) == ((), (), ())


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (",Ali,0501234567", "company", "missing_company"),
        ("-,Ali,0501234567", "company", "missing_company"),
        ("غير معروف,Ali,0501234567", "company", "missing_company"),
        ("Najd,,0501234567", "full_name", "missing_name"),
        ("Najd,N/A,0501234567", "full_name", "missing_name"),
        ("Najd,Ali,0501234567,a@b.example,scraped", "source", "source_refused"),
        ("Najd,Ali,0501234567,a@b.example,كشط", "source", "source_refused"),
        ("Najd,=1+1,0501234567", "full_name", "formula"),
        ('"=HYPERLINK(""http://evil.example"")",Ali,0501234567', "company", "formula"),
        ("@SUM(A1),Ali,0501234567", "company", "formula"),
        ("Najd,-2+3+cmd|' /C calc'!A0,0501234567", "full_name", "formula"),
        ("Najd,+1+2,0501234567", "full_name", "formula"),
        ("Najd,Ali,=0501234567", "phone", "formula"),
        ("Najd,  =1+1,0501234567", "full_name", "formula"),
        ("Najd,＝1+1,0501234567", "full_name", "formula"),
        ('"\tNajd",Ali,0501234567', "company", "formula"),
        ('"\rNajd",Ali,0501234567', "company", "formula"),
        ("Najd,A\x00li,0501234567", "full_name", "control_characters"),
        ("Najd,Al\ufffd,0501234567", "full_name", "control_characters"),
        ("#REF!,Ali,0501234567", "company", "excel_error"),
        ("Najd,Ali,#N/A", "phone", "excel_error"),
        ("Najd," + "x" * 10_001, "full_name", "too_long"),
    ],
)
def test_a_damaged_row_is_rejected_with_its_field_and_reason(line: str, field: str, code: str) -> None:
    read = rows_of(line, "Rowad,Sara,0551234567")
    assert len(read.leads) == 1
    (rejection,) = read.rejected
    assert (rejection.row_number, rejection.field, rejection.code) == (2, field, code)
    assert all((rejection.en, rejection.ar, rejection.raw))


@pytest.mark.parametrize("phone", ["+966501234567", "+966 50 123 4567", "＋966501234567".replace("＋", "+")])
def test_a_phone_that_begins_with_a_plus_is_no_formula(phone: str) -> None:
    assert one(f"Najd,Ali,{phone}").contact.phone_e164 == "+966501234567"


@pytest.mark.parametrize("cell", ["'=1+1", "'@SUM(A1)", "'+cmd", "'-2+3", "' =1+1".replace("' ", " '")])
def test_the_apostrophe_of_our_own_files_does_not_turn_a_formula_into_a_name(cell: str) -> None:
    (rejection,) = rows_of(f"Najd,{cell},0501234567", "Rowad,Sara,0551234567").rejected
    assert (rejection.field, rejection.code) == ("full_name", "formula")


@pytest.mark.parametrize("phone", ["'0501234567", "'+966501234567", "'966501234567"])
def test_a_phone_kept_as_text_by_an_apostrophe_is_read(phone: str) -> None:
    assert one(f"Najd,Ali,{phone}").contact.phone_e164 == "+966501234567"


def test_a_name_with_an_apostrophe_is_a_name() -> None:
    assert one("O'Hara Trading,'Abd al-Rahman,0501234567").contact.full_name == "'Abd al-Rahman"


def test_a_bad_phone_with_a_plus_is_a_bad_phone_and_no_formula() -> None:
    assert [note.code for note in one("Najd,Ali,+12,a@b.example").notes] == ["invalid_phone"]


@pytest.mark.parametrize("note", ["-", "--", "-5", "call +966501234567 - urgent", "a=b", "me@x.example"])
def test_harmless_cells_are_no_formulas(note: str) -> None:
    assert one(f"Najd,Ali,0501234567,,,,,,,,,{note}").lead.notes == note


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("Najd,Ali,05012,ali@najd.example", ["invalid_phone"]),
        ("Najd,Ali,0501234567,ali@najd", ["invalid_email"]),
        ("Najd,Ali,0501234567,,,,,,,,$500", ["invalid_amount"]),
        ("Najd,Ali,0501234567,,,,,,,,,,123", ["invalid_cr"]),
        ("Najd,Ali,0501234567,,,,yes,2027-01-01", ["future_date", "consent_without_date"]),
        ("Najd,Ali,0501234567,,,,yes,soon", ["invalid_date", "consent_without_date"]),
        ("Najd,Ali,0501234567,,,,perhaps,2026-01-01", ["unclear_consent"]),
    ],
)
def test_what_is_left_out_of_a_row_is_noted(line: str, codes: list[str]) -> None:
    lead = one(line)
    assert [note.code for note in lead.notes] == codes
    assert all(note.en and note.ar for note in lead.notes)


@pytest.mark.parametrize("answer", ["yes", "نعم", "1", "opted out", "TRUE", "لا ترسل"])
def test_an_opted_out_row_is_blocked(answer: str) -> None:
    lead = one(f"Najd,Ali,0501234567,a@b.example,own_crm,{answer}")
    assert lead.contact.opted_out is OptOut.YES
    assert [said.code for said in lead.block] == ["opted_out"]


@pytest.mark.parametrize("answer", ["maybe", "-", "ربما", "?"])
def test_an_unclear_opt_out_waits_for_a_person(answer: str) -> None:
    lead = one(f"Najd,Ali,0501234567,a@b.example,own_crm,{answer}")
    assert [said.code for said in lead.review] == ["unclear_opt_out"]


@pytest.mark.parametrize("source", ["purchased", "unknown", "cold list", "قائمة مشتراة", "Facebook?"])
def test_a_doubtful_source_waits_for_a_person(source: str) -> None:
    assert [said.code for said in one(f"Najd,Ali,0501234567,a@b.example,{source}").review] == ["source_needs_review"]


@pytest.mark.parametrize(
    ("of_file", "of_row", "counts"),
    [
        ("own_crm", "purchased", "purchased"),
        ("own_crm", "referral", "referral"),
        ("purchased", "event", "purchased"),
        ("purchased", "own_crm", "purchased"),
        ("purchased", "who knows", "purchased"),
        ("unknown", "website_form", "unknown"),
        ("unknown", "cold list", "cold_list"),
        ("cold_list", "referral", "cold_list"),
        ("opted_out", "own_crm", "opted_out"),
        ("opted_out", "purchased", "opted_out"),
        ("own_crm", "website_form", "website_form"),
        ("purchased", "", "purchased"),
    ],
)
def test_of_the_row_s_source_and_the_file_s_the_stricter_counts(of_file: str, of_row: str, counts: str) -> None:
    row = one(f"Najd,Ali,0501234567,,{of_row}", source=of_file)
    assert row.lead.source == counts
    handling = sources()[counts].handling
    assert bool(row.block) is (handling is Handling.BLOCK)
    assert ("source_needs_review" in [said.code for said in row.review]) is (handling is Handling.REVIEW)


def test_no_word_in_a_cell_lifts_a_suppression_list() -> None:
    row = one("Najd,Ali,0501234567,a@b.example,own_crm", source="opted_out")
    assert [said.code for said in row.block] == ["source_blocked"]


@pytest.mark.parametrize(
    ("of_file", "of_row"), [("referral", "event"), ("event", "referral"), ("purchased", "own_crm")]
)
def test_where_either_source_is_indirect_the_person_has_to_be_told(of_file: str, of_row: str) -> None:
    assert one(f"Najd,Ali,0501234567,,{of_row}", source=of_file).lead.collected_directly is False


def test_a_file_from_a_refused_source_is_refused_whole() -> None:
    with pytest.raises(FileRefused) as caught:
        rows_of("Najd,Ali,0501234567,,own_crm", source="scraped")
    assert caught.value.code == "source_refused"


def test_a_row_without_phone_or_email_waits_for_a_person() -> None:
    assert [said.code for said in one("Najd,Ali").review] == ["no_identifier"]
    assert [said.code for said in one("Najd,Ali,12345").review] == ["no_identifier"]


def test_a_consent_cell_may_be_its_own_date_but_not_a_future_one() -> None:
    assert one("Najd,Ali,0501234567,,,,2026-03-05").contact.consents == (
        ConsentClaim("whatsapp", True, date(2026, 3, 5), None),
    )
    assert one("Najd,Ali,0501234567,,,,2027-03-05").contact.consents == ()


def test_a_list_of_companies_without_people_needs_no_names() -> None:
    lead = one("Najd,info@najd.example", header="company,email")
    assert lead.contact.full_name is None


def test_a_name_in_two_columns_is_joined() -> None:
    assert one("Najd,Ali,Hassan", header="company,first name,last name").contact.full_name == "Ali Hassan"


def test_the_fingerprint_ignores_column_order_and_spacing_but_no_value() -> None:
    first = one("Najd,Ali,0501234567", header="company,name,mobile")
    second = one("0501234567 ,  Ali,Najd", header="الجوال,الاسم,الشركة")
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != one("Najd,Ali,0501234568", header="company,name,mobile").fingerprint
    assert first.fingerprint != one("Najd,Ali,0501234567", header="company,name,mobile", source="event").fingerprint


# -- round trips -------------------------------------------------------------------------------------------------------

LATIN = st.text(alphabet="abcdefg '\",;\n", min_size=1, max_size=25)
ARABIC = st.text(alphabet="ابتثجحخ '\"،,;\n", min_size=1, max_size=25)
NAMES = (LATIN | ARABIC).filter(lambda text: any(c.isalpha() for c in text))


@settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=8), st.sampled_from(["utf-8", "utf-16", "windows-1256"]))
def test_what_is_written_as_csv_is_read_as_it_was(people: list[tuple[str, str]], encoding: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["اسم الشركة", "الاسم", "الجوال"])
    for company, name in people:
        writer.writerow([company, name, "0501234567"])
    parsed = read_file(out.getvalue().encode(encoding))
    assert [row.cells[:2] for row in parsed.rows] == [tuple(person) for person in people]
    assert not parsed.broken
