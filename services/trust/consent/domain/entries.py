"""What the ledger says of a consent."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.trust import ConsentRecord
from services.trust.ledger.domain.entry import Entry

CONSENT_LIFETIME = timedelta(days=730)


def consent_entry(tenant_id: UUID, actor: str, consent: ConsentRecord, now: datetime) -> Entry:
    """What the ledger says of a consent: enough to prove which one, when and by which notice; its evidence by hash."""
    return Entry(
        tenant_id=tenant_id,
        kind="consent.recorded",
        actor=actor,
        target=f"contact:{consent.contact_id}",
        at=now,
        data={
            "consent_id": str(consent.consent_id),
            "channel": consent.channel,
            "purpose": consent.purpose,
            "method": consent.method,
            "captured_at": consent.captured_at.isoformat(),
            "notice_version": consent.notice_version,
            "evidence_sha256": hashlib.sha256(consent.evidence.encode()).hexdigest(),
            **({} if consent.explicit is None else {"explicit": consent.explicit}),
            **({} if consent.bundled_with_service is None else {"bundled_with_service": consent.bundled_with_service}),
        },
    )
