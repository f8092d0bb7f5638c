"""Puts beside each action whether what came in about its resource is in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.trust.domain.decide import Prepared
from services.trust.rows import Known
from services.trust.screening.store import Key
from services.trust.store import Unit


async def with_quarantine(unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known]) -> list[Known]:
    """The same, each with whether its resource waits for somebody to look at what came in about it."""
    keys = [_key(p) for p in prepared]
    asked = sorted({key for key in keys if not key[1].startswith("tenant:")})
    if not asked:
        return list(known)
    held = await unit.findings.quarantined(asked)
    if not held:
        return list(known)
    return [
        replace(k, record=replace(k.record, quarantined=True)) if key in held else k
        for k, key in zip(known, keys, strict=True)
    ]


def _key(prepared: Prepared) -> Key:
    evaluation = prepared.evaluation
    return evaluation.tenant_id, f"{evaluation.resource.type}:{evaluation.resource.id}"
