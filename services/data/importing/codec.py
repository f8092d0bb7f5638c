"""Account and contact fields to JSON and back, for storage."""

from __future__ import annotations

from datetime import date

import orjson

from services.data.importing.domain.records import AccountFields, ConsentClaim, ContactFields, Note, OptOut, Said


def to_json(value: AccountFields | ContactFields) -> str:
    """A frozen value of `records` as JSON text; dates in ISO form."""
    return orjson.dumps(value).decode()


def account_fields(text: str) -> AccountFields:
    return AccountFields(**orjson.loads(text))


def contact_fields(text: str) -> ContactFields:
    stored = orjson.loads(text)
    claims = tuple(
        ConsentClaim(c["channel"], c["given"], date.fromisoformat(c["at"]) if c["at"] else None, c["how"])
        for c in stored["consents"]
    )
    return ContactFields(**{**stored, "opted_out": OptOut(stored["opted_out"]), "consents": claims})


def said(reasons: tuple[Said, ...] | tuple[Note, ...]) -> str:
    return orjson.dumps(reasons).decode()
