"""Governed actions a second with one, two and four replicas of execution, beside the floor in the same run.

All share the machine's cores with PostgreSQL, NATS, trust and the load, so what this shows is what replicas cost each other (claims, leases,
fair turns) and not what more machines would bring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from benchmarks.dbos_process import dbos
from benchmarks.governed import Contest
from benchmarks.load import SATURATED
from benchmarks.report import FLOOR, OURS, Figure, Row, Target
from benchmarks.rig import PEER_DATABASE, rig

REPLICAS = (1, 2, 4)
KEEPS = 0.8
"""Of the rate with one replica, at least, is left with more of them on the same cores."""


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: rates by number of replicas, and how much of the first is left."""
    return asyncio.run(_measure(*((2, 4_000) if quick else (5, 12_000)), progress))


async def _measure(rounds: int, actions: int, progress: Callable[[str], None]) -> Row:
    rates: dict[int, list[float]] = {count: [] for count in REPLICAS}
    floor: dict[int, list[float]] = {count: [] for count in REPLICAS}
    async with rig() as made, dbos(made.servers.postgres.url(PEER_DATABASE)) as peer:
        contest = Contest(made, peer, progress)
        await contest.warm_up()
        for count in REPLICAS:
            for number in range(2, count + 1):
                if f"execution-{number}" not in made.children:
                    await made.plane("execution", number)
            await contest.ours(SATURATED, 1_000)
            for _ in range(rounds):
                floor[count].append((await contest.floor(SATURATED, actions)).rate)
                one = await contest.ours(SATURATED, actions)
                rates[count].append(one.rate)
                progress(f"{count} replicas: {one.rate:.0f}/s, floor {floor[count][-1]:.0f}/s, {one.micros()}")
    figures = [
        Figure(f"{count} of execution, saturated", name, "actions/s", tuple(of[count]))
        for count in REPLICAS
        for name, of in ((OURS, rates), (FLOOR, floor))
    ]
    share = {count: sum(rates[count]) / sum(floor[count]) for count in REPLICAS}
    return Row(
        "replicas",
        "Replicas of execution on the same cores",
        tuple(figures),
        tuple(
            Target(f"{count} replicas, of one (each by the floor beside it)", share[count] / share[1], KEEPS)
            for count in REPLICAS[1:]
        ),
        (
            "Replicas add safety and, on more cores, room; on the same cores they can only cost.",
            "The floor is one process a role in every round.",
        ),
    )
