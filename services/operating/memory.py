"""Operating's storage in memory: for tests and flows on the in-memory bus. Kept to the same promises by the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.message import Message, Plane, TenantId, new_id
from libs.contracts.operating import SpanRecord
from libs.contracts.subjects import Event
from libs.runtime.database import SessionWork
from libs.runtime.testing import MemoryDatabase
from services.operating.domain.control import ENFORCERS, Control, Order
from services.operating.domain.flags import FlagValue
from services.operating.domain.health import FORGET_AFTER, Heartbeat
from services.operating.domain.spans import KeptSpan
from services.operating.store import RETRY, Due


@dataclass(frozen=True, slots=True)
class _Delivery:
    tenant_id: TenantId
    version: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Batch:
    spans: tuple[KeptSpan, ...]
    at: datetime


class MemoryUnit:
    def __init__(self, store: MemoryStore, work: SessionWork) -> None:
        self._store = store
        self._work = work

    def _own(self, tenant_id: TenantId) -> None:
        if tenant_id not in self._work.tenants:
            raise PermissionError("a row of a tenant that this unit of work does not name")

    async def now(self) -> datetime:
        return self._store.now()

    async def order(self, order: Order) -> Control:
        self._own(order.tenant_id)
        found = [
            c
            for c in self._store.controls.values()
            if (c.tenant_id, c.scope, c.target) == (order.tenant_id, order.scope.value, order.target)
        ]
        control = Control(
            control_id=found[0].control_id if found else new_id(),
            tenant_id=order.tenant_id,
            scope=order.scope.value,
            target=order.target,
            paused=order.paused,
            version=found[0].version + 1 if found else 1,
            changed_by=order.actor,
            changed_at=self._store.now(),
            acknowledged=found[0].acknowledged if found else {},
        )
        self._store.controls[control.control_id] = control
        self._queue(control)
        return control

    def _queue(self, control: Control) -> None:
        for plane in ENFORCERS:
            self._store.deliveries[control.control_id, plane] = _Delivery(
                control.tenant_id, control.version, self._store.now() + RETRY
            )

    async def control(self, control_id: UUID) -> Control | None:
        control = self._store.controls.get(control_id)
        return control if control is not None and control.tenant_id in self._work.tenants else None

    async def controls(self) -> list[Control]:
        mine = [c for c in self._store.controls.values() if c.tenant_id in self._work.tenants]
        return sorted(mine, key=lambda c: (c.changed_at, c.control_id), reverse=True)

    async def acknowledge(self, control: Control, plane: Plane) -> None:
        self._own(control.tenant_id)
        stored = self._store.controls[control.control_id]
        versions = {**stored.acknowledged, plane: max(control.version, stored.acknowledged.get(plane, 0))}
        self._store.controls[control.control_id] = replace(stored, acknowledged=versions)
        waiting = self._store.deliveries.get((control.control_id, plane))
        if waiting is not None and waiting.version <= control.version:
            del self._store.deliveries[control.control_id, plane]

    async def overtake(self, control: Control, version: int) -> None:
        self._own(control.tenant_id)
        stored = self._store.controls[control.control_id]
        later = replace(stored, version=max(stored.version, version + 1))
        self._store.controls[control.control_id] = later
        self._queue(later)

    async def flag_values(self) -> list[FlagValue]:
        return [value for value in self._store.flags.values() if value.tenant_id in self._work.tenants]

    async def set_flag(
        self,
        tenant_id: TenantId,
        name: str,
        value: bool,
        actor: str,
        expires_at: datetime | None = None,
        *,
        share: int = 100,
        starts_at: datetime | None = None,
    ) -> None:
        self._own(tenant_id)
        before = self._store.flags.get((tenant_id, name))
        version = before.version + 1 if before else 1
        self._store.flags[tenant_id, name] = FlagValue(
            tenant_id, name, value, version, actor, self._store.now(), expires_at, share, starts_at
        )

    async def drop_flag(self, tenant_id: TenantId, name: str) -> bool:
        self._own(tenant_id)
        return self._store.flags.pop((tenant_id, name), None) is not None

    async def spans(self, trace_ids: Sequence[str]) -> list[SpanRecord]:
        seen = [
            kept.span
            for batch in self._store.batches
            for kept in batch.spans
            if kept.span.trace_id in trace_ids and (kept.tenant_id is None or kept.tenant_id in self._work.tenants)
        ]
        return sorted(seen, key=lambda span: (span.start_ns, span.span_id))

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)


class MemoryStore:
    """One process's store. What a failed unit of work wrote is put back as it was."""

    def __init__(self, database: MemoryDatabase, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self.now = now
        self.controls: dict[UUID, Control] = {}
        self.deliveries: dict[tuple[UUID, Plane], _Delivery] = {}
        self.flags: dict[tuple[TenantId, str], FlagValue] = {}
        self.batches: list[_Batch] = []
        self._heartbeats: dict[tuple[Plane, str], Heartbeat] = {}

    @asynccontextmanager
    async def unit(self, *tenants: TenantId) -> AsyncIterator[MemoryUnit]:
        async with self._database.work(*tenants) as work, self.join(work) as unit:
            yield unit

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[MemoryUnit]:
        before = self.controls.copy(), self.deliveries.copy(), self.flags.copy()
        try:
            yield MemoryUnit(self, work)
        except BaseException:  # a rollback, cancelled or not
            self.controls, self.deliveries, self.flags = before
            raise

    async def due(self, limit: int) -> list[Due]:
        now = self.now()
        ready = sorted((d.due_at, key) for key, d in self.deliveries.items() if d.due_at <= now)[:limit]
        out = []
        for _, key in ready:
            self.deliveries[key] = replace(self.deliveries[key], due_at=now + RETRY)
            out.append(Due(key[0], self.deliveries[key].tenant_id, key[1]))
        return out

    async def save_heartbeats(self, beats: Sequence[Heartbeat]) -> None:
        for beat in beats:
            key = (beat.report.plane, beat.report.instance)
            known = self._heartbeats.get(key)
            if known is None or known.received_at < beat.received_at:
                self._heartbeats[key] = beat
        last: dict[Plane, datetime] = {}
        for beat in self._heartbeats.values():
            last[beat.report.plane] = max(beat.received_at, last.get(beat.report.plane, beat.received_at))
        horizon = self.now() - FORGET_AFTER
        self._heartbeats = {
            key: beat
            for key, beat in self._heartbeats.items()
            if beat.received_at >= horizon or beat.received_at == last[key[0]]
        }

    async def heartbeats(self) -> list[Heartbeat]:
        return list(self._heartbeats.values())

    async def add_spans(self, spans: Sequence[KeptSpan]) -> None:
        known = {(kept.span.trace_id, kept.span.span_id) for batch in self.batches for kept in batch.spans}
        fresh = {(kept.span.trace_id, kept.span.span_id): kept for kept in reversed(spans)}
        self.batches.append(_Batch(tuple(kept for key, kept in fresh.items() if key not in known), self.now()))

    async def forget_spans(self, *, keep: int, older_than: timedelta) -> int:
        horizon, kept, gone = self.now() - older_than, 0, 0
        stays: list[_Batch] = []
        for batch in reversed(self.batches):
            kept += len(batch.spans)
            if kept > keep or batch.at < horizon:
                gone += len(batch.spans)
            else:
                stays.insert(0, batch)
        self.batches = stays
        return gone
