"""Where the ledger lives: the protocol, and its PostgreSQL form. The in-memory twin is in `memory.py`.

A store is bound to one connection and takes part in whatever transaction is open on it, so that an entry is recorded exactly
when the change that it records is committed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from libs.contracts.merkle import HASH_SIZE
from services.trust.ledger.domain.entry import SealedEntry
from services.trust.ledger.domain.records import EntryFilter, Extension, Leaf, Pending, StoredCheckpoint, StoredEntry
from services.trust.ledger.domain.tree import NodeId, ReadPlan, TreeHead
from services.trust.ledger.errors import HeadMoved

__all__ = [
    "EntryFilter",
    "Extension",
    "Leaf",
    "LedgerStore",
    "Pending",
    "SqlLedgerStore",
    "StoredCheckpoint",
    "StoredEntry",
    "connect",
]

LEADER_LOCK = 0x6C65_6467_6572
"""Advisory lock of the one sequencer ("ledger" in ASCII)."""


class LedgerStore(Protocol):
    """What the ledger asks of its storage. All methods act in the open transaction, if there is one."""

    def transaction(self, tenants: Collection[UUID] = ()) -> AbstractAsyncContextManager[None]:
        """A transaction that may touch the entries of exactly `tenants`; rolled back when the block raises."""
        ...

    async def append(self, entries: Sequence[SealedEntry]) -> None:
        """Record entries and queue their leaves. An entry id that is already recorded is left as it is."""
        ...

    async def try_lead(self) -> bool:
        """Take the sequencer's leadership until the connection ends; False when another connection has it."""
        ...

    async def take_pending(self, limit: int) -> list[Pending]:
        """Remove and return the oldest pending leaves, in order: `limit`, or a few more where they were recorded together."""
        ...

    async def heads(self, log_ids: Collection[UUID]) -> dict[UUID, TreeHead]:
        """Heads of the logs that have any leaf."""
        ...

    async def extend(self, extensions: Sequence[Extension]) -> None:
        """Write what turns old heads into new ones. Raises HeadMoved when an old head is not its log's head any more."""
        ...

    async def unsigned_heads(self, limit: int) -> dict[UUID, TreeHead]:
        """Heads that have leaves beyond their newest checkpoint."""
        ...

    async def add_checkpoints(self, notes: Sequence[tuple[UUID, int, str]]) -> None:
        """Keep signed notes: (log id, size, note)."""
        ...

    async def checkpoint(self, log_id: UUID, size: int | None = None) -> StoredCheckpoint | None:
        """The newest checkpoint of a log, or the one of exactly `size`."""
        ...

    async def leaves(self, log_id: UUID, entry_ids: Collection[UUID]) -> list[Leaf]:
        """Places of the entries that are sequenced, by sequence number."""
        ...

    async def leaf(self, log_id: UUID, seq: int) -> Leaf | None: ...

    async def read(self, log_id: UUID, plans: Sequence[ReadPlan]) -> tuple[dict[int, bytes], dict[NodeId, bytes]]:
        """Leaf and node hashes that the plans ask for."""
        ...

    async def entry(self, tenant_id: UUID, entry_id: UUID) -> StoredEntry | None: ...

    async def entries(self, where: EntryFilter, limit: int) -> list[StoredEntry]:
        """Entries, newest first."""
        ...

    async def erase(self, tenant_id: UUID, entry_ids: Collection[UUID]) -> int:
        """Forget bodies and salts; leaves and proofs stay valid. Returns how many were erased."""
        ...


_APPEND = """
with given as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
                         $8::bytea[], $9::bytea[], $10::bytea[], $11::text[], $12::text[])
             with ordinality as t(tenant_id, entry_id, kind, actor, target, at, trace_id, body, salt, leaf_hash, run, about, position)
), recorded as (
    insert into trust.ledger_entries (tenant_id, entry_id, kind, actor, target, at, trace_id, body, salt, run, about)
    select tenant_id, entry_id, kind, actor, target, at, trace_id, body, salt, run, about from given
    on conflict do nothing
    returning tenant_id, entry_id
)
insert into trust.ledger_pending (log_ids, entry_ids, leaf_hashes)
select array_agg(tenant_id order by position), array_agg(entry_id order by position), array_agg(leaf_hash order by position)
from given join recorded using (tenant_id, entry_id) having count(*) > 0
"""

# By an array, so that the planner reads the index and never the whole heap with its dead rows.
_TAKE = """
with taken as (
    delete from trust.ledger_pending where position = any(array(
        select position from (
            select position, sum(cardinality(entry_ids)) over (order by position) - cardinality(entry_ids) as before
            from (select position, entry_ids from trust.ledger_pending order by position limit $1) first
        ) counted where before < $1))
    returning position, log_ids, entry_ids, leaf_hashes
)
select each.log_id, each.entry_id, each.leaf_hash from taken,
    unnest(taken.log_ids, taken.entry_ids, taken.leaf_hashes) with ordinality as each(log_id, entry_id, leaf_hash, place)
order by taken.position, each.place
"""

