"""Durable flows: starts a second, timer wake-ups a second, and memory while a hundred thousand wait.

The floor copies (COPY) the rows that a flow leaves behind, in batches of a hundred, each committed. The peer is DBOS.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.flow_definitions import DEFINITIONS
from benchmarks.report import FLOOR, OURS, PEER, Figure, Row, Target
from dev.embedded import embedded_servers
from dev.secrets import load_or_create
from libs.contracts.flows import StartFlow
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.runtime.database import Database
from libs.runtime.migrate import migrate
from libs.runtime.testing import MemoryHub
from services.execution.flows.app import Flows, carry
from services.execution.flows.domain.moving import begin
from services.execution.flows.handlers import FlowDesk
from services.execution.flows.sql import SqlBackend
from services.execution.router import catalogue_router

TABLES = ("flows", "flow_revisions", "flow_due")
BATCH = 100
IN_FLIGHT = 64
PEER_DATABASE = "peer"


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: starts and wake-ups a second of ours, the floor and the peer; MiB with waiting flows."""
    sizes = Sizes(500, 100, 5_000, 1) if quick else Sizes(3_000, 400, 100_000, 3)
    return asyncio.run(_measure(sizes, progress))


class Sizes:
    def __init__(self, flows: int, workflows: int, waiting: int, rounds: int) -> None:
        self.flows, self.workflows, self.waiting, self.rounds = flows, workflows, waiting, rounds


