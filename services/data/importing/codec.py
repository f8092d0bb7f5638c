"""Account and contact fields to JSON and back, for storage."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from services.data.importing.domain.records import AccountFields, ConsentClaim, ContactFields, OptOut, Said


def to_json(value: Any) -> str:
    """A frozen value of `records` as JSON text; dates in ISO form."""
    return json.dumps(asdict(value), ensure_ascii=False, default=str)


def account_fields(text: str) -> AccountFields:
    return AccountFields(**json.loads(text))


def contact_fields(text: str) -> ContactFields:
    stored = json.loads(text)
    claims = tuple(
        ConsentClaim(c["channel"], c["given"], date.fromisoformat(c["at"]) if c["at"] else None, c["how"])
        for c in stored["consents"]
    )
    return ContactFields(**{**stored, "opted_out": OptOut(stored["opted_out"]), "consents": claims})


def said(reasons: tuple[Said, ...]) -> str:
    return json.dumps([asdict(r) for r in reasons], ensure_ascii=False)
