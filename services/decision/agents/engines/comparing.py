"""Engine of contradiction_scout: claims side by side, as typed values. A suggestion for a person, never a claim on record."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from libs.contracts.catalogue.claims import ClaimKey, claim_keys
from services.decision.agents.asked import NotAsked, Question, Said

MOST = 200


async def scout(asked: Question, version: str) -> Said:
    """Pairs of claims that can't both hold. Each claim is `subject`, `key`, `value`, and a `unit` and `source` where there is one."""
    given = asked.input.get("claims")
    if not isinstance(given, list) or not given or len(given) > MOST:
        raise NotAsked(f"claims (1-{MOST})")
    read: list[tuple[ClaimKey, str, tuple[str, str], str, str]] = []
    unread: list[str] = []
    for place, one in enumerate(given):
        found = _read(one)
        if found is None:
            unread.append(f"claims[{place}]")
        else:
            read.append((*found, f"claims[{place}]"))
    suggestions = [
        {
            "subject": subject, "key": key.key, "kind": key.kind, "severity": key.severity, "first": _said(value), "second": _said(other[2]),
            "sources": (source or place, other[3] or other[4]),
        }
        for (key, subject, value, source, place), other in combinations(read, 2)
        if key.key == other[0].key and subject == other[1] and not key.agree(value, other[2])
    ]  # fmt: skip
    facts = {"severity": "high" if any(one["severity"] == "high" for one in suggestions) else "low"}
    output = {"suggestions": suggestions, "read": len(read), "unread": unread}
    return Said(output, round(len(read) / len(given), 4), facts, tuple(place for *_, place in read))


def _read(one: Any) -> tuple[ClaimKey, str, tuple[str, str], str] | None:
    """None for what is no claim of the catalogue, or whose value is not of its type."""
    if not isinstance(one, Mapping):
        return None
    key, subject = claim_keys().get(str(one.get("key"))), one.get("subject")
    if key is None or not isinstance(subject, str) or ":" not in subject:
        return None
    try:
        value = key.read(str(one.get("value", "")), str(one.get("unit") or ""))
    except ValueError:
        return None
    return key, subject, value, str(one.get("source") or "")[:200]


def _said(value: tuple[str, str]) -> str:
    return " ".join(part for part in value if part)
