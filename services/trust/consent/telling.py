"""Tells how consents stand. Data counts with it; the proof of a consent stays here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.consent import ConsentsChanged, ConsentStanding
from libs.contracts.message import TenantId
from libs.contracts.subjects import CONSENTS_CHANGED
from libs.contracts.trust import ConsentRecord
from services.trust.ports import Unit

PAGE = 1000
OF_A_PERSON = 5000


def tell_consents(unit: Unit, tenant_id: TenantId, consents: Sequence[ConsentRecord]) -> None:
    """How these consents stand now."""
    for start in range(0, len(consents), PAGE):
        standing = tuple(
            ConsentStanding(
                consent_id=one.consent_id, contact_id=one.contact_id, purpose=one.purpose, channel=one.channel,
                captured_at=one.captured_at, expires_at=one.expires_at, withdrawn_at=one.withdrawn_at,
            )
            for one in consents[start : start + PAGE]
        )  # fmt: skip
        unit.emit(CONSENTS_CHANGED, ConsentsChanged(tenant_id=tenant_id, consents=standing))


async def tell_withdrawn(unit: Unit, tenant_id: TenantId, contact_id: UUID) -> None:
    """How a person's consents stand after a withdrawal."""
    tell_consents(unit, tenant_id, await unit.consents(tenant_id, contact_id, None, OF_A_PERSON))
