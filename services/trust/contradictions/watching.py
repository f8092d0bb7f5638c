"""Finds contradictions where claims are written, and puts them beside the actions that they concern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.claims import Claim, ClaimStanding, Contradiction, ContradictionOpened
from libs.contracts.subjects import CONTRADICTION_OPENED
from services.trust.contradictions.domain import actions
from services.trust.contradictions.domain.conflict import contradictions, replaced
from services.trust.contradictions.domain.people import of_consents
from services.trust.domain.decide import Prepared
from services.trust.ledger.domain.entry import Entry
from services.trust.rows import Known
from services.trust.store import Unit

PEOPLE = 1000
"""Contacts whose consents are compared in one go."""


async def write(
    unit: Unit, claims: Sequence[Claim], *, found_by: str, action_id: UUID | None = None, trace_id: str = ""
) -> list[Contradiction]:
    """Put claims on record and open what they contradict, in the caller's transaction. Returns what was opened.

    A claim takes the place of its own source's; a contradiction that is open already stays open until a person decides.
    """
    if not claims:
        return []
    keys = sorted({(claim.tenant_id, claim.subject) for claim in claims})
    await unit.contradictions.lock(keys)
    current = await unit.contradictions.current(keys)
    made = await unit.contradictions.add(claims)
    gone = {one.claim_id for claim in made if action_id is None for one in replaced(claim, current)}
    for tenant in {claim.tenant_id for claim in made} if gone else ():
        mine = [one.claim_id for one in current if one.claim_id in gone and one.tenant_id == tenant]
        await unit.contradictions.stand(tenant, mine, ClaimStanding.REPLACED)
    others = [one for one in standing_alone((*current, *made)) if one.claim_id not in gone]
    now = await unit.now()
    found = contradictions(claims, others, found_by=found_by, now=now, action_id=action_id)
    opened = await unit.contradictions.open(found)
    await _tell(unit, opened, claims[0].recorded_by if found_by != "sweep" else "system:trust", now, trace_id)
    return opened


def standing_alone(claims: Iterable[Claim]) -> list[Claim]:
    """Claims that others are compared with. What a payload says is that action's alone."""
    return [one for one in claims if not one.source.startswith(actions.SOURCE)]


async def _tell(unit: Unit, opened: Sequence[Contradiction], actor: str, now: datetime, trace_id: str) -> None:
    """On record without the values: an entry is kept long after a claim may have to be erased."""
    if not opened:
        return
    await unit.append([
        Entry(
            tenant_id=one.tenant_id, kind="contradiction.opened", actor=actor, target=one.subject, at=now, trace_id=trace_id,
            data={
                "contradiction_id": str(one.contradiction_id), "kind": one.kind.value, "severity": one.severity, "found_by": one.found_by,
                "claims": [str(claim.claim_id) for claim in one.claims], "action_id": str(one.action_id or ""),
            },
        )
        for one in opened
    ])  # fmt: skip
    for one in opened:
        unit.emit(
            CONTRADICTION_OPENED,
            ContradictionOpened(
                contradiction_id=one.contradiction_id, tenant_id=one.tenant_id, subject=one.subject, kind=one.kind, severity=one.severity,
                action_id=one.action_id, opened_at=now,
            ),
        )  # fmt: skip


async def of_people(unit: Unit, tenant_id: UUID, contact_ids: Sequence[UUID] | None, *, found_by: str) -> None:
    """Compare what the records say of people's consent: given here, withdrawn there."""
    people = await unit.contradictions.people(tenant_id, contact_ids, PEOPLE)
    await write(unit, of_consents(people, tenant_id, await unit.now()), found_by=found_by)


async def with_contradictions(
    unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known], now: datetime, *, keep: bool
) -> list[Known]:
    """The same, each action with what is undecided about its subjects, and with what its own payload contradicts.

    An approval whose view did not show one of them is none: people are asked again, and see it. `keep` puts on record what
    payloads contradict.
    """
    about = [actions.subjects(p) for p in prepared]
    keys = sorted(
        {(p.evaluation.tenant_id, subject) for p, found in zip(prepared, about, strict=True) for subject in found}
    )
    if not keys:
        return list(known)
    said = [actions.claims(p, now) if k.prior is None else [] for p, k in zip(prepared, known, strict=True)]
    own = [await _own(unit, p, claims, now, keep=keep) for p, claims in zip(prepared, said, strict=True)]
    waiting: Mapping[tuple[UUID, str], list[Contradiction]] = defaultdict(list)
    for one in await unit.contradictions.waiting(keys):
        waiting[one.tenant_id, one.subject].append(one)
    if not waiting and not any(found or refuted for found, refuted in own):
        return list(known)
    out = []
    for p, k, found, (fresh, refuted) in zip(prepared, known, about, own, strict=True):
        mine = {c.contradiction_id: c for c in fresh}
        for subject in found:
            for one in waiting[p.evaluation.tenant_id, subject]:
                if one.action_id in (None, p.evaluation.action_id):
                    mine[one.contradiction_id] = one
        out.append(await _beside(unit, p, k, tuple(mine.values()), refuted))
    return out


async def _own(
    unit: Unit, p: Prepared, claims: Sequence[Claim], now: datetime, *, keep: bool
) -> tuple[list[Contradiction], bool]:
    """What a payload contradicts and nobody has decided, and whether a person has decided that it does not stand."""
    if not claims:
        return [], False
    tenant, action = p.evaluation.tenant_id, p.evaluation.action_id
    current = await unit.contradictions.current(sorted({(tenant, claim.subject) for claim in claims}))
    others = standing_alone(current)
    if not contradictions(claims, others, found_by="action", now=now):
        found: list[Contradiction] = []
    elif keep:
        found = await write(unit, claims, found_by="action", action_id=action, trace_id=p.evaluation.trace_id)
    else:
        would = contradictions(claims, others, found_by="action", now=now, action_id=action)
        decided = await unit.contradictions.known(would)
        found = [one for one in would if one.contradiction_id not in decided]
    standings = await unit.contradictions.standings([(tenant, claim.claim_id) for claim in claims])
    return found, ClaimStanding.REFUTED in standings.values()


async def _beside(unit: Unit, p: Prepared, k: Known, found: tuple[Contradiction, ...], refuted: bool) -> Known:
    record = replace(k.record, contradictions=found, refuted=refuted)
    if found and record.approval == "approved" and record.approval_id is not None:
        approval = await unit.approval(p.evaluation.tenant_id, record.approval_id)
        seen = actions.shown(approval[0].view.get("contradictions")) if approval else set()
        if {one.contradiction_id for one in found} - seen:
            record = replace(record, approval="none", approval_id=None)
    return replace(k, record=record)
