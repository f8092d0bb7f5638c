"""Reconciliation: a scheduled look at vendors' own logs, matched with the grants.

An effect that no grant allowed is an orphan: a critical alarm, a ledger entry, and the connector is paused until a person resumes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects as catalogue
from libs.contracts.errors import DealixError
from libs.contracts.execution import Effect, EffectsReply, EffectsRequest
from libs.contracts.message import PLATFORM, Principal, PrincipalKind
from libs.contracts.operating import ControlCommand
from libs.contracts.receipts import OutcomeResolved
from libs.contracts.subjects import CONTROL, LIST_EFFECTS, OUTCOME_RESOLVED
from libs.runtime.bus import Bus
from libs.runtime.database import BatchWork, Database
from libs.runtime.pacing import paced
from services.trust.bundles.watch import record
from services.trust.receipts.domain import Granted, Match, match

log = logging.getLogger(__name__)

WINDOW = timedelta(hours=48)

_GRANTED = """
select d.grant_id, d.action_id, coalesce(r.outcome, g.outcome) as outcome, coalesce(nullif(r.vendor_id, ''), g.receipt->>'vendor_id') as vendor_id,
  g.closed_at from trust.decisions d
left join trust.grant_closures g on g.tenant_id = d.tenant_id and g.grant_id = d.grant_id
left join trust.outcome_resolutions r on r.tenant_id = d.tenant_id and r.grant_id = d.grant_id
where d.tenant_id = $1 and d.grant_id is not null and d.effect = any($2::text[]) and d.decided_at >= $3
"""


def connectors() -> dict[str, list[str]]:
    """Connectors that reach a vendor, with the effects that go through each."""
    found: dict[str, list[str]] = {}
    for effect in catalogue().values():
        if effect.external:
            found.setdefault(effect.connector, []).append(effect.name)
    return found


class Reconciliation:
    def __init__(self, database: Database, bus: Bus, *, every: float) -> None:
        self._database = database
        self._bus = bus
        self._every = every

    async def run(self) -> None:
        """Reconcile every tenant, for ever."""
        while True:
            await asyncio.sleep(self._every)
            await self.run_once()

    async def run_once(self) -> None:
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select log_id from trust.ledger_heads where log_id <> $1", PLATFORM)
        async for row in paced(rows):
            await self.tenant(row["log_id"])

    async def tenant(self, tenant_id: UUID) -> None:
        """Look at all of one tenant's connectors. A connector that can't be asked now is asked again next time."""
        for connector, names in connectors().items():
            try:
                await self._connector(tenant_id, connector, names)
            except DealixError as error:
                log.warning(
                    "a connector's log can't be read", extra={"ids": {"connector": connector, "code": error.code}}
                )

    async def _connector(self, tenant_id: UUID, connector: str, names: Sequence[str]) -> None:
        async with self._database.batch(tenant_id) as work:
            now: datetime = await work.connection.fetchval("select now()")
        request = EffectsRequest(tenant_id=tenant_id, connector=connector, since=now - WINDOW)
        told = await self._bus.call(LIST_EFFECTS, request)
        async with self._database.batch(tenant_id) as work:
            rows = await work.connection.fetch(_GRANTED, tenant_id, list(names), now - 2 * WINDOW)
            found = (
                match([Granted(**row) for row in rows], told.items, now=now, complete=told.complete)
                if told.checkable
                else None
            )
            fresh = await self._keep(work, tenant_id, connector, told, found, now)
        for effect in fresh:
            log.critical(
                "ORPHAN EFFECT: a vendor did something that no grant allowed",
                extra={"ids": {"tenant": str(tenant_id), "connector": connector, "operation": effect.operation}},
            )
        await self._pause(tenant_id, connector)

    async def _keep(
        self, work: BatchWork, tenant_id: UUID, connector: str, told: EffectsReply, found: Match | None, now: datetime
    ) -> list[Effect]:
        connection = work.connection
        fresh = []
        if found is not None:
            await connection.execute(
                "insert into trust.vendor_views (tenant_id, grant_id, vendor_id) select $1, g, v from unnest($2::uuid[], $3::text[]) "
                "as x(g, v) on conflict do nothing",
                tenant_id, list(found.matched), list(found.matched.values()),
            )  # fmt: skip
            for effect in found.orphans:
                if await self._orphan(connection, tenant_id, connector, effect):
                    fresh.append(effect)
            await self._resolve(work, tenant_id, found, now)
        await connection.execute(
            "insert into trust.reconciliations (tenant_id, connector, at, checkable, effects, matched, waiting, orphans, resolved) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant_id, connector) do update set at = excluded.at, "
            "checkable = excluded.checkable, effects = excluded.effects, matched = excluded.matched, waiting = excluded.waiting, "
            "orphans = excluded.orphans, resolved = excluded.resolved",
            tenant_id, connector, now, told.checkable and told.complete, len(told.items) if found else 0, len(found.matched) if found else 0,
            found.waiting if found else 0, len(found.orphans) if found else 0, len(found.resolved) if found else 0,
        )  # fmt: skip
        return fresh

    async def _orphan(self, connection: Any, tenant_id: UUID, connector: str, effect: Effect) -> bool:
        fresh = await connection.fetchval(
            "insert into trust.orphan_effects (tenant_id, connector, vendor_id, operation, action_id, at) values ($1, $2, $3, $4, $5, $6) "
            "on conflict do nothing returning true",
            tenant_id, connector, effect.vendor_id, effect.operation, effect.action_id, effect.at,
        )  # fmt: skip
        if not fresh:
            return False
        fact = {
            "severity": "critical", "connector": connector, "operation": effect.operation, "vendor_id": effect.vendor_id,
            "at": effect.at.isoformat(),
        }  # fmt: skip
        target = f"connector:{connector}"
        await record(connection, [(tenant_id, "reconciliation.orphan_effect", "system:trust", target, fact)])
        return True

    async def _resolve(self, work: BatchWork, tenant_id: UUID, found: Match, now: datetime) -> None:
        for one in found.resolved:
            fresh = await work.connection.fetchval(
                "insert into trust.outcome_resolutions (tenant_id, grant_id, action_id, outcome, vendor_id) values ($1, $2, $3, $4, $5) "
                "on conflict do nothing returning true",
                tenant_id, one.granted.grant_id, one.granted.action_id, one.outcome.value, one.vendor_id,
            )  # fmt: skip
            if not fresh:
                continue
            fact = {"grant_id": str(one.granted.grant_id), "outcome": one.outcome.value, "vendor_id": one.vendor_id}
            target = f"action:{one.granted.action_id}"
            await record(work.connection, [(tenant_id, "outcome.resolved", "system:trust", target, fact)])
            work.emit(
                OUTCOME_RESOLVED,
                OutcomeResolved(
                    tenant_id=tenant_id, action_id=one.granted.action_id, grant_id=one.granted.grant_id, outcome=one.outcome,
                    vendor_id=one.vendor_id, at=now,
                ),
            )  # fmt: skip

    async def _pause(self, tenant_id: UUID, connector: str) -> None:
        """Stop the connector for whatever orphan has not stopped it yet. Tried again with every look until operating has it."""
        async with self._database.batch(tenant_id) as work:
            due = await work.connection.fetchval(
                "select exists(select 1 from trust.orphan_effects where tenant_id = $1 and connector = $2 and paused_at is null)",
                tenant_id,
                connector,
            )
        if not due:
            return
        command = ControlCommand(
            principal=Principal(
                id="system:trust",
                kind=PrincipalKind.SYSTEM,
                tenant_id=tenant_id,
                roles=("operator",),
                name="reconciliation",
            ),
            scope="connector",
            target=connector,
            command="pause",
            reason="An effect was found in the vendor's log that nobody granted.",
        )
        await self._bus.call(CONTROL, command)
        async with self._database.batch(tenant_id) as work:
            await work.connection.execute(
                "update trust.orphan_effects set paused_at = now() where tenant_id = $1 and connector = $2 and paused_at is null",
                tenant_id,
                connector,
            )
