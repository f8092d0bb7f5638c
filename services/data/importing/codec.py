"""Account and contact fields to JSON and back, for storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from services.data.importing.domain.records import AccountFields, ConsentClaim, ContactFields, Note, OptOut, Said


def to_json(value: AccountFields | ContactFields) -> str:
    """A frozen value of `records` as JSON text; dates in ISO form."""
    return orjson.dumps(value._asdict()).decode()


def account_fields(text: str) -> AccountFields:
    return AccountFields(**orjson.loads(text))


def contact_fields(text: str) -> ContactFields:
    stored = orjson.loads(text)
    stored["opted_out"] = OptOut(stored["opted_out"])
    stored["consents"] = _claims(stored["consents"])
    return ContactFields(**stored)


def consent_claims(text: str) -> tuple[ConsentClaim, ...]:
    """What a stored contact's row said about consent, and nothing else of it."""
    return _claims(orjson.loads(text)["consents"])


def _claims(stored: Sequence[Mapping[str, Any]]) -> tuple[ConsentClaim, ...]:
    return tuple(
        ConsentClaim(c["channel"], c["given"], date.fromisoformat(c["at"]) if c["at"] else None, c["how"])
        for c in stored
    )


def said(reasons: tuple[Said, ...] | tuple[Note, ...]) -> str:
    return orjson.dumps(reasons).decode() if reasons else "[]"
