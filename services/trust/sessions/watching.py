"""Puts what a session has read beside what leaves in it, and keeps what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.contracts.trust import Outcome
from services.trust.domain.decide import Prepared
from services.trust.rows import Known, Ruling
from services.trust.sessions.domain import people_read, session_of
from services.trust.store import Unit


async def with_reads(unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known]) -> list[Known]:
    """The same, each action that leaves with how many people its session has read. What is in no session costs nothing."""
    leaving = {(p.evaluation.tenant_id, session_of(p)) for p in prepared if p.effect is not None and p.effect.external}
    leaving = {key for key in leaving if key[1]}
    if not leaving:
        return list(known)
    read = Counter(await unit.sessions.read(sorted(leaving)))
    out = []
    for p, k in zip(prepared, known, strict=True):
        key = (p.evaluation.tenant_id, session_of(p))
        read[key] += people_read(p)  # a batch is a sequence too
        out.append(replace(k, record=replace(k.record, people_read=read[key])) if key in leaving else k)
    return out


async def keep_reads(unit: Unit, rulings: Sequence[Ruling]) -> None:
    """Keep what granted actions read."""
    read: Counter[tuple[UUID, str]] = Counter()
    for ruling in rulings:
        session = session_of(ruling.prepared)
        if session and ruling.decision.outcome is Outcome.GRANTED and (people := people_read(ruling.prepared)):
            read[ruling.decision.tenant_id, session] += people
    if read:
        await unit.sessions.add(sorted((tenant, session, people) for (tenant, session), people in read.items()))
