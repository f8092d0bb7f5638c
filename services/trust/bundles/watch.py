"""Keeps the snapshot that decides as the tables say, compares shadows with what was decided, and ends canaries that left their band."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.message import PLATFORM
from libs.runtime.database import Database
from services.trust.bundles.domain import left_band, rebased
from services.trust.bundles.force import Bundles, Canary, Snapshot
from services.trust.bundles.questions import read_question
from services.trust.bundles.store import BundleRows
from services.trust.domain import decide
from services.trust.domain.policy import Bundle
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.store import SqlLedgerStore

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
MEASURE_SECONDS = 5.0
SHADOW_BATCH = 10_000


class Watch:
    """The plane's background work on bundles. Several replicas may run it: every step is a transaction that looks first."""

    def __init__(self, database: Database, bundles: Bundles) -> None:
        self._database = database
        self._bundles = bundles
        self._seen: dict[UUID, int] = {}

    async def load(self) -> None:
        """Record the platform's text and take up every tenant's bundles, before the first decision."""
        platform = self._bundles.platform
        async with self._database.batch(PLATFORM) as work:
            fresh = await work.connection.fetchval(
                "insert into trust.policy_texts (version, text) values ($1, $2) on conflict do nothing returning version",
                platform.version,
                platform.text,
            )
            if fresh:
                await _record(work.connection, PLATFORM, "policy.platform_loaded", "system:trust", platform.version)
        await self.refresh()

    async def follow(self) -> None:
        """Take up changes for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Read the bundles of tenants whose revision is new, and switch once."""
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select tenant_id, revision from trust.policy_switches")
        changed = [row["tenant_id"] for row in rows if self._seen.get(row["tenant_id"]) != row["revision"]]
        if not changed:
            return
        snapshot = self._bundles.snapshot
        active, canary = dict(snapshot.active), dict(snapshot.canary)
        for tenant in changed:
            active.pop(tenant, None)
            canary.pop(tenant, None)
            async with self._database.batch(tenant) as work:
                own = BundleRows(work.connection, tenant)
                if (row := await own.in_state("active")) is not None:
                    active[tenant] = await self._current(work.connection, tenant, own, row)
                if (row := await own.in_state("canary")) is not None:
                    if row["platform_version"] != self._bundles.platform.version:
                        await own.move(row["version"], "rolled_back")  # what was approved is not what would decide
                        continue
                    canary[tenant] = Canary(Bundle(row["text"]), json.loads(row["settings"])["percent"])
        self._bundles.switch(Snapshot(active, canary))
        self._seen |= {row["tenant_id"]: row["revision"] for row in rows if row["tenant_id"] in changed}

    async def _current(self, connection: Any, tenant: UUID, own: BundleRows, row: Any) -> Bundle:
        """The active bundle on this platform's text. When the platform's text is another than it was, that is a new version."""
        platform = self._bundles.platform
        bundle = Bundle(row["text"]) if row["platform_version"] == platform.version else None
        if bundle is not None:
            return bundle
        bundle = rebased(platform, row["additions"])
        await own.retire("active")
        await own.add(
            bundle.version, row["additions"], bundle.text, platform.version, row["title"], row["proposed_by"], "active"
        )
        await _record(connection, tenant, "policy.rebased", "system:trust", bundle.version, before=row["version"])
        return bundle

    async def measure(self) -> None:
        """Compare shadows and judge canaries for ever."""
        while True:
            await self.measure_once()
            await asyncio.sleep(MEASURE_SECONDS)

    async def measure_once(self) -> None:
        async with self._database.batch() as work:
            tenants = [
                row["tenant_id"] for row in await work.connection.fetch("select tenant_id from trust.policy_switches")
            ]
        for tenant in tenants:
            async with self._database.batch(tenant) as work:
                own = BundleRows(work.connection, tenant)
                if (row := await own.in_state("canary")) is not None:
                    await self._judge(work.connection, tenant, own, row)
                if (row := await own.in_state("shadow")) is not None:
                    await self._compare(work.connection, tenant, own, row)

    async def _judge(self, connection: Any, tenant: UUID, own: BundleRows, row: Any) -> None:
        settings = json.loads(row["settings"])
        counts = await connection.fetchrow(
            "select count(*) decisions, count(*) filter (where outcome = 'refused') refused, count(*) filter (where outcome = 'parked') "
            "parked, extract(epoch from now() - $3::timestamptz) / 3600 as hours from trust.decisions "
            "where tenant_id = $1 and policy_version = $2 and decided_at >= $3",
            tenant,
            row["version"],
            row["changed_at"],
        )
        measured = {name: float(value) if name == "hours" else value for name, value in counts.items()}
        await own.measure(row["version"], measured)
        if why := left_band(settings["band"], measured):
            await own.move(row["version"], "rolled_back")
            await own.announce()
            await _record(
                connection, tenant, "policy.rolled_back", "system:trust", row["version"], why=why,
                **{name: value for name, value in measured.items() if name != "hours"},
            )  # fmt: skip
            log.error("a canary left its band and was rolled back", extra={"ids": {"tenant": str(tenant), "why": why}})

    async def _compare(self, connection: Any, tenant: UUID, own: BundleRows, row: Any) -> None:
        """What the shadow would have said of the decisions since the last look. A few seconds' delay lets late commits in."""
        measured = {
            "decisions": 0,
            "newly_allowed": 0,
            "newly_blocked": 0,
            "newly_parked": 0,
            **json.loads(row["measured"]),
        }
        since = measured.get("seen_until") or row["changed_at"].isoformat()
        rows = await connection.fetch(
            "select d.outcome, d.decided_at, q.document, count(*) n from trust.decisions d join trust.questions q on q.digest = d.question "
            "where d.tenant_id = $1 and d.decided_at > $2::text::timestamptz and d.decided_at < now() - interval '3 seconds' "
            "group by d.outcome, d.decided_at, q.digest order by d.decided_at limit $3",
            tenant,
            since,
            SHADOW_BATCH,
        )
        if not rows:
            return
        bundle = rebased(self._bundles.platform, row["additions"])
        answers = bundle.ask([read_question(each["document"]) for each in rows])
        for each, answer in zip(rows, answers, strict=True):
            measured["decisions"] += each["n"]
            if kind := change(each["outcome"], decide.outcome(answer).value):
                measured[kind] += each["n"]
        measured["seen_until"] = rows[-1]["decided_at"].isoformat()
        await own.measure(row["version"], measured)


_RANK = {"granted": 3, "drafted": 2, "parked": 1, "refused": 0}


def change(before: str, after: str) -> str:
    """How an outcome changes: `newly_allowed`, `newly_parked`, `newly_blocked`, or nothing."""
    if before == after:
        return ""
    if _RANK[after] > _RANK[before]:
        return "newly_allowed"
    return "newly_parked" if after == "parked" else "newly_blocked"


async def _record(connection: Any, tenant: UUID, kind: str, actor: str, version: str, **data: Any) -> None:
    await record(connection, [(tenant, kind, actor, f"policy:{version}", data)])


async def record(connection: Any, facts: Sequence[tuple[UUID, str, str, str, dict[str, Any]]]) -> None:
    """Entries (tenant, kind, actor, target, data) in the caller's transaction."""
    at = await connection.fetchval("select now()")
    entries = [
        Entry(tenant_id=tenant, kind=kind, actor=actor, target=target, at=at, data=data)
        for tenant, kind, actor, target, data in facts
    ]
    await SqlLedgerStore(connection).append(seal(entries))