class Contest:
    """Ours, the floor and the peer over one PostgreSQL server."""

    def __init__(
        self, url: str, database: Database, flows: Flows, admin: Any, peer: asyncio.subprocess.Process
    ) -> None:
        self.url = url
        self._database = database
        self._flows = flows
        self._desk = FlowDesk(flows.backend, flows.definitions, flows.engine)
        self._admin = admin
        self._peer = peer
        self._tenants = [
            Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("operator",)) for _ in range(50)
        ]

    async def start(self, count: int, until: float) -> float:
        """Seconds for that many starts, each answered when it is durable."""
        numbers = iter(range(count))

        async def one_after_another() -> None:
            for number in numbers:
                who = self._tenants[number % len(self._tenants)]
                await self._desk.start(StartFlow(principal=who, flow_id=new_id(), flow="nap", input={"until": until}))

        began = time.monotonic()
        await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
        return time.monotonic() - began

    async def drain(self) -> None:
        """Move everything that is due now as far as it goes."""
        while await self._flows.engine.tick():
            pass

    async def wake(self, count: int) -> float:
        """Seconds from the moment that many timers are due until each flow has ended."""
        until = time.time() + 4 + count / 250
        await self.start(count, until)
        await self.drain()
        left = until - time.time()
        if left < 0:
            raise RuntimeError("the flows were due before all of them slept")
        await asyncio.sleep(left)
        began = time.monotonic()
        done = 0
        while done < count:
            done += await self._flows.engine.tick()
        return time.monotonic() - began

    async def floor(self) -> tuple[int, float]:
        """Copy the rows that ours has now into tables of the same shape: how many flows, and seconds."""
        rows: dict[str, list[Any]] = {}
        for table in TABLES:
            columns = "tenant_id, flow_id, flow, version, wake_at" if table == "flow_due" else "*"
            rows[table] = [tuple(row) for row in await self._admin.fetch(f"select {columns} from execution.{table}")]
            await self._admin.execute(f"create schema if not exists floor; drop table if exists floor.{table}")
            await self._admin.execute(f"create table floor.{table} (like execution.{table} including all)")
        count = len(rows["flows"])
        per = {table: -(-len(found) * BATCH // max(count, 1)) for table, found in rows.items()}
        names = ["tenant_id", "flow_id", "flow", "version", "wake_at"]
        began = time.monotonic()
        for start in range(0, count, BATCH):
            async with self._admin.transaction():
                for table, found in rows.items():
                    part = found[start // BATCH * per[table] : (start // BATCH + 1) * per[table]]
                    columns = names if table == "flow_due" else None
                    await self._admin.copy_records_to_table(table, schema_name="floor", records=part, columns=columns)
        return count, time.monotonic() - began

    async def clear(self) -> None:
        for table in TABLES:
            await self._admin.execute(f"truncate execution.{table}")

    async def peer(self, line: str) -> float:
        self._peer.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]  # both are pipes
        return float(await self._peer.stdout.readline())  # type: ignore[union-attr]  # as above

    async def wait(self, count: int) -> None:
        """So many flows that sleep for a day, as the engine leaves them."""
        definition, until = DEFINITIONS.newest("nap"), time.time() + 86_400
        if definition is None:
            raise RuntimeError("the flow to measure with is not declared")
        for start in range(0, count, 500):
            who = self._tenants[start // 500 % len(self._tenants)]
            async with self._flows.backend.unit(who.tenant_id) as unit:
                now = await unit.now()
                made = [begin(definition, who, new_id(), {"until": until}, now) for _ in range(min(500, count - start))]
                await unit.add(made)
        await self.drain()

    async def memory(self) -> float:
        """MiB of a fresh engine after it has run for five seconds."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.flow_engine", self.url, "5", stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        return int(told) / 1024


async def _measure(sizes: Sizes, progress: Callable[[str], None]) -> Row:
    with tempfile.TemporaryDirectory(prefix="dealix-bench-", ignore_cleanup_errors=True) as directory:
        data_dir = Path(directory)
        secrets = load_or_create(data_dir / "secrets.json")
        async with embedded_servers(data_dir) as servers:
            await migrate(servers.admin_url, secrets.database_passwords)
            await servers.postgres.create_database(PEER_DATABASE)
            url = secrets.database_url("execution", servers.admin_url)
            database = Database(Plane.EXECUTION, url, pool_size=16)
            await database.start()
            admin = await asyncpg.connect(servers.admin_url)
            flows = carry(
                SqlBackend(database), MemoryHub().bus(Plane.EXECUTION), catalogue_router(), "bench", lambda _: None, DEFINITIONS
            )  # fmt: skip
            peer = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.flow_peer", servers.postgres.url(PEER_DATABASE),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                await peer.stdout.readline()  # type: ignore[union-attr]  # a pipe
                return await _contest(Contest(url, database, flows, admin, peer), sizes, progress)
            finally:
                peer.kill()
                await peer.wait()
                await admin.close()
                await database.stop()


async def _contest(contest: Contest, sizes: Sizes, progress: Callable[[str], None]) -> Row:
    rates: dict[tuple[str, str], list[float]] = {}

    def keep(what: str, who: str, count: int, seconds: float) -> None:
        rates.setdefault((what, who), []).append(count / seconds)
        progress(f"{what} · {who}: {count / seconds:.0f}/s")

    for _ in range(sizes.rounds):
        await contest.clear()
        keep("starts", OURS, sizes.flows, await contest.start(sizes.flows, time.time() + 3600))
        keep("starts", FLOOR, *await contest.floor())
        keep("starts", PEER, sizes.workflows, await contest.peer(f"start {sizes.workflows}"))
        await contest.clear()
        keep("timer wake-ups", OURS, sizes.flows, await contest.wake(sizes.flows))
        keep("timer wake-ups", FLOOR, *await contest.floor())
        lead = 10 + sizes.workflows / 15
        keep("timer wake-ups", PEER, sizes.workflows, await contest.peer(f"wake {sizes.workflows} {lead}"))
    await contest.clear()
    empty = await contest.memory()
    began = time.monotonic()
    await contest.wait(sizes.waiting)
    progress(f"{sizes.waiting} flows wait after {time.monotonic() - began:.0f} s")
    full = await contest.memory()
    before = await contest.peer("memory")
    peers = 4 * sizes.workflows
    await contest.peer(f"start {peers}")
    held = (await contest.peer("memory") - before) / peers
    progress(f"memory: {empty:.1f} MiB with none, {full:.1f} MiB with {sizes.waiting}; peer {held:.1f} KiB each")
    figures = [Figure(what, who, "/s", tuple(found)) for (what, who), found in rates.items()]
    figures += [
        Figure("engine's memory, none waiting", OURS, "MiB", (empty,)),
        Figure(f"engine's memory, {sizes.waiting:,} waiting", OURS, "MiB", (full,)),
        Figure("memory of a waiting flow", OURS, "KiB", ((full - empty) * 1024 / sizes.waiting,)),
        Figure("memory of a waiting flow", PEER, "KiB", (held,), f"over {peers:,} waiting workflows"),
    ]
    by = {(f.what, f.who): f.value for f in figures}
    targets = tuple(
        Target(f"{what}, {text}", by[what, OURS] / by[what, who], wanted)
        for what in ("starts", "timer wake-ups")
        for who, text, wanted in ((FLOOR, "of the floor", 0.6), (PEER, "times DBOS", 50))
    )
    flat = Target(f"memory with {sizes.waiting:,} waiting, of that with none", full / empty, 1.1, at_most=True)
    return Row(
        "durable",
        "Durable flows",
        tuple(figures),
        (*targets, flat),
        (
            f"A start is answered when the flow, its first revision and its place in the queue are committed; {IN_FLIGHT} at a time, each in a "
            "transaction of its own, of 50 tenants. Called inside the process, without the bus.",
            "A wake-up ends when the flow has gone on from its timer to its end. All timers are due at one moment; one engine, batches of 100.",
            "The floor copies the rows that ours left, in batches of 100: for starts one flow, one revision and one queue row; for wake-ups what has "
            "come of them.",
            "DBOS: workflows that sleep durably and then take one step, 64 starts at a time; wake-ups likewise from one moment.",
        ),
    )
