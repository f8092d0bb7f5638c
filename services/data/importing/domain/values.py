"""Single values to their stored form: phones, emails, domains, registration numbers, amounts, headcounts.

Each function answers None for what it cannot read with certainty. Nothing is guessed; the caller notes what was left
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

import email_validator
import phonenumbers

from libs.contracts.catalogue.places import places
from services.data.importing.domain.text import clean, fold, latin_digits
from services.data.importing.domain.vocabulary import load

# Saudi mobile numbers in the forms lists hold them, patterns as in phonenumbers' metadata for SA (ITU E.164, country
# code 966). A property test holds this against the library, so that an update of the numbering plan is noticed.
_SAUDI_MOBILE = re.compile(r"(?:\+966|00966|966)?0?((?:5(?:[013-689]\d|7[0-8])\d{6})|579[0-8]\d{5})\Z")
_PHONE_FILLING = str.maketrans("", "", " -.()\u00a0")
_PHONE_SHAPE = re.compile(r"[+\d(][\d\s().\-/]*\Z")

_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+\-]+(?:\.[A-Za-z0-9_+\-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\Z"
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9\-]{2,59})\Z")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.IGNORECASE)

_CR = re.compile(r"\d{10}\Z")
_VAT = re.compile(r"3\d{13}3\Z")

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(k|m|thousand|million|الف|الاف|مليون|ملايين)?\Z")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_SCALE = {
    "k": 1000,
    "thousand": 1000,
    "الف": 1000,
    "الاف": 1000,
    "m": 10**6,
    "million": 10**6,
    "مليون": 10**6,
    "ملايين": 10**6,
}
_CURRENCY = re.compile(
    r"sar|s\.r\.?|sr\b|riyals?|ر\.?\s?س\.?|ريال(?:ات)?(?:\s+سعودي(?:ة)?)?|ريالا|\u20c1|﷼", re.IGNORECASE
)
MAX_AMOUNT = Decimal("9999999999.99")
"""Numeric(12, 2)."""

_EMPLOYEES = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\s*(?:-|–|—|to|الى|حتى)\s*(\d[\d,]*)|\s*\+)?\Z")
_EMPLOYEE_WORDS = re.compile(
    r"\b(?:employees?|staff|people|موظف(?:ا|ين|ون|ة)?|عامل(?:ا|ين)?|شخص(?:ا)?|more than|over|اكثر من|من)\b"
)


_FLOATED = re.compile(r"^(\+?\d{8,15})\.0$")


@lru_cache(maxsize=8192)
def phone(text: str) -> str | None:
    """A phone number in E.164 (`+966501234567`), numbers without a country read as Saudi; None unless it is valid.

    Arabic-Indic digits, the usual filling and the apostrophe with which a spreadsheet keeps digits as text are accepted; letters,
    extensions and two numbers in one cell are not. Nor is a trailing ".0" part of a number: it is what programs make of digits that they
    took for an amount.
    """
    text = _FLOATED.sub(r"\1", latin_digits(clean(text)).removeprefix("'"))
    found = _SAUDI_MOBILE.match(text.translate(_PHONE_FILLING)) if _PHONE_SHAPE.match(text) else None
    if found:
        return f"+966{found[1]}"
    return _phone_by_library(text)


def _phone_by_library(text: str) -> str | None:
    if not _PHONE_SHAPE.match(text):
        return None
    try:
        number = phonenumbers.parse(text, "SA")
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(text: str) -> str | None:
    """An address with its domain in lower case (RFC 5321 leaves the local part's case alone); None unless well formed.

    Nothing is looked up: whether the mailbox exists is another question.
    """
    text = clean(text).removeprefix("mailto:")
    if len(text) <= 254 and _PLAIN_EMAIL.match(text):
        local, _, host = text.rpartition("@")
        host = host.lower()
        if len(local) <= 64 and "--" not in host and host.rpartition(".")[2] not in _reserved():
            return f"{local}@{host}"
    try:
        return str(email_validator.validate_email(text, check_deliverability=False).normalized)
    except email_validator.EmailNotValidError:
        return None


@cache
def _reserved() -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in email_validator.SPECIAL_USE_DOMAIN_NAMES)


@cache
def _hosts(kind: str) -> frozenset[str]:
    return frozenset(load("mailboxes")[kind])


@lru_cache(maxsize=65536)
def domain(text: str) -> str | None:
    """The host of a company's website, without `www.`: `https://www.Najd.example/ar` gives `najd.example`.

    None for what is no host, and for sites where many companies have a page.
    """
    host = (
        _SCHEME.sub("", clean(text))
        .split("/", 1)[0]
        .split("?", 1)[0]
        .rpartition("@")[2]
        .split(":", 1)[0]
        .rstrip(".")
        .lower()
    )
    host = host.removeprefix("www.")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    if len(host) > 253 or not _DOMAIN.match(host) or host in _hosts("shared_sites") or host in _hosts("free"):
        return None
    return host


def company_domain(address: str) -> str | None:
    """The company's domain that an email address shows; None for mail hosts that many companies share."""
    host = address.rpartition("@")[2]
    return None if host in _hosts("free") else domain(host)


def is_role_mailbox(address: str) -> bool:
    """Whether the address belongs to a desk (`info@`, `sales@`) and not to a person."""
    return address.partition("@")[0].lower() in _hosts("roles")


def _digits(text: str) -> str:
    return latin_digits(clean(text)).replace(" ", "").replace("-", "")


def cr_number(text: str) -> str | None:
    """A commercial registration or unified national number: 10 digits. There is no checksum to test."""
    digits = _digits(text)
    return digits if _CR.match(digits) else None


def vat_number(text: str) -> str | None:
    """A VAT registration number: 15 digits, the first and last 3 (ZATCA). There is no checksum to test."""
    digits = _digits(text).upper().removeprefix("SA")
    return digits if _VAT.match(digits) else None


@lru_cache(maxsize=4096)
def amount(text: str) -> Decimal | None:
    """An amount in riyals with two decimals. Understands "SAR 25,000", "٢٥ ألف ريال", "1.2M".

    None for other currencies, negatives, more than two decimals, and "25.000,00", which could mean two things.
    """
    plain = _CURRENCY.sub("", latin_digits(clean(text)).replace("٬", ",").replace("٫", ".")).strip()
    head = plain.split(" ", 1)[0]
    if "," in plain:
        if not _GROUPED.match(head):
            return None
        plain = plain.replace(",", "")
    found = _AMOUNT.match(plain.lower().replace("أ", "ا").replace("آ", "ا").strip())
    if not found:
        return None
    try:
        value = Decimal(found[1]) * _SCALE.get(found[2] or "", 1)
        exact = value.quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return exact if exact == value and exact <= MAX_AMOUNT else None


@lru_cache(maxsize=4096)
def employees(text: str) -> int | None:
    """A headcount; of a range ("51-200", "500+") the lower end."""
    plain = (
        latin_digits(clean(text)).lower().replace("إ", "ا").replace("أ", "ا").replace("ى", "ي").replace("الي", "الى")
    )
    found = _EMPLOYEES.match(_EMPLOYEE_WORDS.sub("", plain).strip())
    if not found:
        return None
    low = int(found[1].replace(",", ""))
    high = int(found[2].replace(",", "")) if found[2] else low
    return low if low <= high and low <= 5_000_000 else None


@cache
def _known(kind: str) -> dict[str, str]:
    table: dict[str, str] = {}
    for key, names in _names(kind):
        for name in names:
            table.setdefault(fold(name), key)
    return table


def _names(kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each key with all that it is called."""
    if kind == "sectors":
        for key, entry in load("sectors").items():
            yield key, (entry["en"], entry["ar"], key.replace("_", " "), *entry["names"])
        return
    for key, place in (places().cities if kind == "cities" else places().regions).items():
        yield key, (place.en, place.ar, key.replace("_", " "), *place.names)


def city(text: str) -> str | None:
    """Key of a Saudi city, or None."""
    return _known("cities").get(fold(text))


def region(text: str) -> str | None:
    """Key of one of the 13 administrative regions, or None."""
    return _known("regions").get(fold(text))


def region_of(city_key: str) -> str:
    """The region a city lies in."""
    return str(places().cities[city_key].region)


def sector(text: str) -> str | None:
    """Key of a sector, or None."""
    return _known("sectors").get(fold(text))
