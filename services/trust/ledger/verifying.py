"""Recomputes every log from its entries to its signed checkpoint, day by day, and notes on which days the logs were at work.

What is found is an observation: the controls on logs are read from it. A log that does not hold is a critical alarm besides.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import FactsReported, LogDay, LogVerified
from libs.runtime.database import Database
from services.trust.ledger.domain.checkpoint import origin_of, verify_checkpoint
from services.trust.ledger.domain.entry import leaf
from services.trust.ledger.domain.tree import TreeHead, append
from services.trust.ledger.errors import MalformedNote, UnverifiedNote
from services.trust.observations.store import keep

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
AGAIN = timedelta(hours=20)
"""How old a verification gets before the whole log is read again: it costs the whole log."""
CHUNK = 2000
SLOWEST = timedelta(minutes=10)
"""An entry that waits for its place longer than this says that the log is not at work."""

_LEAVES = """
select l.seq, l.leaf_hash, e.salt, e.body from trust.ledger_leaves l
left join trust.ledger_entries e on e.tenant_id = l.log_id and e.entry_id = l.entry_id
where l.log_id = $1 and l.seq >= $2 order by l.seq limit $3
"""
_WAITING = """
select exists (select 1 from trust.ledger_pending p, unnest(p.log_ids, p.entry_ids) as w(log_id, entry_id)
  join trust.ledger_entries e on e.tenant_id = w.log_id and e.entry_id = w.entry_id
  where w.log_id = $1 and e.at < now() - $2::interval)
"""
_DAY = """
insert into trust.observations as o (tenant_id, plane, kind, subject, at, document)
values ($1, 'trust', 'log_day', $2, $3, $4::jsonb)
on conflict (tenant_id, kind, subject) do update set at = excluded.at,
  document = o.document || jsonb_build_object('last_at', excluded.document->'last_at', 'size', excluded.document->'size')
"""


class LogWatch:
    """The plane's background look at its own logs. Several replicas may run it: what they find is the same."""

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await self.run_once()
            await asyncio.sleep(LOOK_SECONDS)

    async def run_once(self) -> None:
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select log_id from trust.ledger_heads where log_id <> $1", PLATFORM)
        for row in rows:
            await self.look(row["log_id"])

    async def look(self, tenant_id: UUID) -> None:
        """Note that the log is at work, and verify it when the last time is long ago."""
        async with self._database.batch(tenant_id) as work:
            now: datetime = await work.connection.fetchval("select now()")
            await self._note_day(work.connection, tenant_id, now)
            last = await work.connection.fetchval(
                "select at from trust.observations where tenant_id = $1 and kind = 'log_verified'", tenant_id
            )
        if last is None or now - last >= AGAIN:
            await self.verify(tenant_id)

    async def verify(self, tenant_id: UUID) -> LogVerified:
        """Read the whole log, compare, and keep what was found."""
        found = await self._verified(tenant_id)
        if found.problem:
            log.critical("A LOG DOES NOT HOLD: %s", found.problem, extra={"ids": {"tenant": str(tenant_id)}})
        async with self._database.batch(tenant_id) as work:
            now = await work.connection.fetchval("select now()")
            await keep(work.connection, Plane.TRUST, FactsReported(tenant_id=tenant_id, at=now, facts=(found,)))
        return found

    async def _note_day(self, connection: Any, tenant_id: UUID, now: datetime) -> None:
        if await connection.fetchval(_WAITING, tenant_id, SLOWEST):
            return
        size = await connection.fetchval("select size from trust.ledger_heads where log_id = $1", tenant_id)
        day = LogDay(subject=now.date().isoformat(), first_at=now, last_at=now, size=size or 0)
        document = day.model_dump_json(exclude={"kind", "subject"})
        await connection.execute(_DAY, tenant_id, day.subject, now, document)

    async def _verified(self, tenant_id: UUID) -> LogVerified:
        async with self._database.batch(tenant_id) as work:
            head = await work.connection.fetchrow(
                "select size, root from trust.ledger_heads where log_id = $1", tenant_id
            )
            signed = await work.connection.fetchrow(
                "select size, note from trust.ledger_checkpoints where log_id = $1 and size <= $2 order by size desc limit 1",
                tenant_id, head["size"],
            )  # fmt: skip
            keys = await work.connection.fetch("select public_key from trust.signing_keys where use = 'checkpoint'")
        tree, root, erased, problem = TreeHead(), b"", 0, ""
        while tree.size < head["size"] and not problem:
            rows = await self._chunk(tenant_id, tree.size, min(CHUNK, head["size"] - tree.size))
            problem = _problem(rows, tree.size)
            erased += sum(row["body"] is None for row in rows)
            for row in () if problem else rows:
                tree, _ = append(tree, [bytes(row["leaf_hash"])])
                root = tree.root if signed is not None and tree.size == signed["size"] else root
        if not problem and tree.root != bytes(head["root"]):
            problem = f"the {tree.size} leaves have another root than the head says"
        if not problem and signed is not None:
            problem = self._unsigned(tenant_id, signed, root, [bytes(row["public_key"]) for row in keys])
        return LogVerified(
            subject="log", size=head["size"], erased=erased, checkpoint=signed["size"] if signed else 0, problem=problem
        )

    async def _chunk(self, tenant_id: UUID, start: int, count: int) -> list[Any]:
        # A transaction a chunk: nobody waits for a long one, and leaves that are there never change.
        async with self._database.batch(tenant_id) as work:
            rows: list[Any] = await work.connection.fetch(_LEAVES, tenant_id, start, count)
        return rows

    def _unsigned(self, tenant_id: UUID, signed: Any, root: bytes, keys: list[bytes]) -> str:
        try:
            said = verify_checkpoint(signed["note"], origin_of(self._origin, tenant_id), *keys)
        except (MalformedNote, UnverifiedNote):
            return f"the checkpoint of {signed['size']} leaves is not signed by a key of ours"
        return "" if said.root == root else f"the checkpoint of {signed['size']} leaves names another root"


def _problem(rows: list[Any], start: int) -> str:
    """What does not hold in a run of leaves; empty when all of it does."""
    if not rows:
        return f"leaf {start} is missing"
    for expected, row in enumerate(rows, start):
        if row["seq"] != expected:
            return f"leaf {expected} is missing"
        if row["body"] is not None and leaf(bytes(row["salt"]), bytes(row["body"])) != bytes(row["leaf_hash"]):
            return f"the entry of leaf {expected} is not the one that was recorded"
    return ""
