"""What is left when several rows mean one: the first value that is there, and of consents always the strictest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from services.data.importing.domain.records import AccountFields, ConsentClaim, ContactFields, LeadFields, OptOut
from services.data.importing.domain.source_policy import resolve_source

Fields = TypeVar("Fields", AccountFields, ContactFields, LeadFields)

_STRICTEST = (OptOut.YES, OptOut.UNKNOWN, OptOut.NO)


def _first_of_each(parts: Sequence[Fields]) -> dict[str, object]:
    return {
        name: next((value for part in parts if (value := getattr(part, name)) is not None), None)
        for name in parts[0]._fields
    }


def merge_accounts(parts: Sequence[AccountFields]) -> tuple[AccountFields, tuple[str, ...]]:
    """One account and the other names it goes by. Earlier parts win; later ones only fill what is empty."""
    if len(parts) == 1:
        return parts[0], ()
    merged = AccountFields(**_first_of_each(parts))  # type: ignore[arg-type]  # the values come from the same fields
    names = dict.fromkeys(name for part in parts for name in (part.name, part.name_ar) if name)
    return merged, tuple(name for name in names if name not in (merged.name, merged.name_ar))


def merge_contacts(parts: Sequence[ContactFields]) -> ContactFields:
    """One contact. Opting out anywhere is opting out; a consent withheld anywhere is withheld."""
    if len(parts) == 1:
        return parts[0]
    values = _first_of_each(parts)
    values["opted_out"] = next(state for state in _STRICTEST if any(part.opted_out is state for part in parts))
    channels = dict.fromkeys(claim.channel for part in parts for claim in part.consents)
    claims = [claim for part in parts for claim in part.consents]
    values["consents"] = tuple(
        _strictest([claim for claim in claims if claim.channel == channel]) for channel in channels
    )
    return ContactFields(**values)  # type: ignore[arg-type]  # the values come from the same fields


def _strictest(claims: Sequence[ConsentClaim]) -> ConsentClaim:
    """A refusal before any consent; of consents the oldest that has a date, for it is the first to lapse."""
    refusals = [claim for claim in claims if not claim.given]
    if refusals:
        return refusals[0]
    dated = [claim for claim in claims if claim.at is not None]
    return min(dated, key=lambda claim: str(claim.at)) if dated else claims[0]


def merge_leads(parts: Sequence[LeadFields]) -> LeadFields:
    """One lead, its source the one that permits most: a purchased copy of our own customer is still our customer.

    A source that blocks (a suppression list) outweighs them all, and a cold mark on any row stays.
    """
    if len(parts) == 1:
        return parts[0]
    values = _first_of_each(parts)
    rules = [resolve_source(part.source) for part in parts]
    blocking = [index for index, rule in enumerate(rules) if rule.handling == "block"]
    lead = (
        blocking[0] if blocking else min(range(len(parts)), key=lambda i: (rules[i].strictness, rules[i].risk or 100))
    )
    for name in ("source", "source_text", "source_detail", "collected_directly"):
        values[name] = getattr(parts[lead], name)
    values["cold"] = any(part.cold for part in parts)
    values["last_activity"] = max((part.last_activity for part in parts if part.last_activity), default=None)
    return LeadFields(**values)  # type: ignore[arg-type]  # the values come from the same fields
