"""The peer of flows: DBOS workflows that sleep. Reads rounds from standard input.

`python -m benchmarks.flow_peer DATABASE_URL`, then a line a round: `start N` begins N workflows that sleep for an hour and answers with seconds;
`wake N LEAD` begins N that sleep until one moment, LEAD seconds from now, and answers with the seconds from then until the last has ended;
`each N` begins N that sleep for an hour, one after another, and answers with the seconds of each; `memory` answers with KiB of resident memory.
"""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop
from dbos import DBOS, DBOSConfig

from benchmarks.flow_engine import resident


@DBOS.step()
async def awake(number: int) -> int:
    return number


@DBOS.workflow()
async def nap(number: int, until: float) -> int:
    """Sleeps durably, then one step."""
    await DBOS.sleep_async(max(0.0, until - time.time()))
    return await awake(number)


async def start(count: int, until: float, in_flight: int = 64) -> tuple[float, list[object]]:
    handles: list[object] = []
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for number in numbers:
            handles.append(await DBOS.start_workflow_async(nap, number, until))

    began = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return time.monotonic() - began, handles


async def wake(count: int, lead: float) -> float:
    until = time.time() + lead
    took, handles = await start(count, until)
    if took > lead:
        raise RuntimeError(f"the starts took {took:.1f} s, longer than the lead")
    await asyncio.gather(*(handle.get_result() for handle in handles))  # type: ignore[attr-defined]  # a workflow's handle
    return time.time() - until


async def main(url: str) -> None:
    DBOS(config=DBOSConfig(name="napping", system_database_url=url, enable_otlp=False, log_level="ERROR"))
    DBOS.launch()
    await wake(10, 3)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        what, *numbers = line.split()
        if what == "start":
            print((await start(int(numbers[0]), time.time() + 3600))[0], flush=True)
        elif what == "each":
            took = [(await start(1, time.time() + 3600))[0] for _ in range(int(numbers[0]))]
            print(*took, flush=True)
        elif what == "wake":
            print(await wake(int(numbers[0]), float(numbers[1])), flush=True)
        else:
            print(resident(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