_MOVE_HEADS = """
with given as (
    select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]) as t(log_id, old, size, root, frontier)
)
insert into trust.ledger_heads as head (log_id, size, root, frontier) select log_id, size, root, frontier from given
on conflict (log_id) do update set size = excluded.size, root = excluded.root, frontier = excluded.frontier
where head.size = (select old from given where given.log_id = excluded.log_id)
returning 1
"""

_ENTRY_COLUMNS = """
select e.tenant_id, e.entry_id, e.kind, e.actor, e.target, e.at, e.trace_id, e.body, e.salt, l.seq, l.leaf_hash
from trust.ledger_entries e left join trust.ledger_leaves l on l.log_id = e.tenant_id and l.entry_id = e.entry_id
"""


class SqlLedgerStore:
    """The ledger in PostgreSQL, on one asyncpg connection. Appending is one round trip, whatever the number of entries."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self, tenants: Collection[UUID] = ()) -> AsyncIterator[None]:
        async with self._connection.transaction():
            if tenants:
                named = ",".join(str(tenant) for tenant in tenants)
                await self._connection.execute("select set_config('dealix.tenants', $1, true)", named)
            yield

    async def append(self, entries: Sequence[SealedEntry]) -> None:
        if not entries:
            return
        rows = [
            (
                e.tenant_id,
                e.entry_id,
                e.kind,
                e.actor,
                e.target,
                e.at,
                e.trace_id,
                sealed.body,
                sealed.salt,
                sealed.leaf_hash,
                e.run,
                e.about,
            )
            for sealed in entries
            for e in (sealed.entry,)
        ]
        await self._connection.execute(_APPEND, *map(list, zip(*rows, strict=True)))

    async def try_lead(self) -> bool:
        return bool(await self._connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK))

    async def take_pending(self, limit: int) -> list[Pending]:
        return [Pending(*row) for row in await self._connection.fetch(_TAKE, limit)]

    async def heads(self, log_ids: Collection[UUID]) -> dict[UUID, TreeHead]:
        sql = "select log_id, size, frontier from trust.ledger_heads where log_id = any($1::uuid[])"
        return _heads(await self._connection.fetch(sql, list(log_ids)))

    async def extend(self, extensions: Sequence[Extension]) -> None:
        moved = await self._connection.fetch(
            _MOVE_HEADS,
            [each.log_id for each in extensions],
            [each.old.size for each in extensions],
            [each.new.size for each in extensions],
            [each.new.root for each in extensions],
            [b"".join(each.new.frontier) for each in extensions],
        )
        if len(moved) != len(extensions):
            raise HeadMoved
        leaves = [(leaf.log_id, leaf.seq, leaf.entry_id, leaf.leaf_hash) for each in extensions for leaf in each.leaves]
        await self._connection.execute(
            """insert into trust.ledger_leaves (log_id, seq, entry_id, leaf_hash)
               select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[])""",
            *map(list, zip(*leaves, strict=True)),
        )
        nodes = [(each.log_id, *node) for each in extensions for node in each.nodes]
        if nodes:
            await self._connection.execute(
                """insert into trust.ledger_nodes (log_id, level, idx, hash)
                   select * from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bytea[])""",
                *map(list, zip(*nodes, strict=True)),
            )

    async def unsigned_heads(self, limit: int) -> dict[UUID, TreeHead]:
        sql = "select log_id, size, frontier from trust.ledger_heads where size > checkpointed_size order by log_id limit $1"
        return _heads(await self._connection.fetch(sql, limit))

    async def add_checkpoints(self, notes: Sequence[tuple[UUID, int, str]]) -> None:
        if not notes:
            return
        await self._connection.execute(
            """with added as (
                   insert into trust.ledger_checkpoints (log_id, size, note)
                   select * from unnest($1::uuid[], $2::bigint[], $3::text[]) returning log_id, size)
               update trust.ledger_heads h set checkpointed_size = added.size from added where h.log_id = added.log_id""",
            *map(list, zip(*notes, strict=True)),
        )

    async def checkpoint(self, log_id: UUID, size: int | None = None) -> StoredCheckpoint | None:
        row = await self._connection.fetchrow(
            """select log_id, size, note, created_at from trust.ledger_checkpoints
               where log_id = $1 and ($2::bigint is null or size = $2) order by size desc limit 1""",
            log_id,
            size,
        )
        return StoredCheckpoint(*row) if row else None

    async def leaves(self, log_id: UUID, entry_ids: Collection[UUID]) -> list[Leaf]:
        rows = await self._connection.fetch(
            """select log_id, seq, entry_id, leaf_hash from trust.ledger_leaves
               where log_id = $1 and entry_id = any($2::uuid[]) order by seq""",
            log_id,
            list(entry_ids),
        )
        return [Leaf(*row) for row in rows]

    async def leaf(self, log_id: UUID, seq: int) -> Leaf | None:
        row = await self._connection.fetchrow(
            "select log_id, seq, entry_id, leaf_hash from trust.ledger_leaves where log_id = $1 and seq = $2",
            log_id,
            seq,
        )
        return Leaf(*row) if row else None

    async def read(self, log_id: UUID, plans: Sequence[ReadPlan]) -> tuple[dict[int, bytes], dict[NodeId, bytes]]:
        leaves: dict[int, bytes] = {}
        nodes: dict[NodeId, bytes] = {}
        runs = list(frozenset().union(*(plan.runs for plan in plans)))
        wanted = list(frozenset().union(*(plan.nodes for plan in plans)))
        if runs:
            rows = await self._connection.fetch(
                # The order and the limit pin the index: a plan made while the table was small would read all of it later.
                """select l.seq, l.leaf_hash from unnest($2::bigint[], $3::bigint[]) run(start, stop) cross join lateral (
                       select seq, leaf_hash from trust.ledger_leaves where log_id = $1 and seq >= run.start and seq < run.stop
                       order by log_id, seq limit run.stop - run.start) l""",
                log_id,
                [run.start for run in runs],
                [run.stop for run in runs],
            )
            leaves = {row[0]: row[1] for row in rows}
        if wanted:
            rows = await self._connection.fetch(
                """select n.level, n.idx, n.hash from unnest($2::smallint[], $3::bigint[]) want(level, idx)
                   join trust.ledger_nodes n on n.log_id = $1 and n.level = want.level and n.idx = want.idx""",
                log_id,
                [node.level for node in wanted],
                [node.position for node in wanted],
            )
            nodes = {NodeId(row[0], row[1]): row[2] for row in rows}
        return leaves, nodes

    async def entry(self, tenant_id: UUID, entry_id: UUID) -> StoredEntry | None:
        row = await self._connection.fetchrow(
            f"{_ENTRY_COLUMNS} where e.tenant_id = $1 and e.entry_id = $2", tenant_id, entry_id
        )
        return StoredEntry(*row) if row else None

    async def entries(self, where: EntryFilter, limit: int) -> list[StoredEntry]:
        conditions, values = _conditions(where)
        sql = f"{_ENTRY_COLUMNS} where {conditions} order by e.entry_id desc limit ${len(values) + 1}"
        return [StoredEntry(*row) for row in await self._connection.fetch(sql, *values, limit)]

    async def erase(self, tenant_id: UUID, entry_ids: Collection[UUID]) -> int:
        status: str = await self._connection.execute(
            """update trust.ledger_entries set body = null, salt = null, erased_at = now()
               where tenant_id = $1 and entry_id = any($2::uuid[]) and erased_at is null""",
            tenant_id,
            list(entry_ids),
        )
        return int(status.rpartition(" ")[2])


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[SqlLedgerStore]:
    """A store on a connection of its own, as the sequencer needs: its leadership lasts as long as the connection."""
    connection = await asyncpg.connect(url, server_settings={"application_name": "dealix-trust-sequencer"})
    try:
        yield SqlLedgerStore(connection)
    finally:
        await connection.close(timeout=5)


_CONDITIONS: Mapping[str, str] = {
    "tenant_id": "e.tenant_id = {}",
    "kind": "e.kind = {}",
    "actor": "e.actor = {}",
    "target": "e.target = {}",
    "targets": "e.target = any({}::text[])",
    "trace_id": "e.trace_id = {}",
    "since": "e.at >= {}",
    "until": "e.at < {}",
    "before": "e.entry_id < {}",
}


def _conditions(where: EntryFilter) -> tuple[str, list[Any]]:
    # Only the constant conditions above go into the text; every value is a parameter.
    given = {name: getattr(where, name) for name in _CONDITIONS if getattr(where, name) is not None}
    text = " and ".join(_CONDITIONS[name].format(f"${number}") for number, name in enumerate(given, start=1))
    return text, list(given.values())


def _heads(rows: Sequence[Any]) -> dict[UUID, TreeHead]:
    return {log_id: TreeHead(size, _hashes(frontier)) for log_id, size, frontier in rows}


def _hashes(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + HASH_SIZE] for start in range(0, len(joined), HASH_SIZE))
