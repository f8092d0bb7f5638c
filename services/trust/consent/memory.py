"""Suppressions as a list, and what waits for a contact, in memory. `tables` are those of the unit of work that this is part of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.consent import Suppression
from libs.contracts.trust import ApprovalState, ConsentRecord
from services.trust.consent.store import SHOWN


class MemoryConsents:
    def __init__(self, tables: Any, now: datetime) -> None:
        self._t = tables
        self._now = now

    async def suppressions(self, tenant_id: UUID, after: str | None, limit: int) -> list[tuple[str, Suppression]]:
        found = [
            (mac, Suppression(name=mac[:SHOWN], reason=reason, actor=actor, at=self._now))
            for (tenant, mac), (reason, actor) in sorted(self._t.suppressions.items())
            if tenant == tenant_id and (after is None or mac > after)
        ]
        return found[:limit]

    async def contacts_of(self, tenant_id: UUID, mac: str) -> list[UUID]:
        return [
            contact
            for (tenant, contact), row in self._t.facts.items()
            if tenant == tenant_id and mac in (row.email_mac, row.phone_mac)
        ]

    async def waiting_about(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
        wanted = {str(one) for one in contact_ids}
        found = []
        for (tenant, approval_id), row in self._t.approvals.items():
            about = row.approval.view.get("resource", {})
            pending = tenant == tenant_id and row.approval.state is ApprovalState.PENDING
            if pending and about.get("type") == "contact" and about.get("id") in wanted:
                found.append((UUID(about["id"]), approval_id))
        return found

    async def first_day(self, tenant_id: UUID, channel: str) -> date | None:
        days = [
            day for (tenant, of, day), used in self._t.caps.items() if (tenant, of) == (tenant_id, channel) and used
        ]
        return min(days, default=None)

    async def one(self, tenant_id: UUID, consent_id: UUID) -> ConsentRecord | None:
        found: ConsentRecord | None = self._t.consents.get((tenant_id, consent_id))
        return found

    async def macs(self, tenant_id: UUID, contact_id: UUID) -> tuple[str | None, str | None]:
        row = self._t.facts.get((tenant_id, contact_id))
        return (row.email_mac, row.phone_mac) if row else (None, None)
