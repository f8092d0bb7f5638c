"""The projection of contacts: fed by events and, where something is missing or stale, by asking data.

A caller's assertion never gets in: only the data plane's answer to this plane's own question does.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from uuid import UUID

from libs.contracts.data import ContactFacts, FactsRequest
from libs.contracts.errors import DealixError
from libs.contracts.message import TenantId
from libs.contracts.subjects import FACTS
from libs.contracts.trust import ConsentRecord
from libs.runtime.bus import Bus
from services.trust.consent.domain.entries import CONSENT_LIFETIME, consent_entry
from services.trust.consent.telling import tell_consents
from services.trust.contradictions.watching import of_people
from services.trust.domain.facts import identifier_mac
from services.trust.store import Store, Unit

log = logging.getLogger(__name__)

_NAMESPACE = uuid.UUID("6b1f3c0e-6f0e-5d0a-9d0c-0d6f2f8a9d11")
PAGE = 1000


class Projection:
    """Keeps `contact_facts` fresh. `identifier_key` names identifiers without storing them."""

    def __init__(self, store: Store, bus: Bus, identifier_key: bytes) -> None:
        self._store = store
        self._bus = bus
        self._key = identifier_key

    def mac(self, tenant_id: TenantId, identifier: str | None) -> str | None:
        return identifier_mac(self._key, tenant_id, identifier) if identifier else None

    async def refresh(self, tenant_id: TenantId, contact_ids: Sequence[UUID]) -> None:
        """Bring missing and stale contacts up to date. When data does not answer they stay unknown, and unknown denies."""
        async with self._store.unit(tenant_id) as unit:
            stale = await unit.stale(tenant_id, contact_ids)
        await self.fetch(tenant_id, stale)

    async def fetch(self, tenant_id: TenantId, contact_ids: Sequence[UUID]) -> None:
        """Ask data for these contacts and store its answer."""
        for start in range(0, len(contact_ids), PAGE):
            page = tuple(contact_ids[start : start + PAGE])
            try:
                reply = await self._bus.call(FACTS, FactsRequest(tenant_id=tenant_id, contact_ids=page))
            except DealixError as error:
                log.warning("facts stay unknown: %s", error.code)
                return
            known = {item.contact_id for item in reply.items}
            async with self._store.unit(tenant_id) as unit:
                # What data does not know any more must not be decided on.
                await unit.forget(tenant_id, [contact for contact in page if contact not in known])
                if reply.items:
                    await self._store_facts(unit, tenant_id, reply.items)

    async def _store_facts(self, unit: Unit, tenant_id: TenantId, facts: Sequence[ContactFacts]) -> None:
        await unit.project(
            tenant_id, facts, [(self.mac(tenant_id, f.email), self.mac(tenant_id, f.phone)) for f in facts]
        )
        consents = [record for f in facts for record in _consents(f)]
        await self._store_consents(unit, tenant_id, consents)
        doubted = [f.contact_id for f in facts if f.consents or f.opted_out == "yes"]
        if doubted:
            await of_people(unit, tenant_id, doubted, found_by="write")

    async def _store_consents(self, unit: Unit, tenant_id: TenantId, consents: Sequence[ConsentRecord]) -> None:
        if not consents:
            return
        fresh = await unit.add_consents(tenant_id, consents)
        if fresh:
            now = await unit.now()
            await unit.append([consent_entry(tenant_id, "plane:data", record, now) for record in consents])
            tell_consents(unit, tenant_id, consents)


def _consents(facts: ContactFacts) -> list[ConsentRecord]:
    """Consents with evidence. One without is no consent; the same claim has the same id, however often it is read."""
    out = []
    for claim in facts.consents:
        if not claim.evidence.strip():
            continue
        name = f"{facts.contact_id}|{claim.channel}|{claim.purpose}|{claim.captured_at.isoformat()}"
        out.append(
            ConsentRecord(
                consent_id=uuid.uuid5(_NAMESPACE, name),
                contact_id=facts.contact_id,
                purpose=claim.purpose,
                channel=claim.channel,
                method=claim.method,
                captured_at=claim.captured_at,
                evidence=claim.evidence,
                notice_version="imported",
                expires_at=claim.captured_at + CONSENT_LIFETIME,
            )
        )
    return out
