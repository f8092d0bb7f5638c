"""Operating's storage. PostgreSQL's clock is the clock. The in-memory twin is in `memory.py`; one suite runs over both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.message import Message, Plane, TenantId, new_id
from libs.contracts.operating import HealthReported, SpanRecord
from libs.contracts.subjects import Event
from libs.runtime.database import BatchWork, Database, SessionWork, tenant_list
from services.operating.domain.control import ENFORCERS, Control, Order
from services.operating.domain.flags import FlagValue
from services.operating.domain.health import FORGET_AFTER, Heartbeat
from services.operating.domain.spans import KeptSpan

RETRY = timedelta(seconds=1)
"""How long after one attempt a control is told again to a plane that has not acknowledged it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A control that a plane has not acknowledged yet."""

    control_id: UUID
    tenant_id: TenantId
    plane: Plane


class Unit(Protocol):
    """One transaction over a few tenants. Rows of other tenants are not there, and cannot be written."""

    async def now(self) -> datetime: ...

    async def order(self, order: Order) -> Control:
        """Put an order on record under the next version, and queue it for every enforcing plane."""
        ...

    async def control(self, control_id: UUID) -> Control | None: ...

    async def controls(self) -> list[Control]:
        """All controls of the unit's tenants, the last changed first."""
        ...

    async def acknowledge(self, control: Control, plane: Plane) -> None:
        """The plane enforces this version. A later version stays queued."""
        ...

    async def overtake(self, control: Control, version: int) -> None:
        """The plane knows a later version than ours (we were restored from a backup): ask again with one beyond it."""
        ...

    async def flag_values(self) -> list[FlagValue]: ...

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
    ) -> None: ...

    async def drop_flag(self, tenant_id: TenantId, name: str) -> bool:
        """Forget a word; False when there was none."""
        ...

    async def spans(self, trace_ids: Sequence[str]) -> list[SpanRecord]: ...

    def emit(self, event: Event[Any], message: Message) -> UUID: ...


class Store(Protocol):
    def unit(self, *tenants: TenantId) -> AbstractAsyncContextManager[Unit]: ...

    def join(self, work: SessionWork) -> AbstractAsyncContextManager[Unit]:
        """Take part in an event handler's own unit of work, so that both commit together."""
        ...

    async def due(self, limit: int) -> list[Due]:
        """Take deliveries that are due; each is due again after RETRY, whoever takes it then."""
        ...

    async def save_heartbeats(self, beats: Sequence[Heartbeat]) -> None:
        """Keep the last of each replica, unless a later one is there; replicas that are gone are forgotten."""
        ...

    async def heartbeats(self) -> list[Heartbeat]: ...

    async def add_spans(self, spans: Sequence[KeptSpan]) -> None:
        """Keep a batch; a span that is there already stays as it is."""
        ...

    async def forget_spans(self, *, keep: int, older_than: timedelta) -> int:
        """Forget whole batches, the oldest first, beyond `keep` spans or over that age. Returns how many spans went."""
        ...


_ORDER = """
insert into operating.controls as c (tenant_id, scope, target, control_id, paused, version, changed_by)
values ($1, $2, $3, $4, $5, 1, $6)
on conflict (tenant_id, scope, target) do update
  set paused = excluded.paused, version = c.version + 1, changed_by = excluded.changed_by, changed_at = now()
returning control_id, version, changed_at
"""

_QUEUE = """
insert into operating.control_deliveries (control_id, plane, tenant_id, version, due_at)
select $1, p, $2, $3, now() + $4::interval from unnest($5::text[]) as p
on conflict (control_id, plane) do update set version = excluded.version, due_at = excluded.due_at, tries = 0
"""

_CONTROLS = """
select c.*, coalesce((select jsonb_object_agg(a.plane, a.version) from operating.control_acknowledgements a
  where a.tenant_id = c.tenant_id and a.control_id = c.control_id), '{}') as acknowledged
from operating.controls c
"""

