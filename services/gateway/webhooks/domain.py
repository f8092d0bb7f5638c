"""Bindings and numbers, the signature of a delivery, and what Meta's body says. Pure.

Sources: Meta Webhooks reference (X-Hub-Signature-256, verification requests), WhatsApp Cloud API webhooks reference (messages).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.gateway.domain.json_body import unfit
from services.gateway.domain.keyring import Keyring, same

CODE_LIFE = timedelta(minutes=15)
MAX_TRIES = 5
MAX_MESSAGES = 100
"""Messages of one delivery that are looked at."""
STOP = frozenset({
    "ايقاف", "اوقف", "اوقفوا", "توقف", "الغاء", "الغاء الاشتراك", "لا ترسل", "لا تراسلني", "stop", "stop all", "unsubscribe", "end", "quit",
})  # fmt: skip
"""What people answer to be left alone, folded: hamza dropped, lower case."""
_E164 = re.compile(r"^\+[1-9][0-9]{7,14}$")
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a vendor delivers, and to which tenant. `secret` is sealed; `verify` is the keyed hash of the token of Meta's challenge;
    `account` is the vendor's id of our number, which every message has to name."""

    tenant_id: UUID
    binding_id: UUID
    connector: str
    account: str
    secret: bytes
    verify: bytes
    created_at: datetime
    created_by: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A person's WhatsApp number, sealed, with its keyed hash. Unverified until its code arrived from that very number."""

    tenant_id: UUID
    user_id: UUID
    number: bytes
    mac: bytes
    code: bytes | None
    code_until: datetime | None
    tries: int = 0
    verified_at: datetime | None = None
    heard_at: datetime | None = None
    """When this person wrote last: for 24 hours after that a text may be sent without a template."""

    def waits(self, now: datetime) -> bool:
        """Whether a code may still arrive."""
        return (
            self.verified_at is None
            and self.code_until is not None
            and now < self.code_until
            and self.tries < MAX_TRIES
        )


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a person: who wrote (E.164), the vendor's id of the message, the text, and when it was written."""

    sender: str
    message_id: str
    text: str
    at: datetime | None = None


def e164(text: str) -> str | None:
    """A number as `+` and 8 to 15 digits; None when it is none. Spaces and dashes are dropped, digits of any script are read."""
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text if c not in " -()\u200e\u200f")
    found = f"+{digits[2:]}" if digits.startswith("00") else digits
    return found if _E164.match(found) else None


def number_mac(keyring: Keyring, tenant_id: UUID, number: str) -> bytes:
    """A tenant's keyed name of a number: the same number has another one in another tenant."""
    return keyring.mac("number", tenant_id.bytes, number.encode())


def signature_holds(secret: bytes, body: bytes, header: str | None) -> bool:
    """Whether `X-Hub-Signature-256: sha256=<hex>` is the HMAC-SHA-256 of exactly these bytes, compared in constant time."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return same(expected.encode(), (header or "").encode())


def incoming(document: Any, account: str) -> list[Incoming]:
    """People's messages to our number in a delivery. Statuses, media, and messages to other numbers are left out, and so is what has
    not the shape that Meta describes: a delivery that holds nothing for us is no error."""
    if unfit(document) is not None:
        return []
    found: list[Incoming] = []
    for entry in _list(document, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value")
            if change.get("field") != "messages" or not isinstance(value, Mapping):
                continue
            metadata = value.get("metadata")
            if not isinstance(metadata, Mapping) or metadata.get("phone_number_id") != account:
                continue
            found += [one for message in _list(value, "messages") if (one := _message(message)) is not None]
    return found[:MAX_MESSAGES]


def _message(message: Mapping[str, Any]) -> Incoming | None:
    sender, message_id = message.get("from"), message.get("id")
    if not isinstance(sender, str) or not isinstance(message_id, str) or not 0 < len(message_id) <= 200:
        return None
    number = e164(f"+{sender.removeprefix('+')}")
    text = _text(message)
    if number is None or text is None:
        return None
    return Incoming(number, message_id, text[:4096], _moment(message.get("timestamp")))


def _moment(given: Any) -> datetime | None:
    """Meta's `timestamp`: Unix seconds, as text."""
    if not isinstance(given, str) or not re.fullmatch("[0-9]{1,11}", given):
        return None
    return datetime.fromtimestamp(int(given), UTC)


def _text(message: Mapping[str, Any]) -> str | None:
    """What was written, or the id of the button that was pressed."""
    kind = message.get("type")
    part = message.get(str(kind))
    if not isinstance(part, Mapping):
        return None
    if kind == "interactive":
        part = part.get("button_reply")
        found = part.get("id") if isinstance(part, Mapping) else None
    else:
        found = part.get("body") if kind == "text" else part.get("payload") if kind == "button" else None
    return found if isinstance(found, str) else None


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def code_in(text: str) -> str | None:
    """The six digits of a verification message; None when there are none, or several."""
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    found = _CODE.findall(plain)
    return found[0] if len(found) == 1 else None


def says_stop(text: str) -> bool:
    """Whether a message is nothing but the word by which people ask to be left alone, in Arabic or English."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalpha() or c == " ")
    folded = plain.translate(str.maketrans("أإآ", "ااا")).split()
    return " ".join(folded) in STOP
