"""Puts beside an evaluation that asks a model whether that model may see what it would be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.trust.domain.decide import Prepared
from services.trust.model_calls.domain import fitting
from services.trust.ports import Unit
from services.trust.rows import Known


async def with_models(unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known]) -> list[Known]:
    """The same, each question to a model with what speaks against it. Other effects cost nothing."""
    asking = [
        n
        for n, (p, k) in enumerate(zip(prepared, known, strict=True))
        if p.effect is not None and p.effect.model and k.prior is None
    ]
    out = list(known)
    if not asking:
        return out
    lines = {(p.evaluation.tenant_id, p.effect.connector) for p in (prepared[n] for n in asking) if p.effect}
    safe = await unit.transfers.safeguarded(lines)
    suspended: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for tenant, kind, id in await unit.standings.suspended({tenant for tenant, _ in lines}):
        suspended[tenant].add((kind, id))
    for n in asking:
        one, tenant = prepared[n], prepared[n].evaluation.tenant_id
        line = (tenant, one.effect.connector if one.effect else "")
        call = fitting(one, suspended[tenant], safeguarded=line in safe)
        out[n] = replace(out[n], record=replace(out[n].record, model_call=call))
    return out
