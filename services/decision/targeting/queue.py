"""Which tenants are to be ranked, whole or the leads that have changed; and what the last whole ranking compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.data import LeadsChanged
from libs.runtime.database import BatchWork, Database
from services.decision.targeting.domain.parts import ValueScale

ENQUEUE = (
    "insert into decision.rank_queue (tenant_id, whole) values ($1, $2) on conflict (tenant_id) "
    "do update set due_at = now(), whole = rank_queue.whole or excluded.whole"
)


class RankQueue:
    """Tenants whose leads have changed since they were ranked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self) -> tuple[UUID, bool] | None:
        """A tenant to rank, and whether whole."""
        async with self._database.batch() as work:
            row = await work.connection.fetchrow(
                "update decision.rank_queue q set lease_until = now() + interval '120 seconds' from (select tenant_id from decision.rank_queue "
                "where due_at <= now() and (lease_until is null or lease_until < now()) order by due_at limit 1 for update skip locked) d "
                "where q.tenant_id = d.tenant_id returning q.tenant_id, q.whole"
            )
        return (row["tenant_id"], row["whole"]) if row else None

    async def done(self, tenant_id: UUID, since: datetime) -> None:
        """Off the queue, unless something changed while the ranking ran."""
        async with self._database.batch() as work:
            await work.connection.execute(
                "delete from decision.rank_queue where tenant_id = $1 and due_at <= $2", tenant_id, since
            )
            await work.connection.execute(
                "update decision.rank_queue set lease_until = null where tenant_id = $1", tenant_id
            )


@dataclass(frozen=True, slots=True)
class WholeRanking:
    """The last whole ranking. `below` counts the leads that stand under those that are kept."""

    ranked_at: datetime
    rules: str
    scale: ValueScale
    below: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Leads, accounts and contacts that have changed: kind, id and when last."""

    rows: tuple[tuple[str, UUID, datetime], ...]

    def of(self, kind: str) -> list[UUID]:
        return [id for its, id, _ in self.rows if its == kind]


class Rankings:
    """One transaction over one tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def note(self, event: LeadsChanged) -> None:
        """Keep what has changed until it is ranked again."""
        ids = [
            (kind, id)
            for kind, named in (
                ("lead", event.lead_ids),
                ("account", event.account_ids),
                ("contact", event.contact_ids),
            )
            for id in named
        ]
        # In one order, so that two transactions with the same ids wait for each other and never in a circle.
        ids.sort()
        await self._c.execute(
            "insert into decision.rank_changes (tenant_id, kind, id) select $1, k, i from unnest($2::text[], $3::uuid[]) as t(k, i) "
            "on conflict (tenant_id, kind, id) do update set at = clock_timestamp()",
            event.tenant_id, [kind for kind, _ in ids], [id for _, id in ids],
        )  # fmt: skip

    async def changes(self, tenant_id: UUID) -> Changes:
        """What has changed since it was ranked."""
        rows = await self._c.fetch("select kind, id, at from decision.rank_changes where tenant_id = $1", tenant_id)
        return Changes(tuple((row["kind"], row["id"], row["at"]) for row in rows))

    async def ranked(self, tenant_id: UUID, changes: Changes) -> None:
        """These have been ranked. What changed once more in the meantime stays."""
        await self._c.execute(
            "delete from decision.rank_changes c using unnest($2::text[], $3::uuid[], $4::timestamptz[]) as t(k, i, a) "
            "where c.tenant_id = $1 and c.kind = t.k and c.id = t.i and c.at = t.a",
            tenant_id, *([row[at] for row in changes.rows] for at in range(3)),
        )  # fmt: skip

    async def last(self, tenant_id: UUID) -> WholeRanking | None:
        row = await self._c.fetchrow("select * from decision.rankings where tenant_id = $1", tenant_id)
        if row is None:
            return None
        return WholeRanking(row["ranked_at"], row["rules"], ValueScale(tuple(row["scale"])), row["below"])

    async def keep(self, tenant_id: UUID, made: WholeRanking) -> None:
        await self._c.execute(
            "insert into decision.rankings (tenant_id, ranked_at, rules, scale, below) values ($1, $2, $3, $4, $5) "
            "on conflict (tenant_id) do update set ranked_at = excluded.ranked_at, rules = excluded.rules, scale = excluded.scale, "
            "below = excluded.below",
            tenant_id, made.ranked_at, made.rules, list(made.scale.sorted_sar), made.below,
        )  # fmt: skip

    async def touched(self, tenant_id: UUID, changes: Changes) -> list[UUID]:
        """Leads among those that are kept which the changes are about."""
        rows = await self._c.fetch(
            "select lead_id from decision.opportunities where tenant_id = $1 and (lead_id = any($2::uuid[]) "
            "or (document->>'account_id')::uuid = any($3::uuid[]) or (document->>'contact_id')::uuid = any($4::uuid[]))",
            tenant_id, changes.of("lead"), changes.of("account"), changes.of("contact"),
        )  # fmt: skip
        return [row["lead_id"] for row in rows]

    async def take_out(self, tenant_id: UUID, lead_ids: Sequence[UUID]) -> None:
        await self._c.execute(
            "delete from decision.opportunities where tenant_id = $1 and lead_id = any($2::uuid[])",
            tenant_id, list(lead_ids),
        )  # fmt: skip

    async def worst(self, tenant_id: UUID) -> tuple[bool, float, int] | None:
        """The sort key of the last of those that are kept (`domain.rank.order`)."""
        row = await self._c.fetchrow(
            "select actionable, score, lead_id from decision.opportunities where tenant_id = $1 order by actionable, score, lead_id desc limit 1",
            tenant_id,
        )
        return None if row is None else (not row["actionable"], -round(row["score"], 1), row["lead_id"].int)

    async def put_in_order(self, tenant_id: UUID, most: int) -> tuple[int, int]:
        """Number those that are kept anew and drop what is beyond `most`. Returns how many stay and how many were dropped."""
        await self._c.execute(
            "update decision.opportunities o set position = n.at from (select lead_id, row_number() over (order by actionable desc, score desc, "
            "lead_id) - 1 as at from decision.opportunities where tenant_id = $1) n where o.tenant_id = $1 and o.lead_id = n.lead_id and o.position <> n.at",
            tenant_id,
        )
        dropped = await self._c.fetch(
            "delete from decision.opportunities where tenant_id = $1 and position >= $2 returning 1", tenant_id, most
        )
        kept = await self._c.fetchval("select count(*) from decision.opportunities where tenant_id = $1", tenant_id)
        return int(kept), len(dropped)

    async def positions(self, tenant_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, int]:
        rows = await self._c.fetch(
            "select lead_id, position from decision.opportunities where tenant_id = $1 and lead_id = any($2::uuid[])",
            tenant_id, list(lead_ids),
        )  # fmt: skip
        return {row["lead_id"]: row["position"] for row in rows}
