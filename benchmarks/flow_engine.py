"""A process that carries flows and nothing else, to see what it holds in memory while they wait.

`python -m benchmarks.flow_engine DATABASE_URL SECONDS`: runs the engine that long and prints its resident memory in KiB.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import uvloop

from benchmarks.flow_definitions import DEFINITIONS
from libs.contracts.message import Plane
from libs.runtime.database import Database
from libs.runtime.testing import MemoryHub
from services.execution.flows.app import carry
from services.execution.flows.sql import SqlBackend
from services.execution.router import catalogue_router


def resident() -> int:
    """Resident memory of this process in KiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found.group(1)) if found else 0


async def main(url: str, seconds: float) -> None:
    database = Database(Plane.EXECUTION, url, pool_size=4)
    await database.start()
    bus = MemoryHub().bus(Plane.EXECUTION)
    flows = carry(SqlBackend(database), bus, catalogue_router(), "bench", lambda _: None, DEFINITIONS)
    engine = asyncio.create_task(flows.engine.run())
    await asyncio.sleep(seconds)
    print(resident(), flush=True)
    engine.cancel()
    await asyncio.gather(engine, return_exceptions=True)
    await database.stop()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2])))
