"""Facts as rows, and the records that a row of a file is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.enrichment import EnrichedFact, FactState
from libs.runtime.database import BatchWork
from services.data.enriching.domain.weigh import Earlier

_MATCHES = {
    "cr": "select account_id, null::uuid as contact_id from data.accounts where tenant_id = $1 and deleted_at is null and fields->>'cr' = $2",
    "vat": "select account_id, null::uuid as contact_id from data.accounts where tenant_id = $1 and deleted_at is null and fields->>'vat' = $2",
    "domain": "select account_id, null::uuid as contact_id from data.accounts where tenant_id = $1 and deleted_at is null and fields->>'domain' = $2",
    "email": "select account_id, contact_id from data.contacts where tenant_id = $1 and deleted_at is null and lower(email) = lower($2)",
    "phone": "select account_id, contact_id from data.contacts where tenant_id = $1 and deleted_at is null and phone = $2",
}


class Facts:
    """One transaction's view of a tenant's facts."""

    def __init__(self, work: BatchWork, tenant_id: UUID) -> None:
        self._c = work.connection
        self._tenant_id = tenant_id

    async def match(self, by: str, value: str) -> list[Any]:
        """The records that have this identifier: one is found, several are nobody's."""
        return list(await self._c.fetch(f"{_MATCHES[by]} limit 2", self._tenant_id, value))

    async def lead_of(self, contact_id: UUID) -> UUID | None:
        found: UUID | None = await self._c.fetchval(
            "select lead_id from data.leads where tenant_id = $1 and contact_id = $2 and deleted_at is null order by lead_id desc limit 1",
            self._tenant_id, contact_id,
        )  # fmt: skip
        return found

    async def earlier(self, record_id: UUID, field: str) -> Earlier | None:
        row = await self._c.fetchrow(
            "select source, value, obtained_on from data.enriched_facts where tenant_id = $1 and record_id = $2 and field = $3 "
            "and state in ('applied', 'accepted') order by coalesce(decided_at, recorded_at) desc limit 1",
            self._tenant_id, record_id, field,
        )  # fmt: skip
        return Earlier(row["source"], row["value"], row["obtained_on"]) if row else None

    async def keep(self, fact: EnrichedFact) -> bool:
        """Put a fact on record; False where the same source said the same of that day before."""
        values = fact.model_dump()
        values["state"] = fact.state.value
        names = ", ".join(values)
        slots = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        done = await self._c.execute(
            f"insert into data.enriched_facts ({names}) values ({slots}) on conflict do nothing", *values.values()
        )
        return bool(done.endswith(" 1"))

    async def page(
        self, record_id: UUID | None, state: FactState | None, before: UUID | None, limit: int
    ) -> list[EnrichedFact]:
        rows = await self._c.fetch(
            "select * from data.enriched_facts where tenant_id = $1 and ($2::uuid is null or record_id = $2) "
            "and ($3::text is null or state = $3) and ($4::uuid is null or fact_id < $4) order by fact_id desc limit $5",
            self._tenant_id, record_id, state.value if state else None, before, limit,
        )  # fmt: skip
        return [EnrichedFact(**dict(row)) for row in rows]

    async def locked(self, fact_id: UUID) -> EnrichedFact | None:
        row = await self._c.fetchrow(
            "select * from data.enriched_facts where tenant_id = $1 and fact_id = $2 for update",
            self._tenant_id,
            fact_id,
        )
        return EnrichedFact(**dict(row)) if row else None

    async def decide(self, fact_id: UUID, changes: Mapping[str, Any]) -> None:
        await self._c.execute(
            "update data.enriched_facts set state = $3, decided_at = $4, decided_by = $5, reason = $6 where tenant_id = $1 and fact_id = $2",
            self._tenant_id, fact_id, changes["state"].value, changes["decided_at"], changes["decided_by"], changes["reason"],
        )  # fmt: skip

    async def touched(self, lead_id: UUID, day: Any) -> None:
        """The lead was active on that day, unless it was later."""
        await self._c.execute(
            "update data.leads set last_activity = greatest(last_activity, $3::date), version = version + 1, updated_at = now() "
            "where tenant_id = $1 and lead_id = $2 and (last_activity is null or last_activity < $3::date)",
            self._tenant_id, lead_id, day,
        )  # fmt: skip
