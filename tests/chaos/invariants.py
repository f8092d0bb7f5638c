"""What must hold after the storm, read from the tables as an administrator. Each check returns how many things it looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from libs.contracts import merkle

FINAL = ("succeeded", "refused", "failed", "not_sent", "cancelled", "manual", "drafted", "expired")


class Broken(Exception):
    """An invariant does not hold; the message says which and how often."""


async def all_final(db: Any, accepted: set[UUID]) -> int:
    rows = await db.fetch(
        "select action_id, state from execution.actions where action_id = any($1::uuid[])", list(accepted)
    )
    missing = accepted - {row["action_id"] for row in rows}
    if missing:
        raise Broken(f"{len(missing)} accepted actions are gone")
    open_ = [row for row in rows if row["state"] not in FINAL]
    if open_:
        raise Broken(f"{len(open_)} actions are not final, the first is {open_[0]['state']}")
    done = sum(row["state"] == "succeeded" for row in rows)
    if done < 0.99 * len(rows):
        raise Broken(f"only {done} of {len(rows)} actions succeeded")
    return len(rows)


async def at_most_once(db: Any, accepted: set[UUID]) -> int:
    twice = await db.fetch("select action_id, count(*) n from execution.sandbox group by 1 having count(*) > 1")
    if twice:
        raise Broken(f"{len(twice)} effects happened more than once")
    lost = await db.fetchval(
        "select count(*) from execution.actions a where state = 'succeeded' and run_id = '' and not exists "
        "(select 1 from execution.sandbox s where s.action_id = a.action_id)"
    )
    if lost:
        raise Broken(f"{lost} actions say succeeded and the vendor saw nothing")
    return int(await db.fetchval("select count(*) from execution.sandbox"))


async def every_effect_has_a_grant(db: Any, _: set[UUID]) -> int:
    orphans = await db.fetchval(
        "select count(*) from execution.sandbox s where not exists (select 1 from execution.dispatches d "
        "join trust.decisions t on t.grant_id = d.grant_id where d.action_id = s.action_id and t.outcome = 'granted')"
    )
    if orphans:
        raise Broken(f"{orphans} effects have no grant")
    return int(await db.fetchval("select count(*) from execution.dispatches"))


async def every_grant_has_an_outcome(db: Any, _: set[UUID]) -> int:
    open_ = await db.fetchval(
        "select count(*) from trust.decisions d where grant_id is not null and not exists "
        "(select 1 from trust.grant_closures g where g.grant_id = d.grant_id)"
    )
    if open_:
        raise Broken(f"{open_} grants have no outcome")
    return int(await db.fetchval("select count(*) from trust.grant_closures"))


async def no_nonce_twice(db: Any, _: set[UUID]) -> int:
    total, distinct = await db.fetchrow("select count(*), count(distinct nonce) from execution.dispatches")
    if total != distinct:
        raise Broken(f"{total - distinct} nonces were used twice")
    return int(total)


def flows_ended(started: set[UUID]) -> Callable[[Any, set[UUID]], Awaitable[int]]:
    """Every flow that was answered for is there and has ended; nearly all as they should."""

    async def check(db: Any, _: set[UUID]) -> int:
        rows = await db.fetch(
            "select flow_id, status from execution.flows where flow_id = any($1::uuid[])", list(started)
        )
        missing = started - {row["flow_id"] for row in rows}
        if missing:
            raise Broken(f"{len(missing)} started flows are gone")
        done = sum(row["status"] == "completed" for row in rows)
        running = sum(row["status"] in ("running", "rolling_back") for row in rows)
        if running or done < 0.99 * len(rows):
            raise Broken(f"{running} flows still run, {done} of {len(rows)} completed")
        return len(rows)

    return check


async def flows_once(db: Any, _: set[UUID]) -> int:
    """Revisions count from the first without a gap, and every step's action is there once and succeeded once."""
    gaps = await db.fetchval(
        "select count(*) from (select flow_id, count(*) n, max(seq) - min(seq) + 1 span from execution.flow_revisions group by flow_id) r "
        "where n <> span"
    )
    if gaps:
        raise Broken(f"{gaps} flows have a gap in their history")
    twice = await db.fetchval(
        "select count(*) from (select run_id, action_type from execution.actions where run_id <> '' and state = 'succeeded' "
        "group by 1, 2 having count(*) > 1) t"
    )
    if twice:
        raise Broken(f"{twice} steps were done twice")
    return int(await db.fetchval("select count(*) from execution.flow_revisions"))


async def ledger_verifies(db: Any, _: set[UUID]) -> int:
    """From every entry to its leaf, and from all leaves to every log's root."""
    pending = await db.fetchval("select count(*) from trust.ledger_pending")
    if pending:
        raise Broken(f"{pending} entries have no place in the ledger")
    seen = 0
    for head in await db.fetch("select log_id, size, root from trust.ledger_heads"):
        leaves = await db.fetch(
            "select l.seq, l.leaf_hash, e.salt, e.body from trust.ledger_leaves l join trust.ledger_entries e "
            "on e.tenant_id = l.log_id and e.entry_id = l.entry_id where l.log_id = $1 order by l.seq",
            head["log_id"],
        )
        if [row["seq"] for row in leaves] != list(range(head["size"])):
            raise Broken("a log has gaps")
        if any(merkle.leaf_hash(row["salt"] + row["body"]) != row["leaf_hash"] for row in leaves):
            raise Broken("a leaf does not commit to its entry")
        if merkle.root([row["leaf_hash"] for row in leaves]) != head["root"]:
            raise Broken("a log's root is not that of its leaves")
        seen += len(leaves)
    return seen


async def no_approval_twice(db: Any, _: set[UUID]) -> int:
    twice = await db.fetchval(
        "select count(*) from (select approval_id from trust.decisions d where grant_id is not null and approval_id is not null "
        "and not exists (select 1 from trust.grant_closures g where g.grant_id = d.grant_id and g.outcome in ('not_sent', 'failed')) "
        "group by approval_id having count(*) > 1) x"
    )
    if twice:
        raise Broken(f"{twice} approvals were used more than once")
    return int(await db.fetchval("select count(*) from trust.approvals where state = 'approved'"))


def tenants_apart(url: Callable[[str], str]) -> Callable[[Any, set[UUID]], Awaitable[int]]:
    """With a plane's own role, one tenant's unit of work sees one tenant's rows, and no tenant's sees none."""

    async def check(db: Any, _: set[UUID]) -> int:
        looked = 0
        for schema, table in (("execution", "actions"), ("trust", "decisions"), ("trust", "ledger_entries")):
            tenants = [
                r["tenant_id"] for r in await db.fetch(f"select distinct tenant_id from {schema}.{table} limit 5")
            ]
            connection = await asyncpg.connect(url(schema))
            try:
                if await connection.fetchval(f"select count(*) from {schema}.{table}"):
                    raise Broken(f"{schema}.{table} shows rows to nobody's unit of work")
                for tenant in tenants:
                    async with connection.transaction():
                        await connection.execute(f"set local dealix.tenants = '{tenant}'")
                        foreign = f"select count(*) from {schema}.{table} where tenant_id <> $1"
                        if await connection.fetchval(foreign, tenant):
                            raise Broken(f"{schema}.{table} shows another tenant's rows")
                    looked += 1
            finally:
                await connection.close()
        return looked

    return check
