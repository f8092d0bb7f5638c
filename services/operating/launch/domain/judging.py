"""From what was looked at and what people attested to a gate's standing, and from all standings to how ready a launch is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.gates import Environment, Gate, Gates
from libs.contracts.catalogue.roles import roles
from libs.contracts.launch import (
    GateAttestation,
    GateResult,
    GateSeen,
    GateStanding,
    GoLiveReply,
    HoldsDown,
    LaunchReadiness,
)
from libs.contracts.message import Text
from libs.contracts.operating import PlaneHealth
from services.operating.domain.health import OK

_R = GateResult
NOBODY = Text(en="Nobody has attested this yet.", ar="لم يشهد أحد بذلك بعد.")
EXPIRED = Text(en="The attestation has expired.", ar="انتهت صلاحية الشهادة.")
TAKEN_BACK = Text(en="A person says that it does not hold.", ar="أفاد شخص بأنه غير مستوفى.")
NOT_ASKED = Text(en="What answers for this could not be asked.", ar="تعذّر سؤال الجهة التي تجيب عنه.")
PLANE_SILENT = Text(en="This plane does not report that it is well.", ar="لا يبلغ هذا المستوى بأنه سليم.")
PLANE_TODO = Text(en="Look at its checks under /health/planes.", ar="راجع فحوصه في ‎/health/planes.")


def standing(
    gate: Gate,
    seen: Mapping[str, GateSeen],
    word: GateAttestation | None,
    *,
    environment: Environment,
    points: int,
    today: date,
) -> GateStanding:
    """A gate as it stands today. What was not looked at is unknown; a word never covers what fails."""
    looked = tuple(seen.get(look.key) or _unseen(look.key) for look in gate.looks)
    result, why = _looked(looked)
    if result is _R.UNKNOWN and gate.attested_by:
        result, why = _attested(word, today, why if looked else NOBODY)
    return GateStanding(
        gate=gate.key,
        title=Text(en=gate.en, ar=gate.ar),
        todo=Text(en=gate.todo_en, ar=gate.todo_ar),
        evidence=Text(en=gate.evidence_en, ar=gate.evidence_ar),
        owner=gate.owner,
        blocking=gate.blocking,
        automatic=bool(gate.looks),
        attested_by=gate.attested_by,
        result=result,
        why=why,
        blocks=gate.blocking and environment.enforced and result is not _R.PASS,
        points=points,
        seen=looked,
        attestation=word,
    )


def _unseen(key: str) -> GateSeen:
    return GateSeen(what=key, result=_R.UNKNOWN, why=NOT_ASKED)


def _looked(seen: Sequence[GateSeen]) -> tuple[GateResult, Text]:
    """The worst of what was seen; nothing seen is unknown."""
    for worst in (_R.FAIL, _R.UNKNOWN):
        for one in seen:
            if one.result is worst:
                return worst, one.why
    return (_R.PASS, seen[-1].why) if seen else (_R.UNKNOWN, NOBODY)


def _attested(word: GateAttestation | None, today: date, otherwise: Text) -> tuple[GateResult, Text]:
    if word is None:
        return _R.UNKNOWN, otherwise
    if not word.holds:
        return _R.FAIL, TAKEN_BACK
    if word.expires_on < today:
        return _R.UNKNOWN, EXPIRED
    until, role = word.expires_on.isoformat(), roles().system_roles[word.role]
    return _R.PASS, Text(en=f"Attested until {until} ({role.en}).", ar=f"تسري شهادة بذلك حتى {until} ({role.ar}).")


def matrix(
    catalogue: Gates,
    seen: Mapping[str, GateSeen],
    words: Mapping[str, GateAttestation],
    *,
    environment: str,
    now: datetime,
) -> GoLiveReply:
    """Every gate, in the catalogue's order."""
    where = catalogue.environments[environment]
    items = tuple(
        standing(
            gate,
            seen,
            words.get(gate.key),
            environment=where,
            points=catalogue.points(gate),
            today=now.astimezone(RIYADH).date(),
        )
        for gate in catalogue.gates.values()
    )
    counts = {result.value: sum(one.result is result for one in items) for result in GateResult}
    return GoLiveReply(
        environment=environment,
        enforced=where.enforced,
        checked_at=now,
        items=items,
        counts=counts,
        blocking_open=sum(one.blocking and one.result is not _R.PASS for one in items),
    )


def readiness(found: GoLiveReply, planes: Iterable[PlaneHealth], *, plane_points: int) -> LaunchReadiness:
    """The score and what holds it down: what blocks first, then what costs most. No environment makes an open gate ready."""
    heard = tuple(planes)
    reasons = [_gate_reason(one) for one in found.items if one.result is not _R.PASS]
    reasons += [_plane_reason(one, plane_points) for one in heard if one.status != OK]
    points = sum(one.points for one in found.items) + plane_points * len(heard)
    earned = points - sum(one.points for one in reasons)
    return LaunchReadiness(
        environment=found.environment,
        enforced=found.enforced,
        checked_at=found.checked_at,
        # Emptiness is no readiness: without a gate or a plane there is nothing that could be ready.
        ready=bool(found.items) and bool(heard) and not any(one.blocking for one in reasons),
        score=100 * earned // points if points else 0,
        earned=earned,
        points=points,
        reasons=tuple(sorted(reasons, key=lambda one: (not one.blocking, -one.points))),
    )


def _gate_reason(one: GateStanding) -> HoldsDown:
    return HoldsDown(
        kind="gate", key=one.gate, title=one.title, why=one.why, todo=one.todo, owner=one.owner, blocking=one.blocking, points=one.points
    )  # fmt: skip


def _plane_reason(one: PlaneHealth, points: int) -> HoldsDown:
    name = one.plane.value
    title = Text(en=f"The {name} plane is well", ar=f"سلامة المستوى {name}")
    why = Text(en=f"{PLANE_SILENT.en} ({one.status})", ar=f"{PLANE_SILENT.ar} ({one.status})")
    return HoldsDown(
        kind="plane", key=name, title=title, why=why, todo=PLANE_TODO, owner="operator", blocking=True, points=points
    )
