"""The peer: DBOS, a durable workflow of three steps, in a process and a database of its own. Reads rounds from standard input.

`python -m benchmarks.peer DATABASE_URL`, then a line `<workflows> <in flight>` a round; answers each with seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time

from dbos import DBOS, DBOSConfig


@DBOS.step()
async def decide(number: int) -> dict[str, int]:
    return {"decided": number}


@DBOS.step()
async def perform(number: int) -> dict[str, int]:
    return {"performed": number}


@DBOS.step()
async def record(number: int) -> dict[str, int]:
    return {"recorded": number}


@DBOS.workflow()
async def governed(number: int) -> int:
    """Three steps, whose results DBOS keeps: no policy, no grant, no ledger."""
    await decide(number)
    await perform(number)
    await record(number)
    return number


async def run(workflows: int, in_flight: int) -> float:
    numbers = iter(range(workflows))

    async def one_after_another() -> None:
        for number in numbers:
            await governed(number)

    began = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return time.monotonic() - began


async def main(url: str) -> None:
    DBOS(config=DBOSConfig(name="peer", system_database_url=url, enable_otlp=False, log_level="ERROR"))
    DBOS.launch()
    await run(20, 10)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        workflows, in_flight = map(int, line.split())
        print(await run(workflows, in_flight), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
