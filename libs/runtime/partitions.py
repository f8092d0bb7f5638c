"""Tables that only grow, kept by month: each month's rows lie in a partition of their own, told by the time in their UUIDv7 key.

A plane names the whole table and never a partition: those lie in the schema `<plane>_months`, which no plane's role may use. Keys are
made by the application (RFC 9562 section 5.7: the first 48 bits are Unix milliseconds), so a query that names the key touches one
partition. What comes later than every partition, or has no time in its key, is kept in the default partition until the roll-over makes its month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.message import first_id

AHEAD = 3
"""Months that are ready before they begin."""

_PARTITIONED = """
select n.nspname as schema, c.relname as name, a.attname as key from pg_partitioned_table p
join pg_class c on c.oid = p.partrelid join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
where p.partstrat = 'r' and p.partnatts = 1 and a.atttypid = 'uuid'::regtype order by 1, 2
"""

_PARTITIONS = """
select c.relname as name, (regexp_match(pg_get_expr(c.relpartbound, c.oid), $$TO \\('([0-9a-f-]{36})'\\)$$))[1]::uuid as until,
  greatest(c.reltuples, 0)::bigint as rows, pg_total_relation_size(c.oid) as bytes, coalesce(c.reloptions, '{}') as options
from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass order by until nulls last
"""

_FILLED = "select exists (select from pg_inherits where inhparent = $1::regclass and pg_relation_size(inhrelid) > 0)"


@dataclass(frozen=True)
class Partition:
    """One partition: `until` is the first moment (UTC) that is not in it, None of the default one; `rows` as last estimated."""

    table: str
    name: str
    until: datetime | None
    rows: int
    bytes: int


def bound(month: date) -> UUID:
    """The least UUIDv7 of the first moment (UTC) of `month`."""
    return first_id(datetime(month.year, month.month, 1, tzinfo=UTC))


def following(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def utc_today() -> date:
    """The date that months are told by."""
    return datetime.now(UTC).date()


async def roll_over(connection: Any, today: date, *, ahead: int = AHEAD) -> list[str]:
    """Make the partitions that are missing from the last one up to `ahead` months from `today`; returns their names.

    `connection` is the owner's. Each is one transaction, in which rows that the default partition kept for that month move to it. Running
    it again makes nothing. Raises asyncpg.LockNotAvailableError when a table is in use for longer than five seconds: run it again.
    """
    last = today.replace(day=1)
    for _ in range(ahead):
        last = following(last)
    made = []
    for row in await connection.fetch(_PARTITIONED):
        schema, table, key = row["schema"], row["name"], row["key"]
        partitions = await connection.fetch(_PARTITIONS, f"{schema}.{table}")
        newest = [each for each in partitions if each["until"] is not None][-1]
        month, like = _month_of(newest["until"]), newest["name"]
        # Before new ones are made: PostgreSQL supposes some pages in a table it has never looked at, and none in one that it saw empty, for
        # which every index seems as good as the right one, until it looks again.
        if month <= last and await connection.fetchval(_FILLED, f"{schema}.{table}"):
            await connection.execute(f"analyze {schema}.{table}")
        while month <= last:
            name = f"{table}_{month:%Y_%m}"
            await _make(connection, schema, table, key, name, like, newest["options"], month)
            made.append(f"{schema}_months.{name}")
            month, like = following(month), name
    return made


async def partitions(connection: Any) -> list[Partition]:
    """All partitions of all tables that are kept by month, the oldest first."""
    return [
        Partition(f"{table['schema']}.{table['name']}", row["name"], _time_of(row["until"]), row["rows"], row["bytes"])
        for table in await connection.fetch(_PARTITIONED)
        for row in await connection.fetch(_PARTITIONS, f"{table['schema']}.{table['name']}")
    ]


async def _make(
    connection: Any, schema: str, table: str, key: str, name: str, like: str, options: list[str], month: date
) -> None:
    months, low, high = f"{schema}_months", bound(month), bound(following(month))
    settings = f" with ({', '.join(options)})" if options else ""
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(f"create table {months}.{name} (like {months}.{like} including all){settings}")
        await connection.execute(
            f"with moved as (delete from {months}.{table}_default where {key} >= $1 and {key} < $2 returning *)"
            f" insert into {months}.{name} select * from moved",
            low,
            high,
        )
        await connection.execute(
            f"alter table {schema}.{table} attach partition {months}.{name} for values from ('{low}') to ('{high}')"
        )


def _time_of(key: UUID | None) -> datetime | None:
    return None if key is None else datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


def _month_of(key: UUID) -> date:
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC).date()
