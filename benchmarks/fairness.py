"""What one tenant's load costs the others: a thousand tenants, one of which sends a hundred times as much, or as much as is accepted.

Every tenant's actions arrive at random times, whether or not earlier ones have ended (an open load): a system that falls behind
shows it in the waits.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from benchmarks.load import Ask, submissions, submit, tenants, until_succeeded
from benchmarks.report import OURS, Figure, Row, Target, percentile
from benchmarks.rig import Rig, rig
from libs.contracts.message import Principal
from libs.contracts.subjects import SUBMIT

TENANTS = 1_000
A_SECOND = 150.0
"""Actions a second of all tenants together but the loud one: a twentieth of what the system carries, as on a busy day."""
TIMES = 100
FLOOD = (20, 16)
"""Items a call and calls at a time of the tenant that sends as much as is accepted."""
WORST = 2.0


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: p50 and p99 in milliseconds of the others' actions, beside each kind of loud tenant."""
    return asyncio.run(_measure(3.0 if quick else 15.0, 1 if quick else 3, progress))


async def _measure(seconds: float, rounds: int, progress: Callable[[str], None]) -> Row:
    loads = {"nobody is loud": 0.0, f"one sends {TIMES} times as much": TIMES * A_SECOND / TENANTS, "one floods": -1.0}
    took: dict[str, list[list[float]]] = {name: [] for name in loads}
    sent = dict.fromkeys(loads, 0)
    async with rig() as made:
        everybody = tenants(TENANTS)
        ask = until_succeeded(made.gateway, everybody)
        await _arrivals(ask, everybody, A_SECOND, 2.0)
        for _ in range(rounds):
            for name, loud in loads.items():
                waits, count = await _round(made, ask, everybody, loud, seconds)
                took[name].append(waits)
                sent[name] += count
                progress(
                    f"{name}: p99 {percentile(waits, 0.99) * 1000:.1f} ms of {len(waits)}, {count} of the loud tenant"
                )
    figures = [
        Figure(f"others' actions until they succeeded, {name}, {label}", OURS, "ms", tuple(percentile(w, share) * 1000 for w in all_of))
        for name, all_of in took.items()
        for share, label in ((0.5, "p50"), (0.99, "p99"))
    ]  # fmt: skip
    p99 = {name: percentile([wait for one in all_of for wait in one], 0.99) for name, all_of in took.items()}
    quiet, hundred, flood = (p99[name] for name in loads)
    return Row(
        "fairness",
        "A thousand tenants, one of them loud",
        tuple(figures),
        (
            Target(f"others' p99 beside {TIMES} times the load, of that in quiet", hundred / quiet, WORST, at_most=True),
            Target("others' p99 beside a flood, of that in quiet", flood / quiet, WORST, at_most=True),
        ),
        (
            f"{TENANTS} tenants, {A_SECOND:.0f} actions/s of all but the loud one, arriving at random, {rounds} rounds of {seconds:.0f} s each.",
            "The loud tenant's actions in all: " + ", ".join(f"{name} {count}" for name, count in sent.items()) + ".",
            "The flood is limited by what is accepted: "
            f"{FLOOD[1]} calls at a time of {FLOOD[0]} actions, on two cores that run the client too.",
        ),
    )  # fmt: skip


async def _round(
    made: Rig, ask: Ask, everybody: Sequence[Principal], loud: float, seconds: float
) -> tuple[list[float], int]:
    """Waits in seconds of the others, and how many actions the loud tenant had accepted."""
    noisy, others = everybody[0], everybody[1:]
    if loud < 0:
        flooding = asyncio.create_task(_flood(made, noisy, time.monotonic() + seconds))
        waits = await _arrivals(ask, others, A_SECOND, seconds)
        return waits, await flooding
    beside = asyncio.create_task(_arrivals(ask, [noisy], loud, seconds)) if loud else None
    waits = await _arrivals(ask, others, A_SECOND, seconds)
    return waits, len(await beside) if beside is not None else 0


async def _arrivals(ask: Ask, who: Sequence[Principal], a_second: float, seconds: float) -> list[float]:
    """Actions of these tenants, at random times; each one's wait from when it should have been sent."""
    waits: list[float] = []

    async def one(at: float, principal: Principal) -> None:
        (call,) = submissions([principal], 1, 1)
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        await ask(call)
        waits.append(time.monotonic() - at)

    at, end = time.monotonic(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        while (at := at + random.expovariate(a_second)) < end:
            await asyncio.sleep(max(0.0, at - time.monotonic() - 0.05))
            group.create_task(one(at, random.choice(who)))
    return waits


async def _flood(made: Rig, who: Principal, until: float) -> int:
    sent = 0
    size, at_once = FLOOD
    while time.monotonic() < until:
        calls = submissions([who], size * at_once * 2, size)
        await submit(made.gateway, SUBMIT.subject, calls, at_once)
        sent += size * len(calls)
    return sent
