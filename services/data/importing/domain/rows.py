"""One row of text to one typed lead, or to the reason why not. Nothing is mended silently: what was left out is
noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import TypeVar

from libs.contracts.catalogue.sources import Collection, Handling, SourceRule
from services.data.importing.domain import answers, values
from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.dates import read_date
from services.data.importing.domain.messages import FileRefused, say
from services.data.importing.domain.records import (
    AccountFields,
    ConsentClaim,
    ContactFields,
    LeadFields,
    LeadRow,
    Note,
    OptOut,
    ParsedFile,
    ReadRows,
    RowRejected,
    Said,
    SourceRow,
)
from services.data.importing.domain.source_policy import resolve_source, stricter
from services.data.importing.domain.text import clean, is_arabic

T = TypeVar("T")

MAX_CELL = 10_000
CHANNELS = ("whatsapp", "email")

_SEPARATOR = "\ue000"
# One search over the whole row; only rows where it hits are looked at cell by cell.
_SUSPECT = re.compile(
    "(?:^|\ue000)\\s*'?[=@+\\-＝＠＋－\t\r]|(?:^|\ue000)[\t\r]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]|(?:^|\ue000)#[A-Z/0!?]+"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_EXCEL_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)\Z")
_SIGNED_NUMBER = re.compile(r"-\d[\d.,]*\Z")
_ONLY_DASHES = re.compile(r"[-－]+\Z")
_DIALLED = re.compile(r"[+＋][\d\s().\-/٠-٩]*\Z")
_PHONE_FIELDS = ("phone", "landline")


def read_rows(parsed: ParsedFile, *, source: str, today: date) -> ReadRows:
    """Every row of the file, typed or rejected. `source` is the file's; of it and a row's own the stricter counts.

    `today` bounds dates that must lie in the past. Raises FileRefused (source_refused) when the file's own source is
    one that is never taken in.
    """
    rule = resolve_source(source)
    if rule.handling is Handling.REFUSE:
        raise FileRefused("source_refused", source=Said(rule.key, rule.en, rule.ar))
    reader = _RowReader(parsed.mapping, rule, today)
    leads: list[LeadRow] = []
    rejected: list[RowRejected] = list(parsed.broken)
    with uncollected():
        for row in parsed.rows:
            result = reader.read(row)
            if isinstance(result, LeadRow):
                leads.append(result)
            else:
                rejected.append(result)
    rejected.sort(key=lambda rejection: rejection.row_number)
    return ReadRows(tuple(leads), tuple(rejected))


@dataclass(slots=True)
class _RowReader:
    mapping: Mapping[str, int]
    file_source: SourceRule
    today: date
    field_at: dict[int, str] = field(init=False)
    notes: list[Note] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.field_at = {index: name for name, index in self.mapping.items()}

    def read(self, row: SourceRow) -> LeadRow | RowRejected:
        damage = self._damage(row)
        if damage:
            return damage
        self.notes = []
        cells = {name: clean(row.cells[index]) for name, index in self.mapping.items() if row.cells[index]}
        own = resolve_source(cells["source"]) if cells.get("source") else self.file_source
        rule = stricter(own, self.file_source)
        if rule.handling is Handling.REFUSE:
            return _reject(row, "source", "source_refused", source=Said(rule.key, rule.en, rule.ar))
        company, company_ar = self._company(cells)
        if not company:
            return _reject(row, "company", "missing_company")
        name = self._person(cells)
        if name is None and not self.mapping.keys().isdisjoint(("full_name", "first_name", "last_name")):
            return _reject(row, "full_name", "missing_name")
        contact = self._contact(cells, name)
        account = self._account(cells, company, company_ar, contact.email)
        direct = Collection.INDIRECT not in (own.collection, self.file_source.collection)
        lead = self._lead(cells, rule, direct=direct)
        review, block = self._standing(cells, rule, contact, lead)
        print_ = _fingerprint(cells, rule.key)
        return LeadRow(row.row_number, account, contact, lead, print_, tuple(self.notes), review, block)

    def _damage(self, row: SourceRow) -> RowRejected | None:
        joined = _SEPARATOR.join(row.cells)
        if len(joined) > MAX_CELL:
            for index, cell in enumerate(row.cells):
                if len(cell) > MAX_CELL:
                    return _reject(row, self._name(index), "too_long", limit=MAX_CELL)
        if not _SUSPECT.search(joined):
            return None
        for index, cell in enumerate(row.cells):
            code = cell_damage(cell, phone=self.field_at.get(index) in _PHONE_FIELDS)
            if code:
                return _reject(row, self._name(index), code, value=cell.strip()[:20])
        return None

    def _name(self, index: int) -> str:
        return self.field_at.get(index, f"column {index + 1}")

    def _value(self, cells: Mapping[str, str], name: str, read: Callable[[str], T | None], code: str) -> T | None:
        """The cell as `read` understands it; what it does not understand is left out, with a note."""
        cell = cells.get(name)
        if not cell or answers.is_placeholder(cell):
            return None
        value = read(cell)
        if value is None:
            self._note(name, code, cell)
        return value

    def _note(self, name: str, code: str, cell: str) -> None:
        said = say("note", code, value=cell[:60])
        self.notes.append(Note(name, said.code, said.en, said.ar))

    def _company(self, cells: Mapping[str, str]) -> tuple[str | None, str | None]:
        company, arabic = cells.get("company", ""), cells.get("company_ar", "")
        company = "" if answers.is_placeholder(company) else company
        arabic = "" if answers.is_placeholder(arabic) else arabic
        if company and not arabic and is_arabic(company):
            arabic = company
        return company or arabic or None, arabic or None

    def _person(self, cells: Mapping[str, str]) -> str | None:
        name = cells.get("full_name", "")
        if answers.is_placeholder(name):
            name = " ".join(part for part in (cells.get("first_name", ""), cells.get("last_name", "")) if part)
        return None if answers.is_placeholder(name) else name

    def _contact(self, cells: Mapping[str, str], name: str | None) -> ContactFields:
        return ContactFields(
            full_name=name,
            title=cells.get("title") or None,
            phone_e164=self._value(cells, "phone", values.phone, "invalid_phone"),
            email=self._value(cells, "email", values.email, "invalid_email"),
            opted_out=answers.opted_out(cells.get("opted_out", "")),
            consents=tuple(claim for channel in CHANNELS if (claim := self._consent(cells, channel))),
        )

    def _consent(self, cells: Mapping[str, str], channel: str) -> ConsentClaim | None:
        cell = cells.get(f"{channel}_opt_in")
        if not cell:
            return None
        at_name = f"{channel}_opt_in_at" if cells.get(f"{channel}_opt_in_at") else "consent_at"
        given, at = answers.opted_in(cell), self._past_date(cells, at_name)
        if given is None and (day := read_date(cell)) and day <= self.today:
            given, at = True, at or day
        if given is None:
            self._note(f"{channel}_opt_in", "unclear_consent", cell)
            return None
        if given and at is None:
            self._note(f"{channel}_opt_in", "consent_without_date", cell)
        how = cells.get(f"{channel}_opt_in_how") or cells.get("consent_how")
        return ConsentClaim(channel, given, at, how or None)

    def _past_date(self, cells: Mapping[str, str], name: str) -> date | None:
        day = self._value(cells, name, read_date, "invalid_date")
        if day is not None and day > self.today:
            self._note(name, "future_date", cells[name])
            return None
        return day

    def _account(
        self, cells: Mapping[str, str], company: str, company_ar: str | None, email: str | None
    ) -> AccountFields:
        city_text, sector_text = cells.get("city"), cells.get("sector")
        city = values.city(city_text) if city_text else None
        region = values.region(cells["region"]) if cells.get("region") else None
        site = self._value(cells, "domain", values.domain, "invalid_domain")
        return AccountFields(
            name=company,
            name_ar=company_ar,
            domain=site or (values.company_domain(email) if email else None),
            cr=self._value(cells, "cr", values.cr_number, "invalid_cr"),
            vat=self._value(cells, "vat", values.vat_number, "invalid_vat"),
            city=city,
            city_text=city_text or None,
            region=region or (values.region_of(city) if city else None),
            sector=values.sector(sector_text) if sector_text else None,
            sector_text=sector_text or None,
            employees=self._value(cells, "employees", values.employees, "invalid_employees"),
            phone_e164=self._value(cells, "landline", values.phone, "invalid_phone"),
        )

    def _lead(self, cells: Mapping[str, str], rule: SourceRule, *, direct: bool) -> LeadFields:
        return LeadFields(
            source=rule.key,
            source_text=cells.get("source") or None,
            source_detail=cells.get("source_detail") or None,
            collected_directly=direct,
            obtained_at=self._past_date(cells, "obtained_at"),
            interest=cells.get("interest") or None,
            notes=cells.get("notes") or None,
            estimated_value=self._value(cells, "estimated_value", values.amount, "invalid_amount"),
            last_activity=self._past_date(cells, "last_activity"),
            cold=answers.is_cold(cells.get("cold", "")),
        )

    @staticmethod
    def _standing(
        cells: Mapping[str, str], rule: SourceRule, contact: ContactFields, lead: LeadFields
    ) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
        """What keeps the row from being an ordinary lead: reasons for a person to look, reasons to block."""
        review: list[Said] = []
        block: list[Said] = []
        named = Said(rule.key, rule.en, rule.ar)
        if contact.opted_out is OptOut.YES:
            block.append(say("block", "opted_out"))
        elif contact.opted_out is OptOut.UNKNOWN:
            review.append(say("review", "unclear_opt_out", value=cells["opted_out"][:60]))
        if rule.handling is Handling.BLOCK:
            block.append(say("block", "source_blocked", source=named))
        elif rule.handling is Handling.REVIEW:
            review.append(say("review", "source_needs_review", source=named))
        if lead.cold:
            block.append(say("block", "cold"))
        if contact.phone_e164 is None and contact.email is None:
            review.append(say("review", "no_identifier"))
        return tuple(review), tuple(block)


def cell_damage(cell: str, *, phone: bool = False) -> str | None:
    """The code of what makes a cell unfit to store, or None.

    Formulas after OWASP's list for CSV injection (a leading = + - @, tab or carriage return), except a phone number's
    plus, a lone dash and a negative number. The apostrophe that makes one harmless in our own files leaves it a formula.
    """
    if _CONTROL.search(cell):
        return "control_characters"
    start = cell.strip().removeprefix("'")
    if _EXCEL_ERROR.match(start):
        return "excel_error"
    if cell[:1] in ("\t", "\r") or start[:1] in ("=", "@", "＝", "＠"):
        return "formula"
    if start[:1] in ("-", "－") and not _ONLY_DASHES.match(start) and not _SIGNED_NUMBER.match(start):
        return "formula"
    if start[:1] in ("+", "＋") and not (_DIALLED.match(start) and (phone or values.phone(start))):
        return "formula"
    return None


def _reject(row: SourceRow, name: str, code: str, **blanks: object) -> RowRejected:
    said = say("row", code, **blanks)
    return RowRejected(row.row_number, name, said.code, said.en, said.ar, row.cells)


def _fingerprint(cells: Mapping[str, str], source: str) -> str:
    parts = [f"{name}\x1e{cells[name]}" for name in sorted(cells) if cells[name]]
    return blake2b("\x1f".join([*parts, f"source\x1e{source}"]).encode(), digest_size=16).hexdigest()
