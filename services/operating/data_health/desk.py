"""The board of tenants' data: what data's last look found, and whether there was one lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from libs.contracts import subjects
from libs.contracts.errors import Forbidden
from libs.contracts.quality import CheckState, DataHealth, DataHealthRequest, QualityChecked, QualityState
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime

STALE = timedelta(hours=13)
"""Data looks every six hours: two looks were missed after this, with an hour to spare."""
_KEEP = (
    "insert into operating.data_signals (tenant_id, name, at, state, share, goal, rows, failed, since) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant_id, name) do update set at = excluded.at, state = excluded.state, "
    "share = excluded.share, goal = excluded.goal, rows = excluded.rows, failed = excluded.failed, since = excluded.since "
    "where excluded.at >= operating.data_signals.at"
)
# A check that the newest look does not have any more is no check.
_SHOW = (
    "select name, at, state, share, goal, rows, failed, since from operating.data_signals where tenant_id = $1 "
    "and at = (select max(at) from operating.data_signals where tenant_id = $1) order by state, name"
)


class DataSignals:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def heard(self, work: SessionWork, event: QualityChecked) -> None:
        """Keep what a look found; an older look never takes the place of a newer one."""
        batch = await work.batch()
        for one in event.checks:
            await batch.connection.execute(
                _KEEP, event.tenant_id, one.name, event.at, one.state.value, one.share, one.goal, one.rows, one.failed, one.since
            )  # fmt: skip

    async def board(self, request: DataHealthRequest) -> DataHealth:
        """Raises Forbidden for a principal without any role."""
        if not request.principal.roles:
            raise Forbidden
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = await work.connection.fetch(_SHOW, tenant)
        return health(tuple(_state(row) for row in rows), rows[0]["at"] if rows else None, self._runtime.now())


def health(checks: tuple[CheckState, ...], looked_at: datetime | None, now: datetime) -> DataHealth:
    """The board of one tenant. Nothing heard, or nothing lately, is not well; neither is a look that found no rows anywhere."""
    below = sum(one.state is QualityState.BELOW for one in checks)
    nothing = sum(one.state is QualityState.NO_DATA for one in checks)
    if looked_at is None or nothing == len(checks):
        status = "unknown"
    elif now - looked_at > STALE:
        status = "stale"
    else:
        status = "below" if below else "ok"
    return DataHealth(status=status, looked_at=looked_at, below=below, no_data=nothing, checks=checks)


def _state(row: Any) -> CheckState:
    given = {name: value for name, value in dict(row).items() if name != "at"}
    return CheckState(**given)


def serve_data_health(runtime: Runtime) -> None:
    signals = DataSignals(runtime)
    runtime.bus.on(subjects.QUALITY_CHECKED, signals.heard)
    runtime.bus.serve(subjects.DATA_HEALTH, signals.board)
