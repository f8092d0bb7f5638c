"""Operating's answers: the health board, control, flags, traces; and the telemetry it hears."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from libs.contracts.catalogue.flags import FlagKind
from libs.contracts.catalogue.flags import flags as catalogue
from libs.contracts.connectors import LiveSwitched
from libs.contracts.errors import Forbidden
from libs.contracts.message import PLATFORM, Plane, new_id
from libs.contracts.operating import (
    ControlCommand,
    ControlList,
    ControlListReply,
    ControlState,
    FlagsReply,
    FlagsRequest,
    HealthReply,
    HealthReported,
    HealthRequest,
    SetFlag,
    SpansExported,
    TraceReply,
    TraceRequest,
)
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import SessionWork
from services.operating.domain.control import ENFORCERS, Control, Order, understand
from services.operating.domain.flags import in_force, require_change
from services.operating.domain.health import Board
from services.operating.domain.spans import Buffer
from services.operating.propagation import Propagation
from services.operating.store import Store, Unit

log = logging.getLogger(__name__)

FIRST_TRY_SECONDS = 2.0
"""How long a command waits for the enforcing planes before it answers with what they have acknowledged so far."""
SPAN_BATCH = 1000
FLUSH_SECONDS = 0.3
FORGET_SECONDS = 60.0


class Health:
    """The board of planes. Each replica of operating hears some heartbeats; the table lets each know all."""

    def __init__(self, store: Store, board: Board, now: Callable[[], datetime], every: timedelta) -> None:
        self._store = store
        self._board = board
        self._now = now
        self._every = every

    async def hear(self, report: HealthReported) -> None:
        self._board.hear(report, self._now())

    async def planes(self, _: HealthRequest) -> HealthReply:
        return HealthReply(planes=self._board.planes(self._now()))

    async def exchange(self) -> None:
        """Put what was heard here on record, and take in what other replicas heard, or this one before it restarted."""
        self._board.forget(self._now())
        await self._store.save_heartbeats(self._board.heartbeats())
        self._board.restore(await self._store.heartbeats())

    async def run(self) -> None:
        while True:
            await self.exchange()
            await asyncio.sleep(self._every.total_seconds())


class Controls:
    """Pause, stop, resume: on record and in the ledger first, then told to the planes that enforce it."""

    def __init__(self, store: Store, propagation: Propagation) -> None:
        self._store = store
        self._propagation = propagation

    async def command(self, command: ControlCommand) -> ControlState:
        """Carry out a command and answer with how it stands.

        Raises ControlForbidden, ForeignTenant, UnknownCommand, UnknownScope, UnknownTarget.
        """
        order = understand(command)
        async with self._store.unit(order.tenant_id) as unit:
            control = await unit.order(order)
            await _ledger(unit, order, control)
        await self._first_try(control)
        async with self._store.unit(order.tenant_id) as unit:
            current = await unit.control(control.control_id)
        return (current or control).state(order.tenant_id)

    async def _first_try(self, control: Control) -> None:
        """Tell the planes at once. Where that fails or takes long, the delivery loop goes on; the command stands either way."""
        try:
            async with asyncio.timeout(FIRST_TRY_SECONDS):
                await asyncio.gather(
                    *(self._propagation.deliver(control.tenant_id, control.control_id, plane) for plane in ENFORCERS)
                )
        except TimeoutError:
            log.warning(
                "a control waits for its acknowledgement", extra={"ids": {"control_id": str(control.control_id)}}
            )

    async def list(self, request: ControlList) -> ControlListReply:
        tenant = request.principal.tenant_id
        if not request.principal.roles:
            raise Forbidden
        async with self._store.unit(tenant, PLATFORM) as unit:
            controls = await unit.controls()
        return ControlListReply(items=tuple(c.state(tenant) for c in controls if c.concerns(tenant)))


async def _ledger(unit: Unit, order: Order, control: Control) -> None:
    unit.emit(
        AUDITED[Plane.OPERATING],
        AuditRecorded(
            entry_id=new_id(),
            tenant_id=order.tenant_id,
            kind="control_commanded",
            actor=order.actor,
            target=f"{control.scope}:{control.target}",
            at=await unit.now(),
            data={"command": order.command.value, "reason": order.reason, "version": control.version},
            trace_id=telemetry.trace_id(),
        ),
    )


class Flags:
    """What is switched on for a tenant. Read from the table each time: a stale answer could outlive a tenant's "off"."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, request: FlagsRequest) -> FlagsReply:
        async with self._store.unit(request.tenant_id, PLATFORM) as unit:
            values = await unit.flag_values()
            now = await unit.now()
        return FlagsReply(
            flags=in_force(catalogue(), values, request.tenant_id, now), version=sum(value.version for value in values)
        )

    async def set(self, request: SetFlag) -> FlagsReply:
        """Change a flag of the principal's tenant, in the ledger too; answers with what is in force then.

        Raises UnknownFlag, FlagForbidden, FlagLocked, LiveFlagNeedsApproval.
        """
        who = request.principal
        flag = require_change(catalogue(), who, request.name, request.value)
        async with self._store.unit(who.tenant_id) as unit:
            await unit.set_flag(who.tenant_id, flag.name, request.value, who.id, request.expires_at)
            unit.emit(
                AUDITED[Plane.OPERATING],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=who.tenant_id,
                    kind="flag_changed",
                    actor=who.id,
                    target=f"flag:{flag.name}",
                    at=await unit.now(),
                    data={
                        "value": request.value,
                        "expires_at": request.expires_at.isoformat() if request.expires_at else None,
                    },
                    trace_id=telemetry.trace_id(),
                ),
            )
        return await self.read(FlagsRequest(tenant_id=who.tenant_id))


