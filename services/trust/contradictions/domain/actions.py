"""What an action is about, and what its payload claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.claims import ClaimKey, claim_keys
from libs.contracts.claims import Claim, NewClaim
from services.trust.contradictions.domain.conflict import named, read
from services.trust.contradictions.errors import BadClaim
from services.trust.domain.decide import Prepared

KINDS = ("account", "contact", "lead", "deal", "partner", "product", "service", "invoice", "metric")
_NAMES = {name: kind for kind in KINDS for name in (kind, f"{kind}_id")}
LISTS = ("items", "lines", "contacts", "leads", *(f"{kind}_ids" for kind in KINDS))
SOURCE = "action:"
"""Where a claim comes from that an action's payload makes."""
MOST = 200
"""Subjects of one action that are looked up. An action about more is about a list, which a run's reads are counted for."""
_ID = re.compile(r"[^\s:][^\s]{0,99}")


def subjects(prepared: Prepared) -> tuple[str, ...]:
    """Everything that an action is about: its resource, and whatever its payload names."""
    resource = prepared.evaluation.resource
    found = [_subject(resource.type, resource.id), *_named(prepared.payload)]
    for name in LISTS:
        listed = prepared.payload.get(name)
        for one in listed if isinstance(listed, list) else []:
            if isinstance(one, dict):
                found += _named(one)
            elif name.endswith("_ids"):
                found.append(_subject(name.removesuffix("_ids"), one))
    return tuple(dict.fromkeys(one for one in found if one))[:MOST]


def _named(payload: dict[str, Any]) -> Iterator[str]:
    for name, kind in _NAMES.items():
        if name in payload:
            yield _subject(kind, payload[name])


def _subject(kind: str, id: object) -> str:
    return f"{kind}:{id}" if isinstance(id, str) and _ID.fullmatch(id) else ""


def claims(prepared: Prepared, now: datetime) -> list[Claim]:
    """What the payload itself says of subjects. A field that can't be read claims nothing: connectors judge payloads, not this."""
    evaluation = prepared.evaluation
    found = []
    for place, part in _parts(prepared.payload):
        for key in claim_keys().values():
            said = _said(key, part, evaluation.resource.type, evaluation.resource.id)
            if said is None:
                continue
            subject, value = said
            try:
                new = NewClaim(
                    claim_id=named(evaluation.tenant_id, evaluation.action_id, prepared.digest, place, key.key),
                    subject=subject, key=key.key, value=value, source=f"{SOURCE}{evaluation.action_id}",
                )  # fmt: skip
                found.append(read(new, evaluation.tenant_id, evaluation.subject.id, now))
            except (BadClaim, ValueError):
                continue
    return found


def _parts(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "payload", payload
    for name in ("items", "lines"):
        listed = payload.get(name)
        for place, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, dict) and place < MOST:
                yield f"{name}[{place}]", one


def _said(key: ClaimKey, part: dict[str, Any], resource: str, id: str) -> tuple[str, str] | None:
    if key.payload is None:
        return None
    value = next((part[name] for name in key.payload.value if name in part), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    for name in key.payload.subject:
        if subject := _subject(name.removesuffix("_id"), part.get(name)):
            return subject, str(value)
    return (f"{resource}:{id}", str(value)) if resource in key.about else None


def shown(contradictions: object) -> set[UUID]:
    """The contradictions that an approval's view shows."""
    listed = contradictions if isinstance(contradictions, list) else []
    return {UUID(one["contradiction_id"]) for one in listed}