_SPANS = """
insert into operating.spans
  (batch_id, tenant_id, trace_id, span_id, parent_id, plane, name, kind, start_ns, end_ns, ok, attributes, links)
select $1, t, tr, sp, pa, pl, n, k, s, e, o, a::jsonb,
  coalesce(string_to_array(nullif(l, ''), ','), '{}')
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
            $11::bool[], $12::text[], $13::text[]) as u(t, tr, sp, pa, pl, n, k, s, e, o, a, l)
on conflict do nothing
"""

# The newest batches count first; the one that goes over the limit, and all before it, go.
_FORGET = """
delete from operating.span_batches b using (
  select batch_id from (
    select batch_id, at, sum(spans) over (order by at desc, batch_id desc) as kept from operating.span_batches) counted
  where kept > $1 or at < now() - $2::interval order by at limit 200) old
where b.batch_id = old.batch_id returning b.batch_id, b.tenants
"""


class SqlUnit:
    """The unit over an open transaction."""

    def __init__(self, work: BatchWork) -> None:
        self._work = work
        self._c = work.connection

    async def now(self) -> datetime:
        at: datetime = await self._c.fetchval("select now()")
        return at

    async def order(self, order: Order) -> Control:
        row = await self._c.fetchrow(
            _ORDER, order.tenant_id, order.scope.value, order.target, new_id(), order.paused, order.actor
        )
        await self._queue(row["control_id"], order.tenant_id, row["version"])
        control = await self.control(row["control_id"])
        assert control is not None
        return control

    async def _queue(self, control_id: UUID, tenant_id: TenantId, version: int) -> None:
        await self._c.execute(_QUEUE, control_id, tenant_id, version, RETRY, [plane.value for plane in ENFORCERS])

    async def control(self, control_id: UUID) -> Control | None:
        row = await self._c.fetchrow(f"{_CONTROLS} where c.control_id = $1", control_id)
        return _control(row) if row is not None else None

    async def controls(self) -> list[Control]:
        return [
            _control(row) for row in await self._c.fetch(f"{_CONTROLS} order by c.changed_at desc, c.control_id desc")
        ]

    async def acknowledge(self, control: Control, plane: Plane) -> None:
        await self._c.execute(
            "insert into operating.control_acknowledgements as a (tenant_id, control_id, plane, version) values ($1, $2, $3, $4) "
            "on conflict (tenant_id, control_id, plane) do update set version = excluded.version, at = now() "
            "where a.version < excluded.version",
            control.tenant_id,
            control.control_id,
            plane.value,
            control.version,
        )
        await self._c.execute(
            "delete from operating.control_deliveries where control_id = $1 and plane = $2 and version <= $3",
            control.control_id,
            plane.value,
            control.version,
        )

    async def overtake(self, control: Control, version: int) -> None:
        ours = await self._c.fetchval(
            "update operating.controls set version = greatest(version, $2 + 1) where control_id = $1 returning version",
            control.control_id,
            version,
        )
        await self._queue(control.control_id, control.tenant_id, ours)

    async def flag_values(self) -> list[FlagValue]:
        rows = await self._c.fetch(
            "select tenant_id, name, value, version, changed_by, changed_at, expires_at, share, starts_at from operating.flag_values"
        )
        return [FlagValue(**dict(row)) for row in rows]

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
        await self._c.execute(
            "insert into operating.flag_values as f (tenant_id, name, value, changed_by, expires_at, share, starts_at) "
            "values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, name) do update set value = excluded.value, "
            "version = f.version + 1, changed_by = excluded.changed_by, changed_at = now(), expires_at = excluded.expires_at, "
            "share = excluded.share, starts_at = excluded.starts_at",
            tenant_id, name, value, actor, expires_at, share, starts_at,
        )  # fmt: skip

    async def drop_flag(self, tenant_id: TenantId, name: str) -> bool:
        gone = await self._c.fetchval(
            "delete from operating.flag_values where tenant_id = $1 and name = $2 returning 1", tenant_id, name
        )
        return gone is not None

    async def spans(self, trace_ids: Sequence[str]) -> list[SpanRecord]:
        rows = await self._c.fetch(
            "select trace_id, span_id, parent_id, plane, name, kind, start_ns, end_ns, ok, attributes, links "
            "from operating.spans where trace_id = any($1) order by start_ns, span_id",
            list(trace_ids),
        )
        return [SpanRecord(**{**dict(row), "attributes": json.loads(row["attributes"])}) for row in rows]

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)


class SqlStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, *tenants: TenantId) -> AsyncIterator[SqlUnit]:
        async with self._database.batch(*tenants) as work:
            yield SqlUnit(work)

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[SqlUnit]:
        yield SqlUnit(await work.batch())

    async def due(self, limit: int) -> list[Due]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "update operating.control_deliveries d set due_at = now() + $2::interval, tries = tries + 1 from ("
                "  select control_id, plane from operating.control_deliveries where due_at <= now() order by due_at limit $1"
                "  for update skip locked) taken "
                "where d.control_id = taken.control_id and d.plane = taken.plane returning d.control_id, d.tenant_id, d.plane",
                limit,
                RETRY,
            )
        return [Due(row["control_id"], row["tenant_id"], Plane(row["plane"])) for row in rows]

    async def save_heartbeats(self, beats: Sequence[Heartbeat]) -> None:
        async with self._database.batch() as work:
            await work.connection.execute(
                "insert into operating.heartbeats (plane, instance, report, received_at) "
                "select p, i, r::jsonb, t from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as u(p, i, r, t) "
                "on conflict (plane, instance) do update set report = excluded.report, received_at = excluded.received_at "
                "where heartbeats.received_at < excluded.received_at",
                [b.report.plane.value for b in beats],
                [b.report.instance for b in beats],
                [b.report.model_dump_json() for b in beats],
                [b.received_at for b in beats],
            )
            await work.connection.execute(
                "delete from operating.heartbeats h where received_at < now() - $1::interval and exists"
                " (select 1 from operating.heartbeats later where later.plane = h.plane and later.received_at > h.received_at)",
                FORGET_AFTER,
            )

    async def heartbeats(self) -> list[Heartbeat]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select report, received_at from operating.heartbeats")
        return [Heartbeat(HealthReported.model_validate_json(row["report"]), row["received_at"]) for row in rows]

    async def add_spans(self, spans: Sequence[KeptSpan]) -> None:
        tenants = sorted({kept.tenant_id for kept in spans if kept.tenant_id is not None})
        batch_id = new_id()
        async with self._database.batch(*tenants) as work:
            await work.connection.execute(_SPANS, batch_id, *_columns(spans))
            await work.connection.execute(
                "insert into operating.span_batches (batch_id, tenants, spans) values ($1, $2, $3)",
                batch_id,
                tenants,
                len(spans),
            )

    async def forget_spans(self, *, keep: int, older_than: timedelta) -> int:
        async with self._database.batch() as work:
            old = await work.connection.fetch(_FORGET, keep, older_than)
            tenants = sorted({tenant for row in old for tenant in row["tenants"]})
            await work.connection.execute("select set_config('dealix.tenants', $1, true)", tenant_list(tenants))
            gone = await work.connection.execute(
                "delete from operating.spans where batch_id = any($1::uuid[])", [row["batch_id"] for row in old]
            )
        return int(gone.rpartition(" ")[2])


def _control(row: Any) -> Control:
    return Control(
        control_id=row["control_id"],
        tenant_id=row["tenant_id"],
        scope=row["scope"],
        target=row["target"],
        paused=row["paused"],
        version=row["version"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
        acknowledged={Plane(plane): version for plane, version in json.loads(row["acknowledged"]).items()},
    )


def _columns(spans: Iterable[KeptSpan]) -> list[list[Any]]:
    rows = [
        (
            kept.tenant_id, s.trace_id, s.span_id, s.parent_id, s.plane.value, s.name, s.kind, s.start_ns, s.end_ns, s.ok,
            json.dumps(s.attributes), ",".join(s.links),
        )
        for kept in spans
        for s in (kept.span,)
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]
