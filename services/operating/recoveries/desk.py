"""Backups are written down by whoever makes them (`dealix backup`); a restore is told by its report. Trust hears of the newest of each."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from libs.contracts.errors import Forbidden
from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import BackupMade, OperatingFacts, RestoreTested
from libs.contracts.recoveries import RecoveriesReply, RecoveriesRequest, Recovery, ReportRestore
from libs.contracts.subjects import OBSERVED
from libs.runtime.database import Database
from services.operating.recoveries.errors import NotWhole, RestoreTime, UnknownBackup

EVERY_SECONDS = 60.0
SHOWN = 100
READERS = frozenset({"owner", "admin", "operator", "auditor", "compliance_officer"})
REPORTERS = frozenset({"owner", "admin", "operator"})
SKEW = timedelta(minutes=5)
_LIST = "select kind, digest, at, rows, leaves, by from operating.recoveries order by at desc, digest limit $1"
_NEWEST = "select distinct on (kind) kind, digest, at, rows, leaves from operating.recoveries order by kind, at desc"


class Recoveries:
    def __init__(self, database: Database, *, every: float = EVERY_SECONDS) -> None:
        self._database = database
        self._every = every

    async def list(self, request: RecoveriesRequest) -> RecoveriesReply:
        if not READERS & set(request.principal.roles):
            raise Forbidden
        async with self._database.batch(PLATFORM) as work:
            rows = await work.connection.fetch(_LIST, SHOWN)
        return RecoveriesReply(items=tuple(Recovery(**row) for row in rows))

    async def report(self, request: ReportRestore) -> Recovery:
        """Put a restore on record; the same report again changes nothing.

        Raises UnknownBackup, NotWhole, RestoreTime.
        """
        if not REPORTERS & set(request.principal.roles):
            raise Forbidden
        async with self._database.batch(PLATFORM) as work:
            c = work.connection
            made = await c.fetchrow(
                "select at, rows, leaves, now() as now from operating.recoveries where kind = 'backup' and digest = $1",
                request.digest,
            )
            if made is None:
                raise UnknownBackup
            if (request.rows, request.leaves) != (made["rows"], made["leaves"]):
                raise NotWhole
            if not made["at"] <= request.restored_at <= made["now"] + SKEW:
                raise RestoreTime
            await c.execute(
                "insert into operating.recoveries (kind, digest, at, rows, leaves, by) values ('restore_test', $1, $2, $3, $4, $5) "
                "on conflict do nothing",
                request.digest, request.restored_at, request.rows, request.leaves, request.principal.id,
            )  # fmt: skip
            await self._tell(work)
            row = await c.fetchrow(
                "select kind, digest, at, rows, leaves, by from operating.recoveries where kind = 'restore_test' and digest = $1 and at = $2",
                request.digest, request.restored_at,
            )  # fmt: skip
        return Recovery(**row)

    async def run(self) -> None:
        """Tell trust whenever there is something new, for ever."""
        told: datetime | None = None
        while True:
            async with self._database.batch(PLATFORM) as work:
                newest = await work.connection.fetchval("select max(recorded_at) from operating.recoveries")
                if newest is not None and newest != told:
                    await self._tell(work)
            told = newest
            await asyncio.sleep(self._every)

    async def _tell(self, work: Any) -> None:
        now = await work.connection.fetchval("select now()")
        facts = tuple(_fact(row) for row in await work.connection.fetch(_NEWEST))
        whole = ("backup", "restore_test")
        work.emit(OBSERVED[Plane.OPERATING], OperatingFacts(tenant_id=PLATFORM, at=now, facts=facts, whole=whole))


def _fact(row: Any) -> BackupMade | RestoreTested:
    held = {"subject": row["digest"][:16], "rows": row["rows"], "leaves": row["leaves"]}
    if row["kind"] == "backup":
        return BackupMade(made_at=row["at"], **held)
    return RestoreTested(restored_at=row["at"], **held)
