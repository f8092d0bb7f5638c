"""What trust knows of a contact, and what follows from it: contactability, and the facts of a question."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache, lru_cache
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.message import Reason
from libs.contracts.trust import ChannelContactability, Contactability

CHANNELS = ("email", "whatsapp", "phone")
MAX_AGE_HOURS = 24
QUIET_FROM, QUIET_TO, FRIDAY_FROM = time(21), time(9), time(16)
FRIDAY = 4
# Marks of direction are copied along with numbers that stand in Arabic text.
_NUMBER = re.compile(
    r"[+\d\s().\-\u200e\u200f\u202a-\u202e\u2066-\u2069]*\d[+\d\s().\-\u200e\u200f\u202a-\u202e\u2066-\u2069]*"
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SAUDI_MOBILE = re.compile(r"0?5\d{8}")


@dataclass(frozen=True, slots=True)
class ContactState:
    """A contact as trust's projection holds it: keyed MACs instead of identifiers. `consents` maps channel to state."""

    contact_id: UUID
    email_mac: str | None
    phone_mac: str | None
    source: str
    opted_out: str
    cold: bool
    email_valid: bool | None
    collected_directly: bool
    suppressed: frozenset[str] = frozenset()
    consents: tuple[tuple[str, str], ...] = ()

    def consent(self, channel: str) -> str:
        """`active`, `withdrawn`, `expired` or `none`."""
        return dict(self.consents).get(channel, "none") if self.consents else "none"

    def mac(self, channel: str) -> str | None:
        return self.email_mac if channel == "email" else self.phone_mac


def identifier_mac(key: bytes, tenant_id: UUID, identifier: str) -> str:
    """A tenant-bound, keyed name for an e-mail address or number: comparable, but not guessable without the key."""
    return hmac.digest(key, tenant_id.bytes + normalised(identifier).encode(), "sha256").hex()


def normalised(identifier: str) -> str:
    """One spelling of an address or number, so that what a person types into the do-not-contact list meets what data holds: letters
    folded, and a number in E.164 form, whatever its digits and separators; one without a country is taken for a Saudi one."""
    if _E164.fullmatch(identifier):
        return identifier
    folded = unicodedata.normalize("NFKC", identifier).strip().casefold()
    if not _NUMBER.fullmatch(folded):
        return folded
    digits = "".join(str(unicodedata.digit(c)) for c in folded if c.isdigit())
    if digits.startswith("00"):
        digits = digits[2:]
    elif _SAUDI_MOBILE.fullmatch(digits) and "+" not in folded:
        digits = f"966{digits.removeprefix('0')}"
    return f"+{digits}"


def source_policy(state: ContactState) -> str:
    """`ok`, `review` or `blocked`. A source nobody knows is a review, never ok."""
    return _origin(state.source)


def _origin(source: str) -> str:
    rule = sources().get(source)
    if rule is None:
        return "review"
    if rule.handling in (Handling.BLOCK, Handling.REFUSE):
        return "blocked"
    return "review" if rule.handling is Handling.REVIEW else "ok"


def quiet_hours(at: datetime) -> bool:
    """Whether messages must wait: 21:00-09:00 in Riyadh, and Fridays before 16:00."""
    local = at.astimezone(RIYADH)
    if local.weekday() == FRIDAY and local.time() < FRIDAY_FROM:
        return True
    return local.time() >= QUIET_FROM or local.time() < QUIET_TO


_R = Contactability
_REASONS = {
    "facts_unknown": ("Nothing is known of this contact.", "لا نعرف شيئًا عن جهة الاتصال هذه."),
    "opted_out": ("Asked not to be contacted.", "طلب عدم التواصل معه."),
    "opt_out_unclear": (
        "The opt-out note is unclear; a person must read it.",
        "ملاحظة عدم التواصل غير واضحة، وتحتاج قراءة شخص.",
    ),
    "suppressed": ("On the do-not-contact list.", "في قائمة عدم التواصل."),
    "consent_withdrawn": ("Withdrew consent for this channel.", "سحب موافقته على هذه القناة."),
    "source_blocked": ("The source may not be used.", "مصدر البيانات لا يجوز استخدامه."),
    "source_review": ("The source needs review.", "مصدر البيانات يحتاج مراجعة."),
    "cold": ("There was no earlier relationship.", "لا توجد علاقة سابقة."),
    "no_identifier": ("No address or number for this channel.", "لا يوجد عنوان أو رقم لهذه القناة."),
    "no_opt_in": ("No opt-in for WhatsApp is recorded.", "لا توجد موافقة مسجّلة على واتساب."),
    "no_voice_consent": ("No consent for calls is recorded.", "لا توجد موافقة مسجّلة على الاتصال."),
    "address_invalid": ("The address is not valid.", "العنوان غير صالح."),
    "source_ok": ("A lawful source, and no objection is known.", "مصدر نظامي، ولا اعتراض معروف."),
    "consent_active": ("Consent is on record.", "الموافقة مسجّلة."),
}


@cache
def _verdict(channel: str, status: Contactability, *codes: str) -> ChannelContactability:
    return ChannelContactability(
        channel=channel,
        status=status,
        reasons=tuple(Reason(code=c, en=_REASONS[c][0], ar=_REASONS[c][1]) for c in codes),
    )


def contactability(state: ContactState | None, channel: str, *, reasons: bool = True) -> ChannelContactability:
    """Whether a contact may be written to on a channel, with reasons. The strictest finding wins; silence is never consent."""
    if state is None:
        found = _verdict(channel, _R.UNKNOWN, "facts_unknown")
    else:
        mac = state.mac(channel)
        found = _judge(
            channel,
            state.consent(channel),
            state.source,
            state.opted_out,
            suppressed=mac is not None and mac in state.suppressed,
            cold=state.cold,
            reached=mac is not None,
            valid=state.email_valid,
        )
    return found if reasons else _verdict(channel, found.status)


@lru_cache(4096)
def _judge(
    channel: str,
    consent: str,
    source: str,
    opted_out: str,
    *,
    suppressed: bool,
    cold: bool,
    reached: bool,
    valid: bool | None,
) -> ChannelContactability:
    """The verdict over what is known; a list of thousands has a few dozen combinations."""
    origin = _origin(source)
    blocked = [
        code
        for code, holds in (
            ("opted_out", opted_out == "yes"),
            ("suppressed", suppressed),
            ("consent_withdrawn", consent == "withdrawn"),
            ("source_blocked", origin == "blocked"),
            ("no_opt_in", channel == "whatsapp" and consent != "active"),
        )
        if holds
    ]
    if blocked:
        return _verdict(channel, _R.BLOCKED, *blocked)
    review = [
        code
        for code, holds in (
            ("opt_out_unclear", opted_out != "no"),
            ("source_review", origin == "review"),
            ("cold", cold),
            ("no_identifier", not reached),
            ("address_invalid", channel == "email" and valid is False),
            ("no_voice_consent", channel == "phone" and consent != "active"),
        )
        if holds
    ]
    if review:
        return _verdict(channel, _R.NEEDS_REVIEW, *review)
    return _verdict(channel, _R.SAFE, "source_ok", *(["consent_active"] if consent == "active" else []))
