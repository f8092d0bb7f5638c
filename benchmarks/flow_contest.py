"""What is measured of flows: ours, the floor and the peer over one PostgreSQL server."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.flow_definitions import DEFINITIONS
from benchmarks.processes import cpu_seconds
from libs.contracts.flows import FlowToStart, StartFlow, StartFlows
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.runtime.database import Database
from services.execution.flows.app import Flows
from services.execution.flows.domain.moving import begin
from services.execution.flows.handlers import FlowDesk

COLUMNS = {"flow_due": ["tenant_id", "flow_id", "flow", "version", "wake_at"]}
TABLES = ("flows", "flow_revisions", "flow_due", "outbox")
IN_FLIGHT = 64
PER_REQUEST, REQUESTS = 100, 8


class Contest:
    """Ours, the floor and the peer over one PostgreSQL server."""

    def __init__(
        self, url: str, database: Database, flows: Flows, admin: Any, peer: asyncio.subprocess.Process, server: int
    ) -> None:
        self.url = url
        self._database = database
        self._flows = flows
        self._desk = FlowDesk(flows.backend, flows.definitions, flows.engine)
        self._admin = admin
        self._peer = peer
        self._server = server
        self._tenants = [
            Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("operator",)) for _ in range(50)
        ]

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of this process and of PostgreSQL."""
        return time.process_time(), cpu_seconds(self._server, family=True)

    async def start(self, count: int, until: float) -> float:
        """Seconds for that many starts, each asked for alone and answered when it is durable."""
        numbers = iter(range(count))

        async def one_after_another() -> None:
            for number in numbers:
                who = self._tenants[number % len(self._tenants)]
                await self._desk.start(StartFlow(principal=who, flow_id=new_id(), flow="nap", input={"until": until}))

        began = time.monotonic()
        await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
        return time.monotonic() - began

    async def start_together(self, count: int, until: float) -> float:
        """Seconds for that many starts, a hundred a request."""
        numbers = iter(range(count // PER_REQUEST))

        async def one_after_another() -> None:
            for number in numbers:
                who = self._tenants[number % len(self._tenants)]
                items = tuple(
                    FlowToStart(flow_id=new_id(), flow="nap", input={"until": until}) for _ in range(PER_REQUEST)
                )
                reply = await self._desk.start_many(StartFlows(principal=who, items=items))
                if any(one.error for one in reply.results):
                    raise RuntimeError("a start was refused")

        began = time.monotonic()
        await asyncio.gather(*(one_after_another() for _ in range(REQUESTS)))
        return time.monotonic() - began

    async def drain(self) -> None:
        """Move everything that is due now as far as it goes."""
        while await self._flows.engine.tick():
            pass

    async def sleeping(self, count: int) -> float:
        """So many flows that all sleep until one moment: when that is. What is written from now on is what the wake-up writes."""
        until = time.time() + 5 + count / 1000
        await self.start_together(count, until)
        await self.drain()
        if until < time.time():
            raise RuntimeError("the flows were due before all of them slept")
        await self._admin.execute("truncate execution.outbox; truncate execution.flow_revisions")
        return until

    async def wake(self, until: float) -> float:
        """Seconds from the moment that the timers are due until each flow has ended."""
        await asyncio.sleep(max(0.0, until - time.time()))
        began = time.monotonic()
        engine = asyncio.create_task(self._flows.engine.run())
        for _ in range(6_000):
            if engine.done():
                await engine  # what it broke on
            if not await self._admin.fetchval("select exists (select from execution.flow_due)"):
                break
            await asyncio.sleep(0.02)
        took = time.monotonic() - began
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        return took

    async def left(self) -> dict[str, list[Any]]:
        """The rows that ours has now, table by table."""
        rows: dict[str, list[Any]] = {}
        for table in TABLES:
            columns = ", ".join(COLUMNS.get(table, ["*"]))
            rows[table] = [tuple(row) for row in await self._admin.fetch(f"select {columns} from execution.{table}")]
            await self._admin.execute(f"create schema if not exists floor; drop table if exists floor.{table}")
            await self._admin.execute(f"create table floor.{table} (like execution.{table} including all)")
        return rows

    async def floor(self, rows: dict[str, list[Any]], batch: int) -> float:
        """Seconds to copy rows into tables of the same shape, those of `batch` flows a transaction."""
        count = len(rows["flows"])
        per = {table: -(-len(found) * batch // max(count, 1)) for table, found in rows.items()}
        began = time.monotonic()
        for number in range(-(-count // batch)):
            async with self._admin.transaction():
                for table, found in rows.items():
                    if part := found[number * per[table] : (number + 1) * per[table]]:
                        await self._admin.copy_records_to_table(
                            table, schema_name="floor", records=part, columns=COLUMNS.get(table)
                        )
        return time.monotonic() - began

    async def clear(self) -> None:
        for table in TABLES:
            await self._admin.execute(f"truncate execution.{table}")

    async def peer(self, line: str) -> float:
        self._peer.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]  # both are pipes
        return float(await self._peer.stdout.readline())  # type: ignore[union-attr]  # as above

    async def peer_each(self, count: int) -> list[float]:
        self._peer.stdin.write(f"each {count}\n".encode())  # type: ignore[union-attr]  # both are pipes
        return [float(one) for one in (await self._peer.stdout.readline()).split()]  # type: ignore[union-attr]  # as above

    async def one(self) -> float:
        """Seconds of one start."""
        began = time.perf_counter()
        await self._desk.start(
            StartFlow(principal=self._tenants[0], flow_id=new_id(), flow="nap", input={"until": time.time() + 3600})
        )
        return time.perf_counter() - began

    async def floor_one(self, rows: dict[str, list[Any]], number: int) -> float:
        """Seconds to copy one flow's rows and commit."""
        began = time.perf_counter()
        async with self._admin.transaction():
            for table, found in rows.items():
                part = found[number : number + 1]
                await self._admin.copy_records_to_table(
                    table, schema_name="floor", records=part, columns=COLUMNS.get(table)
                )
        return time.perf_counter() - began

    @asynccontextmanager
    async def loaded(self, rate: float) -> AsyncIterator[None]:
        """So many starts a second beside what is measured."""

        async def load() -> None:
            began, started = time.monotonic(), 0
            while True:
                due = int((time.monotonic() - began) * rate) - started
                started += due
                await asyncio.gather(*(self.one() for _ in range(due)), asyncio.sleep(0.005))

        beside = asyncio.create_task(load())
        try:
            yield
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

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
