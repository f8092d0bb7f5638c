"""The retention rule at work: who is kept beyond its term gets an erasure request, which a person then carries out or refuses.

Nothing is destroyed unasked, and nothing is kept in silence: the request has the statutory clock (PDPL art. 18; Implementing
Regulation art. 8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from libs.contracts.message import new_id
from libs.contracts.rights import RightsKind, RightsRequest, RightsState
from libs.runtime.database import Database
from services.trust.ledger.domain.entry import Entry
from services.trust.rights.domain.terms import TERM
from services.trust.rights.store import RightsStore
from services.trust.store import SqlUnit

EVERY_SECONDS = 3600.0
MOST = 500
"""Requests that one look opens for a tenant: what is more waits for the next."""
SYSTEM = "system:retention"

# The strictest rule for contacts decides, as it does for the control. A refusal says why somebody is kept, and holds for half a year.
_PAST = """
with rule as (select document as e from trust.registers where tenant_id = $1 and kind = 'retention' and deleted_at is null
  and document->>'category' = 'contact' order by (document->>'keep_days')::int limit 1)
select c.contact_id from trust.contact_facts c, rule where c.tenant_id = $1 and (rule.e->>'legal_hold')::boolean is not true
  and c.obtained_at + (rule.e->>'keep_days')::int < (now() at time zone 'Asia/Riyadh')::date and not exists (select 1 from trust.rights_requests r
    where r.tenant_id = $1 and r.contact_id = c.contact_id and r.kind = 'erasure'
      and (r.state in ('received', 'identified', 'working') or r.state = 'refused' and r.closed_at > now() - interval '180 days'))
order by c.obtained_at limit $2
"""


class Expiry:
    def __init__(self, database: Database, tenants: Callable[[], Awaitable[list[UUID]]]) -> None:
        self._database = database
        self._tenants = tenants

    async def run(self) -> None:
        """Look at every tenant, for ever."""
        while True:
            for tenant in await self._tenants():
                await self.look(tenant)
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self, tenant: UUID) -> int:
        """Open a request for each contact past its term that has none. Returns how many."""
        async with self._database.batch(tenant) as work:
            # Of two replicas the second finds what the first opened.
            await work.connection.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tenant}/retention"
            )
            rows = await work.connection.fetch(_PAST, tenant, MOST)
            unit = SqlUnit(work)
            for row in rows:
                await self._open(unit, tenant, row["contact_id"])
        return len(rows)

    async def _open(self, unit: SqlUnit, tenant: UUID, contact: UUID) -> None:
        store, now = RightsStore(unit.connection), await unit.now()
        made = RightsRequest(
            request_id=new_id(), tenant_id=tenant, kind=RightsKind.ERASURE, state=RightsState.RECEIVED, contact_id=contact,
            identifier_matches=True, details="retention", received_at=now, due_at=now + TERM,
        )  # fmt: skip
        await store.add(made)
        # Nobody has to prove who they are: the record's own date is what asks.
        known: RightsRequest = made.evolve(state=RightsState.IDENTIFIED, identified_by=SYSTEM)
        await store.change(known)
        for step in ("received", "identified"):
            await _note(unit, store, known, step, now)


async def _note(unit: SqlUnit, store: RightsStore, request: RightsRequest, step: str, now: Any) -> None:
    await store.step(request.tenant_id, request.request_id, SYSTEM, step, "retention")
    entry = Entry(
        tenant_id=request.tenant_id, kind=f"rights.{step}", actor=SYSTEM, target=f"rights:{request.request_id}", at=now,
        data={"kind": request.kind.value, "why": "retention"},
    )  # fmt: skip
    await unit.append([entry])
