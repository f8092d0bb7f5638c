"""Puts a tenant's caps beside what is on record, for the messages of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.business_time import RIYADH
from services.trust.consent.domain.caps import Caps, caps_of
from services.trust.domain.decide import Prepared
from services.trust.rows import Known
from services.trust.store import Unit


async def with_caps(unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known], now: datetime) -> list[Known]:
    """The same, each message with its tenant's caps. What has no channel has no caps and costs nothing."""
    out, seen = list(known), dict[tuple[UUID, str], Caps]()
    for n, (p, k) in enumerate(zip(prepared, known, strict=True)):
        channel = p.effect.channel if p.effect else None
        if channel is None or k.prior is not None:
            continue
        sender = (p.evaluation.tenant_id, channel)
        if sender not in seen:
            rules = (await unit.desk.rules(sender[0])).rules
            first = await unit.consent.first_day(*sender) if rules.warm_up else None
            seen[sender] = caps_of(rules, channel, first_day=first, today=now.astimezone(RIYADH).date())
        caps = seen[sender]
        out[n] = replace(k, record=replace(k.record, daily_cap=caps.daily, contact_cap=caps.contact))
    return out
