"""What ranking knows of one lead. Addresses and numbers stay with the data plane: here is only what kind they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from uuid import UUID

from libs.contracts.data import Lead
from libs.contracts.message import Reason
from libs.contracts.trust import Contactability
from services.decision.domain.vocabulary import load


@cache
def _mailboxes(kind: str) -> frozenset[str]:
    return frozenset(load("mailboxes")[kind])


class EmailKind(StrEnum):
    """`role` is a desk's mailbox (info@), `free` one at a public mail host."""

    WORK = "work"
    FREE = "free"
    ROLE = "role"
    UNVERIFIED = "unverified"
    INVALID = "invalid"
    ABSENT = "absent"


class PhoneKind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    UNVERIFIED = "unverified"
    INVALID = "invalid"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """One lead with its account and contact. None is "not known", which lowers quality and confidence.

    `contactability` is trust's answer by channel; a channel that is missing is `unknown`. `estimated_value` is in `currency`.
    `duplicates` counts records that may be the same lead and were not merged.
    """

    lead_id: UUID
    account_id: UUID
    contact_id: UUID | None = None
    account_name: str
    account_name_ar: str | None = None
    contact_name: str | None = None
    title: str | None = None
    sector: str | None = None
    city: str | None = None
    employees: int | None = None
    email: EmailKind = EmailKind.ABSENT
    phone: PhoneKind = PhoneKind.ABSENT
    source: str = "unknown"
    source_detail: str | None = None
    obtained_at: date | None = None
    last_activity_at: date | None = None
    notes: str | None = None
    estimated_value: Decimal | None = None
    currency: str = "SAR"
    language: str | None = None
    contactability: Mapping[str, Contactability] = field(default_factory=dict)
    contactability_reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    duplicates: int = 0
    updated_at: datetime

    def status(self, channel: str) -> Contactability:
        """What trust said of a channel; nothing said is `unknown`, and no identifier for it never safe."""
        return self.contactability.get(channel, Contactability.UNKNOWN)


def facts_of(lead: Lead, reasons: Mapping[str, tuple[Reason, ...]] | None = None) -> LeadFacts:
    """The facts of a lead as the data plane tells it."""
    return LeadFacts(
        lead_id=lead.lead_id,
        account_id=lead.account_id,
        contact_id=lead.contact_id,
        account_name=lead.account_name,
        account_name_ar=lead.account_name_ar,
        contact_name=lead.contact_name,
        title=lead.title,
        sector=lead.sector,
        city=lead.city,
        employees=lead.employees,
        email=email_kind(lead.email),
        phone=phone_kind(lead.phone),
        source=lead.source,
        source_detail=lead.source_detail,
        obtained_at=lead.obtained_at,
        last_activity_at=lead.last_activity_at,
        notes=lead.notes,
        estimated_value=lead.estimated_value,
        currency=lead.currency,
        language=lead.language,
        contactability=lead.contactability,
        contactability_reasons=reasons or {},
        updated_at=lead.updated_at,
    )


def email_kind(address: str | None) -> EmailKind:
    """What an address says by its form alone: nothing here asks a mail server."""
    if not address:
        return EmailKind.ABSENT
    local, at, host = address.strip().casefold().rpartition("@")
    if not at or not local or "." not in host or " " in address.strip():
        return EmailKind.INVALID
    if local in _mailboxes("roles"):
        return EmailKind.ROLE
    return EmailKind.FREE if host.split(".", 1)[0] in _mailboxes("free") else EmailKind.WORK


def phone_kind(number: str | None) -> PhoneKind:
    """What a number in E.164 says: Saudi mobiles are +966 5 and eight digits, landlines +966 1 and eight digits."""
    if not number:
        return PhoneKind.ABSENT
    digits = number.strip()
    if not digits.startswith("+") or not digits[1:].isdigit():
        return PhoneKind.INVALID
    if digits.startswith("+966"):
        if len(digits) != 13:
            return PhoneKind.INVALID
        return PhoneKind.MOBILE if digits[4] == "5" else PhoneKind.LANDLINE
    return PhoneKind.UNVERIFIED if 8 <= len(digits) <= 16 else PhoneKind.INVALID
