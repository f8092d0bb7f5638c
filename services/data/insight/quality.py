"""Looks at every tenant's rows on schedule and on demand, and remembers what it saw."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.catalogue.quality import QualityCheck, quality_checks
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.errors import Forbidden
from libs.contracts.quality import (
    CheckState,
    QualityChecked,
    QualityPoint,
    QualityReply,
    QualityRequest,
    QualityStanding,
    QualityState,
)
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime

log = logging.getLogger(__name__)

EVERY_HOURS = 6
LOOK_SECONDS = 5.0
POINTS = 12
"""Looks that a standing shows."""
MAY_LOOK = frozenset({"owner", "admin", "approver", "operator", "member", "api_client", "compliance_officer"})


# The first of the looks in a row, up to the newest, that were below the goal; a look at nothing breaks the row.
_BELOW_SINCE = """
with l as (select at, rows > 0 and round(1 - failed::numeric / nullif(rows, 0), 4) < $3::numeric as below from data.quality_looks
  where tenant_id = $1 and name = $2)
select min(at) from l where below and at > coalesce((select max(at) from l where not below), '-infinity')"""


class Quality:
    """Answers for a tenant, and goes round all of them."""

    def __init__(self, runtime: Runtime) -> None:
        quality_checks()  # a wrong catalogue stops the start
        self._runtime = runtime
        self._database = runtime.database

    async def standing(self, request: QualityRequest) -> QualityReply:
        """Every check with its latest look. Raises Forbidden for who may read but not start a look."""
        tenant = request.principal.tenant_id
        if request.now:
            if not MAY_LOOK & set(request.principal.roles):
                raise Forbidden
            await self.look(tenant)
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(
                "select name, at, rows, failed, sample from (select *, row_number() over (partition by name order by at desc) as n "
                "from data.quality_looks where tenant_id = $1) l where n <= $2 order by name, at desc",
                tenant, POINTS,
            )  # fmt: skip
        seen: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            seen[row["name"]].append(row)
        items = tuple(_standing(check, seen[check.name]) for check in quality_checks().values())
        return QualityReply(items=items, counts=dict(Counter(item.state.value for item in items)))

    async def look(self, tenant: UUID) -> None:
        """Run every check over a tenant's rows, one after the other, and remember the results."""
        now = self._runtime.now()
        blocked = [key for key, rule in sources().items() if rule.handling in (Handling.BLOCK, Handling.REFUSE)]
        states = []
        async with self._database.batch(tenant) as work:
            for check in quality_checks().values():
                row = await work.connection.fetchrow(*_statement(check.sql, tenant, now, blocked))
                rows, failed = int(row["rows"]), int(row["failed"])
                found = await work.connection.fetch(*_statement(check.sample, tenant, now, blocked)) if failed else []
                await self._remember(work, tenant, check, now, rows, failed, [one["id"] for one in found])
                states.append(await self._stood(work, tenant, check, now, rows, min(failed, rows)))
            work.emit(subjects.QUALITY_CHECKED, QualityChecked(tenant_id=tenant, at=now, checks=tuple(states)))

    async def _stood(
        self, work: BatchWork, tenant: UUID, check: QualityCheck, now: datetime, rows: int, failed: int
    ) -> CheckState:
        """How the check stands after this look, and since when it has been below without a break."""
        point = QualityPoint(at=now, rows=rows, failed=failed, share=_share(rows, failed))
        state, since = _state(check, point), None
        if state is QualityState.BELOW:
            since = await work.connection.fetchval(_BELOW_SINCE, tenant, check.name, check.goal)
        return CheckState(
            name=check.name, state=state, share=point.share, goal=check.goal, rows=rows, failed=failed, since=since
        )  # fmt: skip

    async def _remember(
        self, work: BatchWork, tenant: UUID, check: QualityCheck, now: datetime, rows: int, failed: int, sample: list[str]
    ) -> None:  # fmt: skip
        await work.connection.execute(
            "insert into data.quality_looks (tenant_id, name, at, rows, failed, sample) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            tenant, check.name, now, rows, min(failed, rows), sample,
        )  # fmt: skip

    async def run(self) -> None:
        """Look at tenants whose turn it is, for ever. A tenant is claimed for its whole interval, so replicas never look twice."""
        while True:
            tenant = await self._claim()
            if tenant is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            try:
                await self.look(tenant)
            except Exception:
                # One tenant's rows must not keep the others from being looked at; its next turn comes.
                log.exception("data quality could not be looked at", extra={"ids": {"tenant": str(tenant)}})

    async def _claim(self) -> UUID | None:
        async with self._database.batch() as work:
            await work.connection.execute(
                "insert into data.quality_turns (tenant_id) select tenant_id from data.slugs on conflict do nothing"
            )
            tenant: UUID | None = await work.connection.fetchval(
                "update data.quality_turns t set due_at = now() + make_interval(hours => $1) from (select tenant_id from data.quality_turns "
                "where due_at <= now() order by due_at limit 1 for update skip locked) d where t.tenant_id = d.tenant_id returning t.tenant_id",
                EVERY_HOURS,
            )
        return tenant


def serve_quality(runtime: Runtime) -> None:
    quality = Quality(runtime)
    runtime.bus.serve(subjects.DATA_QUALITY, quality.standing)
    runtime.loop("data quality", quality.run)


def _statement(sql: str, tenant: UUID, now: datetime, blocked: list[str]) -> tuple[Any, ...]:
    """The check's statement with its parameters, all of them mentioned: PostgreSQL refuses one that nothing uses."""
    mentioned = "(select $1::uuid, $2::timestamptz, $3::text[]) parameters"
    return (f"select checked.* from {mentioned}, lateral ({sql}) checked", tenant, now, blocked)


def _state(check: QualityCheck, latest: QualityPoint | None) -> QualityState:
    if latest is None or latest.share is None:
        return QualityState.NO_DATA
    return QualityState.OK if latest.share >= check.goal else QualityState.BELOW


def _share(rows: int, failed: int) -> float | None:
    return None if not rows else round(1 - failed / rows, 4)


def _standing(check: QualityCheck, looks: list[Any]) -> QualityStanding:
    points = tuple(
        QualityPoint(
            at=row["at"], rows=row["rows"], failed=row["failed"],
            share=_share(row["rows"], row["failed"]),
        )
        for row in looks
    )  # fmt: skip
    latest = points[0] if points else None
    return QualityStanding(
        name=check.name, dimension=check.dimension.value, table=check.table, en=check.en, ar=check.ar, goal=check.goal,
        state=_state(check, latest),
        latest=latest, trend=points[1:], sample=tuple(looks[0]["sample"]) if looks else (),
    )  # fmt: skip
