"""When two claims can't both hold."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from libs.contracts.catalogue.claims import ContradictionKind, claim_keys
from libs.contracts.claims import Claim, Contradiction, ContradictionState, NewClaim
from services.trust.contradictions.errors import BadClaim

_NAMESPACE = UUID("0f6a4a0b-9d5e-5c0e-8a47-8f6d6c1f2b10")
_SUBJECT = re.compile(r"[a-z][a-z_]{1,29}:[^\s:]\S{0,99}")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def read(new: NewClaim, tenant_id: UUID, recorded_by: str, now: datetime) -> Claim:
    """A claim in its one spelling.

    Raises BadClaim naming what does not fit.
    """
    key = claim_keys().get(new.key)
    if key is None:
        raise BadClaim(f"There is no claim {new.key}.", f"لا يوجد ادعاء باسم {new.key}.")
    if not _SUBJECT.fullmatch(new.subject):
        raise BadClaim(
            "A subject is kind:id without spaces, for instance deal:42.", "الموضوع نوع:معرّف بلا مسافات، مثل deal:42."
        )
    kind = new.subject.partition(":")[0]
    if kind not in key.about:
        raise BadClaim(
            f"{key.en} is claimed of: {', '.join(key.about)}.", f"يُذكر «{key.ar}» عن: {', '.join(key.about)}."
        )
    try:
        value, unit = key.read(new.value, new.unit)
    except ValueError as error:
        raise BadClaim(
            f"{key.en} is not of the right form ({key.type}{_allowed(key.units, key.choices)}).",
            f"صيغة «{key.ar}» غير صحيحة ({key.type}{_allowed(key.units, key.choices)}).",
        ) from error
    if any(at is not None and at.tzinfo is None for at in (new.valid_from, new.valid_to)):
        raise BadClaim("Times name their time zone.", "يجب أن تذكر الأوقات المنطقة الزمنية.")
    if new.valid_from is not None and new.valid_to is not None and new.valid_to <= new.valid_from:
        raise BadClaim("A claim ends after it begins.", "ينتهي الادعاء بعد بدايته لا قبلها.")
    return Claim(
        **{**dict(new), "value": value, "unit": unit}, tenant_id=tenant_id, recorded_by=recorded_by, recorded_at=now
    )


def _allowed(units: Iterable[str], choices: Iterable[str]) -> str:
    listed = ", ".join([*units, *choices])
    return f": {listed}" if listed else ""


def related(keys: Iterable[str]) -> set[str]:
    """The keys that claims of these keys are compared with."""
    found = set(keys)
    for key in claim_keys().values():
        if key.before and found & {key.key, key.before}:
            found |= {key.key, key.before}
    return found


def replaced(new: Claim, current: Iterable[Claim]) -> list[Claim]:
    """Claims that `new` takes the place of: the same person or plane says it, of the same source, for the same time.

    Another who names the same source replaces nothing: that would silence a contradiction.
    """
    return [
        one
        for one in current
        if (one.subject, one.key, one.source, one.recorded_by) == (new.subject, new.key, new.source, new.recorded_by)
        and one.claim_id != new.claim_id
        and _overlap(one, new)
    ]


def conflict(one: Claim, other: Claim) -> ContradictionKind | None:
    """What kind of contradiction two claims are; None where both can hold."""
    if (one.tenant_id, one.subject) != (other.tenant_id, other.subject) or not _overlap(one, other):
        return None
    keys = claim_keys()
    if one.key == other.key:
        key = keys[one.key]
        return None if key.agree((one.value, one.unit), (other.value, other.unit)) else key.kind
    for first, second in ((one, other), (other, one)):
        if keys[first.key].before == second.key:
            late = date.fromisoformat(first.value) > date.fromisoformat(second.value)
            return keys[first.key].kind if late else None
    return None


def contradictions(
    new: Iterable[Claim], current: Sequence[Claim], *, found_by: str, now: datetime, action_id: UUID | None = None
) -> list[Contradiction]:
    """What `new` claims contradict among `current` ones. The same two claims are the same contradiction, whenever they are compared."""
    by_subject: dict[str, list[Claim]] = defaultdict(list)
    for one in current:
        by_subject[one.subject].append(one)
    found: dict[UUID, Contradiction] = {}
    for claim in new:
        for other in by_subject[claim.subject]:
            kind = conflict(claim, other) if other.claim_id != claim.claim_id else None
            if kind is None:
                continue
            first, second = sorted((claim, other), key=lambda c: c.claim_id)
            made = uuid.uuid5(_NAMESPACE, f"{first.tenant_id}|{first.claim_id}|{second.claim_id}")
            found[made] = Contradiction(
                contradiction_id=made, tenant_id=claim.tenant_id, subject=claim.subject, kind=kind,
                severity=claim_keys()[claim.key].severity, state=ContradictionState.OPEN, claims=(first, second), action_id=action_id,
                found_by=found_by, opened_at=now,
            )  # fmt: skip
    return list(found.values())


def named(*parts: object) -> UUID:
    """The id of a claim that a plane derives: the same claim has the same id, however often it is read."""
    return uuid.uuid5(_NAMESPACE, "|".join(str(part) for part in parts))


def _overlap(one: Claim, other: Claim) -> bool:
    return (one.valid_from or _FIRST) < (other.valid_to or _LAST) and (other.valid_from or _FIRST) < (
        one.valid_to or _LAST
    )
