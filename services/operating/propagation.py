"""Tells enforcing planes what is paused, again and again, until they have acknowledged it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from uuid import UUID

from libs.contracts.errors import DealixError
from libs.contracts.execution import ControlReply, ControlRow
from libs.contracts.message import Plane, TenantId, new_id
from libs.contracts.subjects import AUDITED, EXECUTION_CONTROL, Call
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from services.operating.domain.control import Control
from services.operating.store import Store

log = logging.getLogger(__name__)

CALLS: Mapping[Plane, Call[ControlRow, ControlReply]] = {Plane.EXECUTION: EXECUTION_CONTROL}
BATCH = 20
IDLE_SECONDS = 0.5


class Propagation:
    """Delivers controls. What is undelivered is on record, so that a restart forgets nothing."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        while True:
            await self.deliver_due()
            await asyncio.sleep(IDLE_SECONDS)

    async def deliver_due(self) -> int:
        """Try everything that is due, once. Returns how much that was."""
        due = await self._store.due(BATCH)
        await asyncio.gather(*(self.deliver(each.tenant_id, each.control_id, each.plane) for each in due))
        return len(due)

    async def deliver(self, tenant_id: TenantId, control_id: UUID, plane: Plane) -> bool:
        """Tell a plane how a control stands now. Returns whether the plane has acknowledged exactly that."""
        async with self._store.unit(tenant_id) as unit:
            control = await unit.control(control_id)
        if control is None:
            return False
        try:
            reply = await self._bus.call(CALLS[plane], control.row())
        except DealixError as error:
            log.warning("a control is not acknowledged yet", extra={"ids": _ids(control, plane, error.code)})
            return False
        if reply.version > control.version:
            async with self._store.unit(tenant_id) as unit:
                await unit.overtake(control, reply.version)
            log.warning("a plane knew a later control than ours", extra={"ids": _ids(control, plane, "overtaken")})
            return False
        if not reply.acknowledged or reply.version != control.version:
            return False
        await self._acknowledged(control, plane)
        return True

    async def _acknowledged(self, control: Control, plane: Plane) -> None:
        async with self._store.unit(control.tenant_id) as unit:
            await unit.acknowledge(control, plane)
            unit.emit(
                AUDITED[Plane.OPERATING],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=control.tenant_id,
                    kind="control_acknowledged",
                    actor=f"plane:{plane.value}",
                    target=f"{control.scope}:{control.target}",
                    at=await unit.now(),
                    data={"paused": control.paused, "version": control.version},
                    trace_id=telemetry.trace_id(),
                ),
            )


def _ids(control: Control, plane: Plane, code: str) -> dict[str, str | int]:
    return {"control_id": str(control.control_id), "version": control.version, "plane": plane.value, "code": code}
