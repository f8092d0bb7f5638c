"""Breakers and buckets in PostgreSQL: every replica sees the same, and a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.execution.traffic.domain import Breaker, Bucket, take

_FULL = 1e9
"""Tokens of a bucket that nobody has taken from; no more than its capacity counts."""
Line = tuple[UUID, str]
"""A tenant's connector."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch showed of one tenant's connector."""

    ok: bool
    failures: int = 0
    retry_after: float | None = None


class Traffic(Protocol):
    """Part of a unit of work."""

    async def held(self, tenants: Sequence[UUID]) -> dict[Line, float]:
        """Connectors that are not tried now: for how many seconds; 0 where one action may try."""
        ...

    async def observe(self, seen: Mapping[Line, Seen]) -> None:
        """Keep what vendors did: a success closes the breaker, failures in a row open it."""
        ...

    async def take(self, wanted: Mapping[Line, int], default: Mapping[str, int]) -> dict[Line, tuple[int, int]]:
        """How many of each may leave now, and the rate a minute in force: the tenant's own, else the connector's `default`."""
        ...


def after(before: Breaker | None, seen: Seen, now: datetime) -> Breaker | None:
    """The breaker after a batch; None when it is closed."""
    if seen.ok:
        return None
    return (before or Breaker()).failed(seen.failures, seen.retry_after, now)


class SqlTraffic:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def held(self, tenants: Sequence[UUID]) -> dict[Line, float]:
        rows = await self._c.fetch(
            "select tenant_id, connector, greatest(0, extract(epoch from open_until - clock_timestamp()))::float8 as seconds "
            "from execution.breakers where tenant_id = any($1::uuid[]) and open_until is not null",
            list(tenants),
        )
        return {(row["tenant_id"], row["connector"]): row["seconds"] for row in rows}

    async def observe(self, seen: Mapping[Line, Seen]) -> None:
        for (tenant, connector), what in sorted(seen.items()):
            row = await self._c.fetchrow(
                "select failures, opened, open_until, clock_timestamp() as now from execution.breakers "
                "where tenant_id = $1 and connector = $2 for update",
                tenant, connector,
            )  # fmt: skip
            if row is None and what.ok:
                continue
            now = row["now"] if row else await self._c.fetchval("select clock_timestamp()")
            kept = after(Breaker(row["failures"], row["opened"], row["open_until"]) if row else None, what, now)
            if kept is None:
                sql = "delete from execution.breakers where tenant_id = $1 and connector = $2"
                await self._c.execute(sql, tenant, connector)
                continue
            await self._c.execute(
                "insert into execution.breakers (tenant_id, connector, failures, opened, open_until) values ($1, $2, $3, $4, $5) on conflict "
                "(tenant_id, connector) do update set failures = excluded.failures, opened = excluded.opened, open_until = excluded.open_until",
                tenant, connector, kept.failures, kept.opened, kept.open_until,
            )  # fmt: skip

    async def take(self, wanted: Mapping[Line, int], default: Mapping[str, int]) -> dict[Line, tuple[int, int]]:
        out = {}
        for (tenant, connector), count in sorted(wanted.items()):
            await self._c.execute(
                "insert into execution.rate_buckets (tenant_id, connector, tokens, filled_at) values ($1, $2, $3, clock_timestamp()) "
                "on conflict (tenant_id, connector) do nothing",
                tenant, connector, _FULL,
            )  # fmt: skip
            # Replicas take one after the other: what one took, the next one does not find.
            row = await self._c.fetchrow(
                "select b.tokens, b.filled_at, clock_timestamp() as now, (select s.per_minute from execution.connector_settings s "
                "where s.tenant_id = b.tenant_id and s.connector = b.connector) as per_minute from execution.rate_buckets b "
                "where b.tenant_id = $1 and b.connector = $2 for update of b",
                tenant, connector,
            )  # fmt: skip
            rate = row["per_minute"] or default[connector]
            left, given = take(Bucket(row["tokens"], row["filled_at"]), count, rate, row["now"])
            await self._c.execute(
                "update execution.rate_buckets set tokens = $3, filled_at = $4 where tenant_id = $1 and connector = $2",
                tenant, connector, left.tokens, left.filled_at,
            )  # fmt: skip
            out[tenant, connector] = (given, rate)
        return out
