"""Puts beside an evaluation whether its recipient is one of the tenant's own people, who wants to be written to now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from libs.contracts.briefs import OwnNumber
from libs.contracts.message import Ok
from services.trust.domain.decide import Prepared
from services.trust.own_people.domain import standing
from services.trust.ports import Store, Unit
from services.trust.projection import Projection
from services.trust.rows import Known


async def with_own_people(
    unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known], macs: Sequence[str], now: datetime
) -> list[Known]:
    """The same, each effect for own people with what is on record of its recipient. Other effects cost nothing."""
    out = list(known)
    for n, (p, k) in enumerate(zip(prepared, known, strict=True)):
        if p.effect is None or not p.effect.own_people or k.prior is not None:
            continue
        found = await unit.own_people.hours_of(p.evaluation.tenant_id, macs[n]) if macs[n] else []
        out[n] = replace(k, record=replace(k.record, own_recipient=standing(found, now)))
    return out


class OwnNumbers:
    """What the gateway says of a person's number: the gateway alone knows who verified which."""

    def __init__(self, store: Store, projection: Projection) -> None:
        self._store = store
        self._projection = projection

    async def put(self, request: OwnNumber) -> Ok:
        """Keep a number's keyed hash with its hours, or forget it."""
        async with self._store.unit(request.tenant_id) as unit:
            mac = self._projection.mac(request.tenant_id, request.number)
            if mac is None:
                await unit.own_people.drop(request.tenant_id, request.person)
            else:
                await unit.own_people.put(request.tenant_id, request.person, mac, request.hours)
        return Ok()
