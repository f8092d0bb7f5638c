"""Durable flows: starts a second, timer wake-ups a second, and memory while a hundred thousand wait.

The floor copies (COPY) the rows that ours wrote, in transactions of as many flows. The peer is DBOS.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.flow_contest import IN_FLIGHT, PER_REQUEST, REQUESTS, Contest
from benchmarks.flow_definitions import DEFINITIONS
from benchmarks.report import FLOOR, OURS, PEER, Figure, Row, Target, percentile
from dev.embedded import embedded_servers
from dev.secrets import load_or_create
from libs.contracts.message import Plane
from libs.runtime.database import Database
from libs.runtime.migrate import migrate
from libs.runtime.testing import MemoryHub
from services.execution.flows.app import carry
from services.execution.flows.sql import SqlBackend
from services.execution.router import catalogue_router

PEER_DATABASE = "peer"
SINGLY, TOGETHER, WAKES = "starts, 64 at a time", "starts, 100 a request", "timer wake-ups"


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: starts and wake-ups a second of ours, the floor and the peer; MiB with waiting flows."""
    sizes = Sizes(1_000, 100, 5_000, 1) if quick else Sizes(4_000, 300, 100_000, 3)
    return uvloop.run(_measure(sizes, progress))


class Sizes:
    def __init__(self, flows: int, workflows: int, waiting: int, rounds: int) -> None:
        self.flows, self.workflows, self.waiting, self.rounds = flows, workflows, waiting, rounds


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
            server = servers.postgres.child
            if server is None:
                raise RuntimeError("PostgreSQL is not ours to measure")
            try:
                await peer.stdout.readline()  # type: ignore[union-attr]  # a pipe
                gc.collect()
                gc.freeze()
                gc.set_threshold(50_000, 20, 50)  # as in a plane's process
                return await _contest(Contest(url, database, flows, admin, peer, server.pid), sizes, progress)
            finally:
                peer.kill()
                await peer.wait()
                await admin.close()
                await database.stop()


async def _contest(contest: Contest, sizes: Sizes, progress: Callable[[str], None]) -> Row:
    rates: dict[tuple[str, str], list[float]] = {}
    costs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    rows_each: dict[str, float] = {}

    async def timed(what: str, who: str, count: int, seconds: Awaitable[float]) -> None:
        before = contest.cpu()
        rate = count / await seconds
        python, server = (1e6 * (b - a) / count for a, b in zip(before, contest.cpu(), strict=True))
        rates.setdefault((what, who), []).append(rate)
        if who != PEER:
            costs.setdefault((what, who), []).append((python, server))
        progress(f"{what} · {who}: {rate:.0f}/s")

    async def copied(what: str, batch: int) -> None:
        rows = await contest.left()
        rows_each[what] = sum(map(len, rows.values())) / len(rows["flows"])
        await timed(what, FLOOR, len(rows["flows"]), contest.floor(rows, batch))

    for _ in range(sizes.rounds):
        await contest.clear()
        await timed(SINGLY, OURS, sizes.flows, contest.start(sizes.flows, time.time() + 3600))
        await copied(SINGLY, IN_FLIGHT)
        await contest.clear()
        await timed(TOGETHER, OURS, sizes.flows, contest.start_together(sizes.flows, time.time() + 3600))
        await copied(TOGETHER, PER_REQUEST)
        await timed(SINGLY, PEER, sizes.workflows, contest.peer(f"start {sizes.workflows}"))
        await contest.clear()
        until = await contest.sleeping(sizes.flows)
        await asyncio.sleep(max(0.0, until - time.time()))
        await timed(WAKES, OURS, sizes.flows, contest.wake(until))
        await copied(WAKES, PER_REQUEST)
        lead = 10 + sizes.workflows / 15
        await timed(WAKES, PEER, sizes.workflows, contest.peer(f"wake {sizes.workflows} {lead}"))
    await contest.clear()
    half = statistics.median(rates[SINGLY, OURS]) / 2
    took = await _latencies(contest, sizes, half)
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
        Figure(f"{what}, {label}", who, "ms", (1000 * percentile(found, share),))
        for (what, who), found in took.items()
        for label, share in (("p50", 0.5), ("p99", 0.99))
    ]
    figures += [
        Figure("engine's memory, none waiting", OURS, "MiB", (empty,)),
        Figure(f"engine's memory, {sizes.waiting:,} waiting", OURS, "MiB", (full,)),
        Figure("memory of a waiting flow", OURS, "KiB", ((full - empty) * 1024 / sizes.waiting,)),
        Figure("memory of a waiting flow", PEER, "KiB", (held,), f"over {peers:,} waiting workflows"),
    ]
    by = {(f.what, f.who): f.value for f in figures}
    by |= {(TOGETHER, PEER): by[SINGLY, PEER]}
    targets = tuple(
        Target(f"{what}, {text}", by[what, OURS] / by[what, who], wanted)
        for what in (SINGLY, TOGETHER, WAKES)
        for who, text, wanted in ((FLOOR, "of the floor", 0.6), (PEER, "times DBOS", 50))
    )
    flat = Target(f"memory with {sizes.waiting:,} waiting, of that with none", full / empty, 1.1, at_most=True)
    return Row(
        "durable",
        "Durable flows",
        tuple(figures),
        (*targets, flat),
        (
            f"A start is answered when the flow, its first revision, its place in the queue and the ledger's event are committed; {IN_FLIGHT} asked "
            f"for singly at a time, or {REQUESTS} requests of {PER_REQUEST}, of 50 tenants. Called inside the process, without the bus.",
            "A wake-up ends when the flow has gone on from its timer to its end: the flow changed, three revisions and the ledger's event. All "
            "timers are due at one moment; one engine, as it runs in the plane.",
            "The floor copies (COPY) the rows that ours wrote in that phase, "
            + ", ".join(f"{rows_each[what]:.1f} a flow for {what}" for what in (SINGLY, TOGETHER, WAKES))
            + ", in as many to a transaction (64 or 100), by one connection. It makes and reads nothing, takes nothing out of a queue, and is not "
            "under row security, where COPY is refused.",
            f"Half load: {half:,.0f} single starts a second beside the one that is measured. The floor of one start is its four rows copied, and a commit.",
            "All three run on uvloop, as the planes do; one process each, with PostgreSQL beside it.",
            "DBOS: workflows that sleep durably and then take one step, 64 starts at a time; wake-ups likewise from one moment.",
            *(f"CPU µs a flow, {what} · {who} (median): {_costs(found)}" for (what, who), found in costs.items()),
        ),
    )


async def _latencies(contest: Contest, sizes: Sizes, half: float) -> dict[tuple[str, str], list[float]]:
    """Seconds of single starts, one after another: with nothing beside them, and beside half of what starts reach."""
    count = sizes.flows // 10
    took = {("one start, alone", OURS): [await contest.one() for _ in range(count)]}
    rows = await contest.left()
    took["one start, alone", FLOOR] = [await contest.floor_one(rows, number) for number in range(count)]
    took["one start, alone", PEER] = await contest.peer_each(sizes.workflows // 4)
    async with contest.loaded(half):
        took["one start, at half load", OURS] = [await contest.one() for _ in range(count)]
    return took


def _costs(found: list[tuple[float, float]]) -> str:
    python, server = (statistics.median(one) for one in zip(*found, strict=True))
    return f"client {python:.0f}, postgres {server:.0f}"
