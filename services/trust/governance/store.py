"""What is suspended, within one transaction: the protocol, its PostgreSQL form, and its twin in memory."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.governance import Kind, Standing


class Standings(Protocol):
    async def suspended(self, tenants: Collection[UUID]) -> set[tuple[UUID, str, str]]:
        """Tenant, kind and id of everything that is suspended."""
        ...

    async def all(self, tenant_id: UUID) -> list[Standing]: ...

    async def put(
        self, tenant_id: UUID, kind: Kind, id: str, *, suspended: bool, reason: str, who: str
    ) -> Standing: ...


class SqlStandings:
    """In the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def suspended(self, tenants: Collection[UUID]) -> set[tuple[UUID, str, str]]:
        rows = await self._c.fetch(
            "select tenant_id, kind, id from trust.standings where tenant_id = any($1::uuid[]) and suspended",
            list(tenants),
        )
        return {(row["tenant_id"], row["kind"], row["id"]) for row in rows}

    async def all(self, tenant_id: UUID) -> list[Standing]:
        rows = await self._c.fetch(
            "select kind, id, suspended, reason, changed_by, changed_at from trust.standings where tenant_id = $1 order by kind, id",
            tenant_id,
        )
        return [Standing(**row) for row in rows]

    async def put(self, tenant_id: UUID, kind: Kind, id: str, *, suspended: bool, reason: str, who: str) -> Standing:
        row = await self._c.fetchrow(
            "insert into trust.standings (tenant_id, kind, id, suspended, reason, changed_by) values ($1, $2, $3, $4, $5, $6) "
            "on conflict (tenant_id, kind, id) do update set suspended = excluded.suspended, reason = excluded.reason, "
            "changed_by = excluded.changed_by, changed_at = now() returning kind, id, suspended, reason, changed_by, changed_at",
            tenant_id, kind.value, id, suspended, reason, who,
        )  # fmt: skip
        return Standing(**row)


class MemoryStandings:
    def __init__(self, table: dict[tuple[UUID, str, str], Standing], now: datetime) -> None:
        self._table = table
        self._now = now

    async def suspended(self, tenants: Collection[UUID]) -> set[tuple[UUID, str, str]]:
        return {key for key, row in self._table.items() if key[0] in tenants and row.suspended}

    async def all(self, tenant_id: UUID) -> list[Standing]:
        return [row for key, row in sorted(self._table.items()) if key[0] == tenant_id]

    async def put(self, tenant_id: UUID, kind: Kind, id: str, *, suspended: bool, reason: str, who: str) -> Standing:
        made = Standing(kind=kind, id=id, suspended=suspended, reason=reason, changed_by=who, changed_at=self._now)
        self._table[tenant_id, kind.value, id] = made
        return made
