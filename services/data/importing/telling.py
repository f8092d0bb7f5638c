"""Tells decision which leads are worth another look, in the transaction that changed them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.data import LeadsChanged
from libs.contracts.subjects import LEADS_CHANGED
from libs.runtime.database import Work

PAGE = 1000
FEW = 2000
"""Up to so many contacts an import names its leads; beyond, all of the tenant's are ranked anyway."""


def tell_leads(
    work: Work,
    tenant_id: UUID,
    now: datetime,
    *,
    leads: Sequence[UUID] = (),
    accounts: Sequence[UUID] = (),
    contacts: Sequence[UUID] = (),
) -> None:
    """Emit the ids, a page at a time; nothing when there are none."""
    for start in range(0, max(len(leads), len(accounts), len(contacts)), PAGE):
        part = slice(start, start + PAGE)
        changed = LeadsChanged(
            tenant_id=tenant_id,
            lead_ids=tuple(leads[part]),
            account_ids=tuple(accounts[part]),
            contact_ids=tuple(contacts[part]),
            at=now,
        )
        work.emit(LEADS_CHANGED, changed)
