"""The ledger and the memory of decisions: appends and proofs as the log grows, and history decided again under another bundle.

The floor of an append is the same bytes in one plain table, in the same batches. PostgreSQL is a cluster of its own, with its default
durability; nothing else runs.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
from nacl.signing import SigningKey

from benchmarks.report import FLOOR, OURS, Figure, Row, Target
from dev.postgres import EmbeddedPostgres
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.policy import ReplayGet, ReplayRequest
from libs.runtime.database import Database
from libs.runtime.migrate import migrate
from services.trust.app import POLICIES
from services.trust.bundles.domain import checked
from services.trust.bundles.force import Bundles
from services.trust.bundles.replay import Replays
from services.trust.bundles.store import BundleRows
from services.trust.bundles.watch import Watch
from services.trust.domain.keys import SigningPair
from services.trust.domain.policy import Bundle
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.proofs import prove
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import SqlLedgerStore

BATCH = 2_000
SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (2_000, 10_000, 20_000)
DECISIONS, QUICK_DECISIONS = 1_000_000, 20_000
DAY = datetime(2026, 11, 1, tzinfo=UTC)
NO_SLACK = """@id("no_slack") @mode("blocked") @reason_en("Not to Slack.") @reason_ar("لا إلى سلاك.")
forbid (principal, action == Action::"slack_notify", resource);"""


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: appends a second over the last batches of each size, proofs in milliseconds, decisions replayed a second."""
    return asyncio.run(_measure(quick, progress))


async def _measure(quick: bool, progress: Callable[[str], None]) -> Row:
    sizes = QUICK_SIZES if quick else SIZES
    async with _postgres() as (url, database):
        figures = await _ledger(url, sizes, progress)
        figures += await _replay(url, database, QUICK_DECISIONS if quick else DECISIONS, progress)
    rates = [f.value for f in figures if f.who == OURS and f.unit == "appends/s"]
    proofs = [f.value for f in figures if f.unit == "ms"]
    return Row(
        "books",
        "The ledger as it grows, and decisions replayed",
        tuple(figures),
        (
            Target(f"appends a second at {sizes[-1]:,} leaves, of those at {sizes[0]:,}", rates[-1] / rates[0], 0.8),
            Target(
                f"time of a proof at {sizes[-1]:,} leaves, of that at {sizes[0]:,}",
                proofs[-1] / proofs[0],
                2,
                at_most=True,
            ),
        ),
        (
            f"An append records an entry with its salt, gives it its place and stores the nodes; {BATCH:,} a batch, measured over the last "
            "20 batches before each size. A proof is read and checked against the newest checkpoint, for leaves at random.",
            "A replay reads every decision of the period, decides each distinct question under the bundle and keeps each change; here every "
            "fourth decision changes.",
        ),
    )


@asynccontextmanager
async def _postgres() -> AsyncIterator[tuple[str, Database]]:
    with tempfile.TemporaryDirectory(prefix="dealix-books-") as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder) / "pg")
        await postgres.start()
        try:
            await migrate(postgres.admin_url, {plane.value: "only-here" for plane in Plane})
            host = postgres.admin_url.rpartition("@")[2]
            database = Database(Plane.TRUST, f"postgresql://dealix_trust:only-here@{host}")
            await database.start()
            try:
                yield postgres.admin_url, database
            finally:
                await database.stop()
        finally:
            await postgres.stop()