class LiveSwitches:
    """Hears that an approved action switched a connector."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def switched(self, work: SessionWork, event: LiveSwitched) -> None:
        """Keep the flag and put it on record. A word that came later than the approved action stands: "off" is never undone by old news."""
        flag = catalogue().get(event.flag)
        if flag is None or flag.kind is not FlagKind.LIVE:
            log.error("an unknown live flag was switched", extra={"ids": {"action_id": str(event.action_id)}})
            return
        async with self._store.join(work) as unit:
            own = (value for value in await unit.flag_values() if value.name == flag.name)
            if any(value.tenant_id == event.tenant_id and value.changed_at > event.at for value in own):
                return
            actor = f"action:{event.action_id}"
            await unit.set_flag(event.tenant_id, flag.name, event.value, actor)
            unit.emit(
                AUDITED[Plane.OPERATING],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=event.tenant_id,
                    kind="flag_changed",
                    actor=actor,
                    target=f"flag:{flag.name}",
                    at=await unit.now(),
                    data={"value": event.value, "expires_at": None},
                    trace_id=telemetry.trace_id(),
                ),
            )


class Traces:
    """The last spans of all planes, each under its tenant."""

    def __init__(self, store: Store, buffer: Buffer, *, keep: int, older_than: timedelta) -> None:
        self._store = store
        self._buffer = buffer
        self._keep = keep
        self._older_than = older_than
        self._reported = 0

    async def hear(self, message: SpansExported) -> None:
        self._buffer.add(message.spans)

    async def flush(self) -> None:
        """Store what waits, in batches. A batch that cannot be stored is lost: it is telemetry."""
        while batch := self._buffer.take(SPAN_BATCH):
            await self._store.add_spans(batch)
        if self._buffer.dropped > self._reported:
            log.warning("spans were dropped", extra={"ids": {"dropped": self._buffer.dropped}})
            self._reported = self._buffer.dropped

    async def forget(self) -> None:
        """Forget what is too much or too old."""
        while await self._store.forget_spans(keep=self._keep, older_than=self._older_than):
            continue

    async def run(self) -> None:
        while True:
            await self.flush()
            await asyncio.sleep(FLUSH_SECONDS)

    async def run_forgetting(self) -> None:
        while True:
            await self.forget()
            await asyncio.sleep(FORGET_SECONDS)

    async def read(self, request: TraceRequest) -> TraceReply:
        """Spans of the principal's tenant, and those that belong to none.

        Raises Forbidden for a principal without any role.
        """
        if not request.principal.roles:
            raise Forbidden
        async with self._store.unit(request.principal.tenant_id) as unit:
            return TraceReply(spans=tuple(await unit.spans(request.trace_ids)))
