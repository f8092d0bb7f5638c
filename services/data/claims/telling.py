"""Tells trust what a text states, in the transaction that keeps the text. Only suggestions: a person confirms or dismisses them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.claims.reading import MOST, stated
from libs.contracts.claims import ClaimsSuggested, ReadClaim
from libs.contracts.message import new_id
from libs.contracts.subjects import CLAIMS_SUGGESTED
from libs.runtime import telemetry

INBOUND = "inbound"
_ABOUT = ("deal", "account")


def of_activity(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The subject and the text of an inbound message; None for what we wrote ourselves and for what is about no deal or company."""
    if values.get("direction") != INBOUND:
        return None
    about = next((f"{kind}:{values[f'{kind}_id']}" for kind in _ABOUT if values.get(f"{kind}_id")), None)
    text = "\n".join(str(values[name]) for name in ("subject", "body") if values.get(name))
    return (about, text) if about and text else None


def suggest(work: Any, tenant_id: UUID, source: str, about: str, text: str, now: datetime) -> int:
    """Emit what a text states of a subject (`deal:ID`, `account:ID`); how many claims that is."""
    found = stated(text, about.partition(":")[0])[:MOST]
    if not found:
        return 0
    items = tuple(
        ReadClaim(
            suggestion_id=new_id(), subject=about, key=one.key, value=one.value, unit=one.unit, place=f"sentence {one.sentence}",
            confidence=one.confidence,
        )
        for one in found
    )  # fmt: skip
    work.emit(
        CLAIMS_SUGGESTED,
        ClaimsSuggested(tenant_id=tenant_id, source=source, items=items, at=now, trace_id=telemetry.trace_id()),
    )
    return len(items)
