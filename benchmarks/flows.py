"""What flows cost by themselves: starts and timer wake-ups a second on PostgreSQL, and memory while 100,000 sleep.

`python -m benchmarks.flows [waiting]`, with a server of its own. No trust, no connector: what those cost is in the other rows. The peer
in the same run is DBOS, whose workflow sleeps as ours does.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from libs.contracts.flows import StartFlow
from libs.contracts.message import Plane, Principal, new_id
from libs.runtime.testing import MemoryHub
from services.execution.flows.app import Flows, carry
from services.execution.flows.domain.definition import Definitions, Flow, Typed
from services.execution.flows.domain.steps import checkpoint, days, sleep
from services.execution.flows.handlers import FlowDesk
from services.execution.flows.sql import SqlBackend
from services.execution.router import catalogue_router
from tests.live.migrated import migrated_postgres, plane_database

STARTS = 3000
IN_FLIGHT = 32


class Nothing(Typed):
    note: str = ""


class Sleeper(Flow[Nothing], name="sleeper", version=1):
    input, state = Nothing, Nothing
    steps = (checkpoint("began"), sleep("long", days(30)), checkpoint("woke"))


def memory_mb() -> float:
    """Resident memory of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


async def drain(flows: Flows) -> int:
    moved = 0
    while taken := await flows.engine.tick():
        moved += taken
    return moved


async def starts(desk: FlowDesk, flows: Flows, who: Principal) -> float:
    """Flows a second from the start's answer, which is durable, to where they sleep."""
    numbers = iter(range(STARTS))

    async def one_after_another() -> None:
        for _ in numbers:
            await desk.start(StartFlow(principal=who, flow_id=new_id(), flow="sleeper", input={}))

    began = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
    while await drain(flows):
        continue
    return STARTS / (time.monotonic() - began)


async def measure(admin_url: str, waiting: int) -> dict[str, Any]:
    async with plane_database(admin_url, Plane.EXECUTION) as database:
        backend, definitions = SqlBackend(database), Definitions((Sleeper,))
        flows = carry(
            backend, MemoryHub().bus(Plane.EXECUTION), catalogue_router(), "bench", lambda _: None, definitions
        )
        desk = FlowDesk(backend, definitions, flows.engine)
        who = Principal(id="user:1", kind="user", tenant_id=new_id(), roles=("operator",))
        rate = await starts(desk, flows, who)
        async with database.batch() as work:
            await work.connection.execute("update execution.flow_due set wake_at = now()")
        began = time.monotonic()
        async with database.batch(who.tenant_id) as work:  # their timers are over: the runs say so as well
            await work.connection.execute(
                'update execution.flows set run = regexp_replace(run::text, \'"until":"[^"]*"\', \'"until":"2020-01-01T00:00:00Z"\')::json'
            )
        began = time.monotonic()
        woken = await drain(flows)
        wakes = woken / (time.monotonic() - began)
        before = memory_mb()
        async with database.batch() as work:
            await work.connection.execute(
                "insert into execution.flow_due (tenant_id, flow_id, flow, version, wake_at) select gen_random_uuid(), gen_random_uuid(), "
                "'sleeper', 1, now() + make_interval(mins => 60 + n) from generate_series(1, $1) n", waiting,
            )  # fmt: skip
        idle: list[float] = []
        for _ in range(200):
            asked = time.monotonic()
            await flows.engine.tick()
            idle.append(time.monotonic() - asked)
        return {
            "starts_a_second": round(rate), "wakes_a_second": round(wakes), "woken": woken, "waiting": waiting,
            "memory_before_mb": round(before, 1), "memory_with_waiting_mb": round(memory_mb(), 1),
            "idle_look_ms": round(sorted(idle)[100] * 1000, 2),
        }  # fmt: skip


def main() -> None:
    waiting = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory, migrated_postgres(Path(directory) / "pg") as admin_url:
        print(json.dumps(asyncio.run(measure(admin_url, waiting))))


if __name__ == "__main__":
    main()
