"""Governed actions a second: ours, the floor and the peer, round after round in turn.

An action counts when everything is done: its state is `succeeded`, its grant is closed, and both of its ledger entries are
leaves under their log's head.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import floor
from benchmarks.dbos_process import Dbos, dbos
from benchmarks.load import SATURATED, SIXTY_FOUR, TENANTS, Shape, submissions, submit, tenants
from benchmarks.report import FLOOR, LEAN, OURS, PEER, Figure, Row, Target, ratio
from benchmarks.rig import PEER_DATABASE, Rig, rig
from libs.contracts.subjects import SUBMIT

POLL_SECONDS = 0.01
PATIENCE_SECONDS = 60.0

_OUR_DONE = (
    "select (select count(*) from trust.grant_closures) as closed, not exists (select 1 from trust.ledger_pending) as sequenced, "
    "not exists (select 1 from execution.work) as idle"
)
_OUR_CHECK = (
    "select (select count(*) from execution.actions where state = 'succeeded') as succeeded, "
    "(select count(*) from trust.grant_closures where outcome = 'succeeded') as closed, "
    "(select count(*) from trust.ledger_leaves l join trust.ledger_entries e on e.tenant_id = l.log_id and e.entry_id = l.entry_id "
    " where e.kind in ('decision', 'outcome')) as leaves, "
    "(select coalesce(sum(size), 0) from trust.ledger_heads) - (select count(*) from trust.ledger_leaves) as beyond_heads"
)
_ROWS = (
    "select sum(n_tup_ins) ins, sum(n_tup_upd) upd, sum(n_tup_del) del, sum(n_live_tup) live from pg_stat_user_tables"
)


@dataclass
class Round:
    """One timed round."""

    actions: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        return self.actions / self.seconds

    def micros(self) -> dict[str, float]:
        """CPU microseconds an action, by process."""
        return {name: round(used / self.actions * 1e6, 1) for name, used in self.cpu.items() if used > 0}


@dataclass
class Rounds:
    """All rounds of one contestant in one shape."""

    name: str
    shape: str
    rounds: list[Round] = field(default_factory=list)


@dataclass
class Rows:
    """Rows an action, as PostgreSQL counted them."""

    inserted: float
    updated: float
    deleted: float

    @property
    def kept(self) -> float:
        """Durable rows that stay."""
        return self.inserted - self.deleted


class Contest:
    """Runs rounds on a rig. `progress` is told about each."""

    def __init__(self, rig: Rig, peer: Dbos, progress: Callable[[str], None]) -> None:
        self._rig = rig
        self._progress = progress
        self._tenants = tenants()
        self._done = {"ours": 0, "floor": 0}
        self._peer = peer

    async def warm_up(self) -> None:
        """Connections, plans and caches, on both sides; not timed."""
        for shape in (SATURATED, SIXTY_FOUR):
            await self.ours(shape, 1000)
            await self.floor(shape, 1000)
            await self.lean(shape, 1000)
        # PostgreSQL looks at new tables within a minute by itself; before that it plans for empty ones.
        for database in (self._rig.ours, self._rig.floor):
            await database.execute("analyze")

    async def ours(self, shape: Shape, actions: int) -> Round:
        calls = submissions(self._tenants, actions, shape.per_request)
        self._done["ours"] += sum(call.count for call in calls)
        target = self._done["ours"]

        async def finished() -> bool:
            row = await self._rig.ours.fetchrow(_OUR_DONE)
            return bool(row["closed"] >= target and row["sequenced"] and row["idle"])

        one = await self._timed(
            sum(call.count for call in calls),
            submit(self._rig.gateway, SUBMIT.subject, calls, shape.in_flight),
            finished,
        )
        check = dict(await self._rig.ours.fetchrow(_OUR_CHECK))
        expected = {"succeeded": target, "closed": target, "leaves": 2 * target, "beyond_heads": 0}
        if check != expected:
            raise RuntimeError(f"not everything was done: {check} instead of {expected}")
        return one

    async def floor(self, shape: Shape, actions: int, subject: str = floor.SUBMIT) -> Round:
        calls = submissions(self._tenants, actions, shape.per_request)
        self._done["floor"] += sum(call.count for call in calls)
        target = self._done["floor"]

        async def finished() -> bool:
            return bool(await self._rig.floor.fetchval("select count(*) from closures") >= target)

        return await self._timed(
            sum(call.count for call in calls), submit(self._rig.anyone, subject, calls, shape.in_flight), finished
        )

    async def lean(self, shape: Shape, actions: int) -> Round:
        """The floor with one signature a batch."""
        return await self.floor(shape, actions, floor.SUBMIT_BATCH)

    async def peer(self, workflows: int, in_flight: int) -> Round:
        """A round of DBOS: workflows of three steps."""
        before = self._rig.cpu()
        seconds = await self._peer.round(workflows, in_flight)
        return Round(workflows, seconds, _difference(before, self._rig.cpu()))

    async def _timed(self, actions: int, work: Awaitable[Any], finished: Callable[[], Awaitable[bool]]) -> Round:
        before, began = self._rig.cpu(), time.monotonic()
        await work
        while not await finished():
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise TimeoutError("a round did not come to its end")
            await asyncio.sleep(POLL_SECONDS)
        seconds = time.monotonic() - began
        return Round(actions, seconds, _difference(before, self._rig.cpu()))

    async def run(self, rounds: int, actions: int, workflows: int) -> list[Rounds]:
        """Interleaved: floor, ours, floor, ours, … and the peer, in each shape."""
        shapes = (SATURATED, SIXTY_FOUR)
        table = {(who, s.name): Rounds(who, s.name) for s in shapes for who in ("floor", "lean", "ours")}
        table["peer", SIXTY_FOUR.name] = Rounds("peer", SIXTY_FOUR.name)
        for number in range(rounds):
            for shape in shapes:
                count = actions if shape is SATURATED else actions // 2
                for who, play in (("floor", self.floor), ("lean", self.lean), ("ours", self.ours)):
                    one = await play(shape, count)
                    table[who, shape.name].rounds.append(one)
                    self._progress(f"round {number + 1} {shape.name:13} {who:6} {one.rate:8.0f}/s {one.micros()}")
            one = await self.peer(workflows, SIXTY_FOUR.in_flight)
            table["peer", SIXTY_FOUR.name].rounds.append(one)
            self._progress(f"round {number + 1} {SIXTY_FOUR.name:13} peer   {one.rate:8.0f}/s")
        return list(table.values())


class RowCount:
    """Counts row changes an action over some rounds. PostgreSQL's idle sessions report them up to ten seconds late."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._before: dict[str, int] = {}

    async def _read(self) -> dict[str, int]:
        await asyncio.sleep(11)
        return {k: int(v or 0) for k, v in dict(await self._connection.fetchrow(_ROWS)).items()}

    async def start(self) -> None:
        self._before = await self._read()

    async def per_action(self, actions: int) -> Rows:
        now = await self._read()
        change = {key: (now[key] - self._before[key]) / actions for key in ("ins", "upd", "del")}
        return Rows(round(change["ins"], 2), round(change["upd"], 2), round(change["del"], 2))


