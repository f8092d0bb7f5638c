"""Puts beside each action what makes it stricter: its resource in quarantine, its agent suspended, beyond its skill or doubted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import replace
from uuid import UUID

from libs.contracts.message import PrincipalKind
from services.trust.domain.decide import Prepared
from services.trust.governance.domain import standing
from services.trust.rows import Known
from services.trust.screening.quarantine import with_quarantine
from services.trust.store import Unit

Agent = tuple[UUID, str]
"""A tenant and an agent's principal id."""


def agents_of(prepared: Sequence[Prepared]) -> set[Agent]:
    """The agents who ask."""
    return {
        (p.evaluation.tenant_id, p.evaluation.subject.id)
        for p in prepared
        if p.evaluation.subject.kind is PrincipalKind.AGENT
    }


async def with_standing(
    unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known], low: Set[Agent]
) -> list[Known]:
    """The same, each with its resource's quarantine and its agent's standing. `low` are agents whose trust score is low."""
    known = await with_quarantine(unit, prepared, known)
    tenants = {tenant for tenant, _ in agents_of(prepared)}
    if not tenants:
        return known
    suspended: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for tenant, kind, id in await unit.standings.suspended(tenants):
        suspended[tenant].add((kind, id))
    out = []
    for p, k in zip(prepared, known, strict=True):
        tenant, agent = p.evaluation.tenant_id, p.evaluation.subject.id
        record = replace(k.record, agent_standing=standing(p, suspended[tenant]), agent_doubted=(tenant, agent) in low)
        out.append(replace(k, record=record))
    return out
