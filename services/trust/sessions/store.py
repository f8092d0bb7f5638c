"""What sessions have read: the protocol, its PostgreSQL form, and its twin in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.trust.sessions.domain import WINDOW

Key = tuple[UUID, str]


class Sessions(Protocol):
    async def read(self, keys: Sequence[Key]) -> dict[Key, int]:
        """How many people each session has read about within the window."""
        ...

    async def add(self, rows: Sequence[tuple[UUID, str, int]]) -> None: ...


class SqlSessions:
    """In the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def read(self, keys: Sequence[Key]) -> dict[Key, int]:
        rows = await self._c.fetch(
            "select s.tenant_id, s.session, s.people from unnest($1::uuid[], $2::text[]) as x(t, s0) "
            "join trust.session_reads s on s.tenant_id = x.t and s.session = x.s0 where s.last_at > now() - $3::interval",
            [tenant for tenant, _ in keys],
            [session for _, session in keys],
            WINDOW,
        )
        return {(row["tenant_id"], row["session"]): row["people"] for row in rows}

    async def add(self, rows: Sequence[tuple[UUID, str, int]]) -> None:
        await self._c.execute(
            "insert into trust.session_reads as r (tenant_id, session, people) select * from unnest($1::uuid[], $2::text[], $3::int[]) "
            "on conflict (tenant_id, session) do update set last_at = now(), "
            "people = excluded.people + case when r.last_at > now() - $4::interval then r.people else 0 end",
            *map(list, zip(*rows, strict=True)),
            WINDOW,
        )


class MemorySessions:
    """Over a dictionary that the memory store copies with its other tables."""

    def __init__(self, table: dict[Key, tuple[int, datetime]], now: datetime) -> None:
        self._table = table
        self._now = now

    async def read(self, keys: Sequence[Key]) -> dict[Key, int]:
        found = {key: self._table[key] for key in keys if key in self._table}
        return {key: people for key, (people, last) in found.items() if last > self._now - WINDOW}

    async def add(self, rows: Sequence[tuple[UUID, str, int]]) -> None:
        before = await self.read([(tenant, session) for tenant, session, _ in rows])
        for tenant, session, people in rows:
            self._table[tenant, session] = (people + before.get((tenant, session), 0), self._now)
