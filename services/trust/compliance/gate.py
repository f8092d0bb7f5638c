"""Which tenants have a gate control that fails: nothing live leaves them until it is mended."""

from __future__ import annotations

import time
from collections.abc import Collection
from uuid import UUID

from libs.contracts.catalogue.controls import ControlMode, controls
from libs.runtime.database import Database

FRESH_SECONDS = 5.0

# A control that somebody set aside, with a reason and for a time, holds nothing up.
_FAILING = """
select distinct f.tenant_id from trust.control_failures f where f.tenant_id = any($1::uuid[]) and f.control_id = any($2::text[])
  and not exists (select 1 from (select applies, valid_until from trust.control_attestations a where a.tenant_id = f.tenant_id
    and a.control_id = f.control_id order by attested_at desc, attestation_id desc limit 1) newest
    where not newest.applies and newest.valid_until >= (now() at time zone 'Asia/Riyadh')::date)
"""


class Gates:
    """Answers for the hot path: what is read is believed for a few seconds. What can't be read raises, and nothing is decided."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[UUID, tuple[float, bool]] = {}

    async def failing(self, tenants: Collection[UUID]) -> set[UUID]:
        """The tenants, of those asked about, that have a failing gate control."""
        now = time.monotonic()
        old = [t for t in tenants if t not in self._seen or now - self._seen[t][0] >= FRESH_SECONDS]
        if old:
            gates = [key for key, control in controls().items() if control.mode is ControlMode.GATE]
            async with self._database.batch(*old) as work:
                rows = await work.connection.fetch(_FAILING, old, gates)
            found = {row["tenant_id"] for row in rows}
            self._seen |= {tenant: (now, tenant in found) for tenant in old}
        return {tenant for tenant in tenants if self._seen[tenant][1]}
