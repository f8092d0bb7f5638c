"""Keeps what planes count of objectives, and says how each stands. Rows are the platform's: nothing in them is a tenant's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from libs.contracts import subjects
from libs.contracts.catalogue.slos import BURNS, slos
from libs.contracts.errors import Forbidden
from libs.contracts.message import PLATFORM, Plane
from libs.contracts.slos import SloCounted, SloReading, SlosReply, SlosRequest
from libs.runtime.database import Database
from libs.runtime.plane import Runtime
from services.operating.domain.objectives import Tally, first_moment, standing

KEPT = timedelta(days=31)
GONE = timedelta(days=1)
"""A process that told nothing for so long has ended: what it had counted is in the sums."""
FORGET_SECONDS = 3600.0
# Counts are told whole, also those that did not change: a quiet one that was forgotten would be added once more.
_ALIVE = "update operating.slo_processes set at = now() where process = $1 and at < now() - interval '1 hour'"
# Counts of one process only grow: what arrives late or twice adds nothing. Sums are kept by five minutes.
_COUNT = """
with heard as (select name, good, bad from unnest($2::text[], $3::bigint[], $4::bigint[]) as t(name, good, bad)),
  before as (select s.name, s.good, s.bad from operating.slo_processes s join heard using (name) where s.process = $1),
  kept as (
    insert into operating.slo_processes as s (process, name, good, bad) select $1, name, good, bad from heard
    on conflict (process, name) do update set good = excluded.good, bad = excluded.bad, at = now()
      where excluded.good >= s.good and excluded.bad >= s.bad and excluded.good + excluded.bad > s.good + s.bad
    returning s.name, s.good, s.bad)
insert into operating.slo_sums as u (name, since, good, bad)
select k.name, date_bin('5 minutes', now(), 'epoch'), k.good - coalesce(b.good, 0), k.bad - coalesce(b.bad, 0)
from kept k left join before b using (name)
on conflict (name, since) do update set good = u.good + excluded.good, bad = u.bad + excluded.bad
"""
_LEVEL = """
insert into operating.slo_levels as l (name, plane, value, over_since) values ($1, $2, $3, case when $4 then now() end)
on conflict (name, plane) do update set value = excluded.value, at = now(), over_since = case when $4 then coalesce(l.over_since, now()) end
"""
_SUMS = """
select name, sum(good)::bigint as good, sum(bad)::bigint as bad, min(since) as since
from operating.slo_sums where since >= $1 group by name
"""


class ObjectivesDesk:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def hear(self, told: SloCounted) -> None:
        """Keep what a process counted. An objective that the catalogue does not have is another release's, and is left out."""
        known = slos()
        counts = sorted((one for one in told.counts if one.name in known), key=lambda one: one.name)
        async with self._database.batch(PLATFORM) as work:
            c = work.connection
            # One after another: what is added is the difference to the row that is read.
            await c.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"slo {told.process}")
            await c.execute(_ALIVE, told.process)
            await c.execute(
                _COUNT, told.process, [one.name for one in counts], [one.good for one in counts], [one.bad for one in counts]
            )  # fmt: skip
            for level in told.levels:
                slo = known.get(level.name)
                if slo is not None and slo.limit is not None:
                    await c.execute(_LEVEL, level.name, told.plane.value, level.value, level.value > slo.limit)

    async def list(self, request: SlosRequest) -> SlosReply:
        """Raises Forbidden for a principal without any role."""
        if not request.principal.roles:
            raise Forbidden
        async with self._database.batch(PLATFORM) as work:
            c = work.connection
            now = await c.fetchval("select now()")
            month = await c.fetch(_SUMS, first_moment(now))
            whole, begun = _tallies(month), {row["name"]: row["since"] for row in month}
            minutes = sorted({m for one in BURNS for m in (one.minutes, one.short_minutes)})
            tallies = {m: _tallies(await c.fetch(_SUMS, now - timedelta(minutes=m))) for m in minutes}
            levels: dict[str, list[SloReading]] = {}
            for row in await c.fetch(
                "select name, plane, value, at, over_since from operating.slo_levels order by plane"
            ):
                one = SloReading(
                    plane=Plane(row["plane"]), value=row["value"], at=row["at"], over_since=row["over_since"]
                )
                levels.setdefault(row["name"], []).append(one)
        items = tuple(
            standing(
                slo, whole.get(name, Tally()), begun.get(name), {m: found.get(name, Tally()) for m, found in tallies.items()},
                levels.get(name, []), now,
            )
            for name, slo in slos().items()
        )  # fmt: skip
        return SlosReply(at=now, items=items)

    async def forget(self) -> None:
        async with self._database.batch(PLATFORM) as work:
            await work.connection.execute("delete from operating.slo_sums where since < now() - $1::interval", KEPT)
            await work.connection.execute("delete from operating.slo_processes where at < now() - $1::interval", GONE)
            await work.connection.execute("delete from operating.slo_levels where at < now() - $1::interval", GONE)

    async def run_forgetting(self) -> None:
        while True:
            await self.forget()
            await asyncio.sleep(FORGET_SECONDS)


def _tallies(rows: Iterable[Any]) -> dict[str, Tally]:
    return {row["name"]: Tally(row["good"], row["bad"]) for row in rows}


def serve_objectives(runtime: Runtime) -> ObjectivesDesk:
    """Hear what planes count, and answer how objectives stand."""
    slos()  # a wrong catalogue stops the start
    desk = ObjectivesDesk(runtime.database, runtime.now)
    runtime.bus.on_signal(subjects.SLO_COUNTED, desk.hear)
    runtime.bus.serve(subjects.SLOS, desk.list)
    runtime.loop("forgetting counts of objectives", desk.run_forgetting)
    return desk
