"""The ledger as it is pushed: entries of one tenant's log, in its order, to execution alone.

Entries about the pushing itself are left out: each message would make entries, and they the next message, without end. They stay on the
ledger like any other.
"""

from __future__ import annotations

import json
from typing import Any

from libs.contracts.push import FeedReply, FeedRequest
from libs.contracts.trust import LedgerEntry
from libs.runtime.database import Database

EFFECT = "webhook_deliver"

# `ours` finds the entries of a delivery's own decision and outcome by the action that they are about.
_ENTRIES = """
select l.seq, l.leaf_hash, e.entry_id, e.kind, e.actor, e.target, e.at, e.trace_id, e.body,
  exists (select 1 from trust.decisions d where d.tenant_id = $1 and d.effect = $4
    and d.action_id = case when e.target ~ '^action:[0-9a-f-]{36}$' then substr(e.target, 8)::uuid end) as ours
from trust.ledger_leaves l join trust.ledger_entries e on e.tenant_id = $1 and e.entry_id = l.entry_id
where l.log_id = $1 and l.seq >= $2 order by l.seq limit $3
"""
_SINCE = """
select min(l.seq) from trust.ledger_entries e join trust.ledger_leaves l on l.log_id = $1 and l.entry_id = e.entry_id
where e.tenant_id = $1 and e.at >= $2
"""


class Feed:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, request: FeedRequest) -> FeedReply:
        """A page of the log; an erased entry comes without its data."""
        tenant = request.tenant_id
        async with self._database.batch(tenant) as work:
            c = work.connection
            size = await c.fetchval("select coalesce(max(size), 0) from trust.ledger_heads where log_id = $1", tenant)
            first = request.first
            if request.since is not None:
                found = await c.fetchval(_SINCE, tenant, request.since)
                first = max(first, size if found is None else found)
            rows = await c.fetch(_ENTRIES, tenant, first, request.limit, EFFECT)
        return FeedReply(
            items=tuple(_entry(tenant, row) for row in rows if not row["ours"]),
            first=first,
            next=rows[-1]["seq"] + 1 if rows else first,
            size=size,
        )


def _entry(tenant: Any, row: Any) -> LedgerEntry:
    data = json.loads(row["body"])["data"] if row["body"] else {}
    return LedgerEntry(
        entry_id=row["entry_id"], tenant_id=tenant, kind=row["kind"], actor=row["actor"], target=row["target"], at=row["at"],
        trace_id=row["trace_id"], data=data, seq=row["seq"], leaf_hash=bytes(row["leaf_hash"]).hex(),
    )  # fmt: skip
