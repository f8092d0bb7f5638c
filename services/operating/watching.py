"""Keeps the history of the planes' health and of releases. Rows are the platform's; every tenant may count with them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from libs.contracts.message import new_id
from libs.contracts.operating import PlaneHealth
from libs.runtime.plane import HEARTBEAT_SECONDS, Runtime
from services.operating.domain.health import Board
from services.operating.domain.watch import Watch, look, silent
from services.operating.store import SqlStore

EVERY = timedelta(seconds=HEARTBEAT_SECONDS * 3)
GAP = EVERY * 6
"""Looking anew after longer than this, nobody looked."""


class Watching:
    """Looks at the heartbeats that all replicas of this plane keep together."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._store = SqlStore(runtime.database)

    async def once(self) -> None:
        """Look at the planes once. Until each was heard of for the first time nothing is said."""
        board = Board(timedelta(seconds=HEARTBEAT_SECONDS))
        board.restore(await self._store.heartbeats())
        planes = board.planes(self._runtime.now())
        async with self._database.batch() as work:
            c = work.connection
            await c.execute(
                "select pg_advisory_xact_lock(hashtextextended('operating.watches', 0))"
            )  # replicas take turns
            now = await c.fetchval("select now()")
            last = await c.fetchrow("select * from operating.watches order by since desc, watch_id desc limit 1")
            ids = (new_id(), new_id())
            kept = look(_watch(last), silent(planes), now, gap=GAP, ids=ids)
            if last is None and not all(one.last_seen_at for one in planes):
                kept = ()
            for one in kept:
                await c.execute(
                    "insert into operating.watches (watch_id, since, seen_at, answering, planes) values ($1, $2, $3, $4, $5) "
                    "on conflict (watch_id) do update set seen_at = excluded.seen_at, planes = excluded.planes",
                    one.watch_id, one.since, one.seen_at, one.answering, list(one.planes),
                )  # fmt: skip
            await self._releases(c, planes)

    async def _releases(self, connection: Any, planes: tuple[PlaneHealth, ...]) -> None:
        heard = [(one.plane.value, one.version) for one in planes if one.version]
        await connection.execute(
            "insert into operating.releases (plane, version) select * from unnest($1::text[], $2::text[]) on conflict do nothing",
            [plane for plane, _ in heard], [version for _, version in heard],
        )  # fmt: skip

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.once()


def _watch(row: Any) -> Watch | None:
    if row is None:
        return None
    at: tuple[datetime, datetime] = (row["since"], row["seen_at"])
    return Watch(row["watch_id"], *at, row["answering"], tuple(row["planes"]))
