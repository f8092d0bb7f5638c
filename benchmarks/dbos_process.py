"""DBOS in a process of its own, asked for rounds of its three-step workflow over a pipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Dbos:
    process: asyncio.subprocess.Process

    async def round(self, workflows: int, in_flight: int) -> float:
        """Seconds for that many workflows, as the process itself measured them."""
        self.process.stdin.write(f"{workflows} {in_flight}\n".encode())  # type: ignore[union-attr]  # both are pipes
        return float(await self.process.stdout.readline())  # type: ignore[union-attr]  # as above


@asynccontextmanager
async def dbos(url: str) -> AsyncIterator[Dbos]:
    """DBOS over a database of its own, warmed up; ended with its input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.peer", url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        await process.stdout.readline()  # type: ignore[union-attr]  # a pipe
        yield Dbos(process)
    finally:
        process.kill()
        await process.wait()