def _difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: rates of three contestants in two shapes, rows and CPU an action."""
    return asyncio.run(_measure(*((2, 4_000, 60) if quick else (7, 12_000, 150)), progress))


async def _measure(rounds: int, actions: int, workflows: int, progress: Callable[[str], None]) -> Row:
    async with rig() as made, dbos(made.servers.postgres.url(PEER_DATABASE)) as peer:
        contest = Contest(made, peer, progress)
        await contest.warm_up()
        rows = {}
        for who, play, connection in (("dealix", contest.ours, made.ours), ("floor", contest.floor, made.floor)):
            counted = RowCount(connection)
            await counted.start()
            rows[who] = await counted.per_action((await play(SATURATED, 2_000)).actions)
        table = await contest.run(rounds, actions, workflows)
    names = {"ours": OURS, "floor": FLOOR, "lean": LEAN, "peer": PEER}
    details = {
        "ours": f"{rows['dealix'].inserted:.1f} rows written each",
        "floor": f"{rows['floor'].inserted:.1f} rows written each, a signature each",
        "lean": "the same rows, one signature a batch",
        "peer": "DBOS, 3 steps, no policy, grant or ledger",
    }
    figures = tuple(
        Figure(
            one.shape, names[one.name], "actions/s", tuple(r.rate for r in one.rounds),
            details[one.name],
        )
        for one in table
    )  # fmt: skip
    cpu = {f"{one.name} · {one.shape}": [r.micros() for r in one.rounds] for one in table}
    return Row(
        "governed",
        "Governed actions",
        figures,
        (
            Target("saturated, of the floor", ratio(figures, SATURATED.name, FLOOR), 0.6),
            Target("64 in flight, of the floor", ratio(figures, SIXTY_FOUR.name, FLOOR), 0.6),
            Target("saturated, of the floor with one signature a batch", ratio(figures, SATURATED.name, LEAN), 0.6),
            Target("64 in flight, times DBOS", ratio(figures, SIXTY_FOUR.name, PEER), 50),
        ),
        (
            "An action counts when it has succeeded in the sandbox, its grant is closed and both of its ledger entries are leaves.",
            f"{TENANTS} tenants in turn; one trace in a hundred is kept. Saturated: {SATURATED.per_request} actions a request, "
            f"{SATURATED.in_flight} requests at a time. The floor moves the same messages with no checks at all. Tables are analysed after the warm-up; the "
            "controls of the new tenants are looked at for the first time meanwhile.",
            *(
                f"CPU µs an action, {name} (median): "
                + ", ".join(f"{k} {statistics.median(r.get(k, 0) for r in runs):.0f}" for k in sorted(runs[0]))
                for name, runs in cpu.items()
            ),
        ),
        {"cpu_micros": cpu, "rows": {who: vars(row) for who, row in rows.items()}},
    )
