"""Looks at automatic controls: on schedule, each by its cadence, and when somebody asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.controls import DUE, Control, ControlKind, controls, version
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.compliance import ControlResult, Reading
from libs.contracts.message import PLATFORM
from libs.runtime.database import Database
from libs.runtime.pacing import paced
from services.trust.bundles.watch import record
from services.trust.compliance.checks import checks, statement
from services.trust.compliance.domain.judge import Counted, judge
from services.trust.compliance.store import SYSTEM, ControlRows

log = logging.getLogger(__name__)

POLL_SECONDS = 60.0
OWNER = "compliance_officer"
"""The role that a failure belongs to until somebody assigns it."""
SOON = timedelta(seconds=5)
"""A look this young is not repeated by the schedule when several replicas run it."""


IsLive = Callable[[UUID], Awaitable[bool]]
"""Whether any connector of a tenant is live."""


class Sweep:
    def __init__(self, database: Database, is_live: IsLive, *, every: float = POLL_SECONDS) -> None:
        self._database = database
        self.is_live = is_live
        self._every = every

    async def run(self) -> None:
        """Look at what is due, for ever."""
        while True:
            await self.run_once()
            await asyncio.sleep(self._every)

    async def run_once(self) -> None:
        """Look at every tenant's controls that are due."""
        async for tenant_id in paced(await self.tenants()):
            await self.due(tenant_id)

    async def tenants(self) -> list[UUID]:
        """Every tenant that has a log."""
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select log_id from trust.ledger_heads where log_id <> $1", PLATFORM)
        return [row["log_id"] for row in rows]

    async def due(self, tenant_id: UUID) -> None:
        async with self._database.batch(tenant_id) as work:
            rows = ControlRows(work.connection, tenant_id)
            seen, now = await rows.newest(), await rows.now()
        wanted = [control for control in automatic() if _is_due(control, seen.get(control.control_id), now)]
        for control in wanted:
            await self.look(tenant_id, control, SYSTEM)

    async def look(self, tenant_id: UUID, control: Control, actor: str) -> Reading:
        """Look at one control and keep what was seen, in one transaction of its own: one that can't be read spoils no other."""
        try:
            return await self._look(tenant_id, control, actor, await self._counted(tenant_id, control))
        except asyncpg.PostgresError as error:
            ids = {"control": control.control_id, "error": type(error).__name__}
            log.exception("a control can't be read", extra={"ids": ids})
            return await self._look(tenant_id, control, actor, None)

    async def _counted(self, tenant_id: UUID, control: Control) -> Counted | None:
        if control.control_id not in checks():
            return None
        live = await self.is_live(tenant_id)
        # The platform beside the tenant: some controls read what holds for the whole installation.
        async with self._database.batch(tenant_id, PLATFORM) as work:
            given = (*parameters(), live)
            row = await ControlRows(work.connection, tenant_id).count(statement(control.control_id), given)
        return Counted(row["rows"], row["failing"], row["unclear"], tuple(row["sample"] or ()))

    async def _look(self, tenant_id: UUID, control: Control, actor: str, counted: Counted | None) -> Reading:
        async with self._database.batch(tenant_id) as work:
            rows = ControlRows(work.connection, tenant_id)
            # One look at a time: of two replicas the second finds what the first kept.
            await work.connection.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tenant_id}/{control.control_id}"
            )
            result, why = judge(control, checks().get(control.control_id), counted)
            seen = counted or Counted(0, 0)
            reading = Reading(
                control_id=control.control_id, result=result, checked_at=await work.connection.fetchval("select clock_timestamp()"),
                rows=seen.rows, failing=seen.failing, unclear=seen.unclear, sample=seen.sample, why=why, catalogue_version=version(),
            )  # fmt: skip
            before = await rows.last(control.control_id)
            await rows.keep(reading, before)
            if counted is not None:
                await _follow(rows, control, reading)
            await _note(work.connection, tenant_id, reading, actor, before)
        return reading


async def _follow(rows: ControlRows, control: Control, reading: Reading) -> None:
    """A failure gets an owner and a due date, and ends when nothing fails any more. A look that could not be had ends none."""
    if reading.result is ControlResult.FAIL:
        await rows.begin_failure(control, OWNER, reading.checked_at + DUE[control.severity])
    else:
        await rows.end_failure(control.control_id)


async def _note(connection: Any, tenant: UUID, reading: Reading, actor: str, before: Reading | None) -> None:
    """Every change of a result is on record."""
    if before is not None and before.result is reading.result:
        return
    fact = {
        "result": reading.result.value, "before": before.result.value if before else "", "rows": reading.rows,
        "failing": reading.failing, "catalogue": reading.catalogue_version,
    }  # fmt: skip
    await record(connection, [(tenant, "control.read", actor, f"control:{reading.control_id}", fact)])


def automatic() -> Iterable[Control]:
    return (control for control in controls().values() if control.kind is ControlKind.AUTOMATIC)


def _is_due(control: Control, newest: Reading | None, now: datetime) -> bool:
    return newest is None or now - newest.checked_at >= max(control.every, SOON)


def parameters() -> tuple[list[str], list[str]]:
    """$2 and $3 of every check."""
    refused = [key for key, rule in sources().items() if rule.handling is Handling.REFUSE]
    return refused, [name for name, effect in effects().items() if effect.system]
