"""Phones, emails, domains, registration numbers, amounts and headcounts."""

from decimal import Decimal

import email_validator
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.importing.domain import values

FILLING = st.sampled_from(["", " ", "-", " - ", ".", "("])
PREFIX = st.sampled_from(["+966", "00966", "966", "0", "", "+9660", "9660", "+971", "00971", "+", "05"])


def by_library(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, "SA")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=400)
@given(
    prefix=PREFIX,
    digits=st.integers(0, 10**10 - 1),
    width=st.integers(6, 10),
    first=st.sampled_from(["5", "1", "8", "9", ""]),
)
def test_the_phone_fast_path_agrees_with_the_library(prefix: str, digits: int, width: int, first: str) -> None:
    text = f"{prefix}{first}{str(digits).zfill(10)[:width]}"
    assert values.phone(text) == by_library(text)


@settings(max_examples=300)
@given(line=st.integers(0, 99_999_999), prefix=st.sampled_from(["+966", "00966", "966", "0", ""]), gap=FILLING)
def test_filled_and_arabic_written_mobiles_agree_with_the_library(line: int, prefix: str, gap: str) -> None:
    text = f"{prefix}5{gap.replace('(', '')}{line:08d}"
    arabic = text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert values.phone(text) == values.phone(arabic) == by_library(text)


@pytest.mark.parametrize(
    "text", ["05012345", "0521234567", "CALL-ME-NOW", "0501234567 / 0551234567", "0112345678 ext 12", "", "٠٥"]
)
def test_what_is_no_single_valid_number_is_left_out(text: str) -> None:
    assert values.phone(text) is None


def test_phones_that_a_spreadsheet_made_numbers_of_are_read() -> None:
    assert values.phone("501234567") == values.phone("966501234567") == "+966501234567"


@settings(max_examples=300)
@given(
    local=st.text(alphabet="abzAZ09._+-'\"", min_size=1, max_size=20),
    host=st.text(alphabet="abZ9-.", min_size=1, max_size=20),
    top=st.sampled_from([".example", ".sa", ".com", ".test", ".local", "", ".c", ".12"]),
)
def test_the_email_fast_path_agrees_with_the_library(local: str, host: str, top: str) -> None:
    address = f"{local}@{host}{top}"
    try:
        expected = email_validator.validate_email(address, check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        expected = None
    assert values.email(address) == expected


def test_only_the_domain_of_an_address_is_lowered() -> None:
    assert values.email("A.Badr@NAJD.Example") == "A.Badr@najd.example"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.Najd.example/ar?x=1", "najd.example"),
        ("najd.example", "najd.example"),
        ("info@najd.example", "najd.example"),
        ("https://instagram.com/najd", None),
        ("gmail.com", None),
        ("ليس لدينا موقع", None),
        ("localhost", None),
    ],
)
def test_a_website_becomes_its_host_and_shared_sites_none(text: str, host: str | None) -> None:
    assert values.domain(text) == host


def test_a_free_mail_host_says_nothing_about_the_company() -> None:
    assert values.company_domain("x@gmail.com") is None
    assert values.company_domain("x@najd.example") == "najd.example"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1010 123 456", "1010123456"),
        ("١٠١٠١٢٣٤٥٦", "1010123456"),
        ("101012345", None),
        ("10101234567", None),
        ("CR-101", None),
    ],
)
def test_a_commercial_registration_has_ten_digits(text: str, number: str | None) -> None:
    assert values.cr_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("300012345600003", "300012345600003"),
        ("SA300012345600003", "300012345600003"),
        ("300012345600004", None),
        ("200012345600003", None),
        ("30001234560003", None),
    ],
)
def test_a_vat_number_has_fifteen_digits_between_threes(text: str, number: str | None) -> None:
    assert values.vat_number(text) == number


@pytest.mark.parametrize(
    ("text", "riyals"),
    [
        ("SAR 25,000", "25000.00"), ("٢٥ ألف ريال", "25000.00"), ("1.2M", "1200000.00"), ("٢٥٠٬٠٠٠", "250000.00"), ("150,000 ر.س", "150000.00"),
        ("3 ملايين ريال", "3000000.00"), ("75000.5", "75000.50"), ("0", "0.00"),
    ],
)  # fmt: skip
def test_amounts_in_riyals_become_decimals(text: str, riyals: str) -> None:
    assert values.amount(text) == Decimal(riyals)


@pytest.mark.parametrize(
    "text",
    ["25.000,00", "$500", "USD 500", "-5", "1234.567", "10,00,000", "عشرة آلاف", "99999999999", "", "nan", "1e9"],
)
def test_amounts_that_could_mean_two_things_or_none_are_left_out(text: str) -> None:
    assert values.amount(text) is None


@given(st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2))
def test_every_amount_of_two_decimals_comes_back_exactly(value: Decimal) -> None:
    assert values.amount(f"{value:,.2f} SAR") == value


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("51-200", 51),
        ("٥٠ موظف", 50),
        ("500+", 500),
        ("1,200", 1200),
        ("من 11 إلى 50", 11),
        ("200-51", None),
        ("كبيرة", None),
    ],
)
def test_headcounts_take_the_lower_end(text: str, count: int | None) -> None:
    assert values.employees(text) == count


def test_cities_are_known_in_both_languages_and_lead_to_their_region() -> None:
    assert values.city("جده") == values.city("Jeddah") == values.city("JEDDA") == "jeddah"
    assert values.region_of("khobar") == values.region("المنطقة الشرقية") == "eastern"
    assert values.city("Atlantis") is None