async def _ledger(url: str, sizes: tuple[int, ...], progress: Callable[[str], None]) -> list[Figure]:
    connection = await asyncpg.connect(url)
    tenant, signer, figures = new_id(), SigningPair("bench", SigningKey.generate()), []
    store = SqlLedgerStore(connection)
    sequencer = Sequencer(store, signer, origin="example.test/log")
    await connection.execute("create table floor_log (id uuid primary key, body bytea, salt bytea)")
    size = 0
    for wanted in sizes:
        ours: list[float] = []
        bare: list[float] = []
        while size < wanted:
            sealed = seal(
                Entry(tenant, "decision", "user:1", "action:1", DAY, {"number": size + n, "outcome": "granted"})
                for n in range(BATCH)
            )
            began = time.perf_counter()
            async with store.transaction([tenant]):
                await store.append(sealed)
            await sequencer.drain()
            ours.append(BATCH / (time.perf_counter() - began))
            if wanted - size <= 20 * BATCH:
                began = time.perf_counter()
                await connection.execute(
                    "insert into floor_log select * from unnest($1::uuid[], $2::bytea[], $3::bytea[])",
                    [new_id() for _ in sealed], [one.body for one in sealed], [one.salt for one in sealed],
                )  # fmt: skip
                bare.append(BATCH / (time.perf_counter() - began))
            size += BATCH
        await sequencer.checkpoint()
        name = f"ledger at {wanted:,} leaves"
        figures.append(Figure(name, OURS, "appends/s", tuple(ours[-20:])))
        figures.append(Figure(name, FLOOR, "appends/s", tuple(bare[-20:])))
        took = []
        choose = Random(1)
        for _ in range(200):
            began = time.perf_counter()
            await prove(store, tenant, choose.randrange(wanted))
            took.append((time.perf_counter() - began) * 1000)
        figures.append(Figure(f"inclusion proof at {wanted:,} leaves", OURS, "ms", tuple(took)))
        progress(f"{name}: {figures[-3].value:,.0f}/s, a proof in {statistics.median(took):.2f} ms")
    await connection.close()
    return figures


async def _replay(url: str, database: Database, count: int, progress: Callable[[str], None]) -> list[Figure]:
    tenant = new_id()
    platform = Bundle(POLICIES.read_text(encoding="utf-8"))
    bundles = Bundles(platform)
    await Watch(database, bundles).load()
    additions, bundle = checked(platform, NO_SLACK)
    async with database.batch(tenant) as work:
        await BundleRows(work.connection, tenant).add(
            bundle.version, additions, bundle.text, platform.version, "", "user:1", "proposed"
        )
    await _history(url, tenant, platform, count)
    owner = Principal(id="user:1", kind="user", tenant_id=tenant, roles=("owner",))
    replays, rates = Replays(database, bundles), []
    for _ in range(3):
        asked = await replays.start(
            ReplayRequest(principal=owner, bundle=bundle.version, since=DAY, until=DAY + timedelta(days=30))
        )
        began = time.perf_counter()
        await replays.run_one()
        took = time.perf_counter() - began
        done = await replays.get(ReplayGet(principal=owner, replay_id=asked.replay_id))
        if (done.state, done.done, done.report["newly_blocked"]) != ("done", count, count // 4):
            raise RuntimeError(f"the replay is not what it should be: {done}")
        rates.append(count / took)
        progress(f"replay of {count:,} decisions: {took:.1f} s")
    return [Figure(f"replay of {count:,} decisions", OURS, "decisions/s", tuple(rates))]


async def _history(url: str, tenant: UUID, platform: Bundle, count: int) -> None:
    """Decisions over 30 days, on 400 distinct questions, a fourth of them about Slack."""
    import json

    base: dict[str, Any] = {
        "principal_kind": "user", "registered": True, "tenant_match": True, "connector_mode": "sandbox", "draft_effect": False,
    }  # fmt: skip
    slack = {**base, "effect": "slack_notify", "action_class": "A", "external": True}
    inside = {**base, "effect": "summarize", "action_class": "A", "external": False}
    connection = await asyncpg.connect(url)
    documents = [json.dumps({**(slack if n % 4 == 0 else inside), "unused": n}) for n in range(400)]
    await connection.executemany(
        "insert into trust.questions (digest, document) values (sha256(convert_to($1, 'UTF8')), $1::text::json)",
        [(document,) for document in documents],
    )
    await connection.execute(
        "insert into trust.decisions (tenant_id, action_id, attempt, digest, decision_id, outcome, mode, effect, subject_id, policy_version, "
        "question, reply, decided_at) select $1, gen_random_uuid(), 1, 'x', gen_random_uuid(), 'granted', 'approved_execute', "
        "case when n % 4 = 0 then 'slack_notify' else 'summarize' end, 'user:1', $2, sha256(convert_to(($3::text[])[n % 400 + 1], 'UTF8')), "
        "''::bytea, $4::timestamptz + n * interval '2 seconds' from generate_series(0, $5 - 1) n",
        tenant, platform.version, documents, DAY, count,
    )  # fmt: skip
    await connection.execute("analyze trust.decisions")
    await connection.close()
