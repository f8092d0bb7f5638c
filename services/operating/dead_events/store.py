"""Dead events in PostgreSQL. Without row security: one event may name several tenants, or none that can be read. `mine` decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from libs.contracts.dead_events import DeadEvent, DeadEventState
from libs.contracts.message import Plane, new_id
from libs.runtime.database import BatchWork

KEPT = timedelta(days=90)
"""How long bytes are kept: as long as the stream keeps them. The row stays."""
_COLUMNS = (
    "dead_event_id, plane, subject, message_id, tenant_ids, error, attempts, trace_id, state, arrived_at, ended_at, ended_by, note, "
    "coalesce(length(body), 0) as bytes"
)


class DeadEventRows:
    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def keep(self, subject: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Keep what a plane gave up on, under `dlq.<plane>.<subject>`. The same message again changes nothing, and returns False."""
        _, plane, of = subject.split(".", 2)
        row = await self._c.fetchrow(
            "insert into operating.dead_events (dead_event_id, plane, subject, message_id, tenant_ids, error, attempts, trace_id, body) "
            "values ($1, $2, $3, $4, $5::uuid[], $6, $7, $8, $9) on conflict (plane, subject, message_id) do nothing returning 1",
            new_id(), plane, of, (headers.get("Dealix-Message-Id") or headers.get("Nats-Msg-Id", ""))[:200], tenants_of(body), headers.get("Dealix-Error", "")[:200],
            _number(headers.get("Dealix-Attempts", "")), _trace(headers), body,
        )  # fmt: skip
        return row is not None

    async def page(
        self, tenant_id: UUID, state: DeadEventState | None, before: UUID | None, limit: int
    ) -> list[DeadEvent]:
        rows = await self._c.fetch(
            f"select {_COLUMNS} from operating.dead_events where (tenant_ids = array[$1::uuid] or cardinality(tenant_ids) <> 1) "
            "and ($2::text is null or state = $2) and ($3::uuid is null or dead_event_id < $3) order by dead_event_id desc limit $4",
            tenant_id, state.value if state else None, before, limit,
        )  # fmt: skip
        return [event_of(row) for row in rows]

    async def get(self, dead_event_id: UUID, *, lock: bool = False) -> tuple[DeadEvent, bytes | None] | None:
        row = await self._c.fetchrow(
            f"select {_COLUMNS}, body from operating.dead_events where dead_event_id = $1{' for update' if lock else ''}",
            dead_event_id,
        )
        return (event_of(row), row["body"]) if row else None

    async def end(self, dead_event_id: UUID, state: DeadEventState, by: str, note: str = "") -> None:
        await self._c.execute(
            "update operating.dead_events set state = $2, ended_at = now(), ended_by = $3, note = $4 where dead_event_id = $1",
            dead_event_id, state.value, by, note,
        )  # fmt: skip

    async def forget(self) -> None:
        await self._c.execute(
            "update operating.dead_events set body = null where body is not null and arrived_at < now() - $1::interval",
            KEPT,
        )

    async def waiting(self) -> float:
        return float(await self._c.fetchval("select count(*) from operating.dead_events where state = 'open'"))


def mine(event: DeadEvent, tenant_id: UUID) -> bool:
    """Whether an event is one tenant's alone. One that names several, or none that can be read, is the system's."""
    return event.tenant_ids == (tenant_id,)


def tenants_of(body: bytes) -> list[UUID]:
    """Whom an event is about, as far as anybody can read it: every tenant that it or one of its items names."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return []
    items = document.get("items") if isinstance(document, dict) else None
    named = [document, *(items if isinstance(items, list) else ())]
    found = set()
    for one in named:
        text = one.get("tenant_id") if isinstance(one, dict) else None
        try:
            found.add(UUID(str(text))) if text is not None else None
        except ValueError:
            return []
    return sorted(found)


def event_of(row: Any) -> DeadEvent:
    return DeadEvent(
        dead_event_id=row["dead_event_id"], plane=Plane(row["plane"]), subject=row["subject"], message_id=row["message_id"],
        tenant_ids=tuple(row["tenant_ids"]), error=row["error"], attempts=row["attempts"], bytes=row["bytes"], trace_id=row["trace_id"],
        state=DeadEventState(row["state"]), arrived_at=row["arrived_at"], ended_at=row["ended_at"], ended_by=row["ended_by"], note=row["note"],
    )  # fmt: skip


def text_of(body: bytes) -> Any:
    """A body as people can look at it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _trace(headers: Mapping[str, str]) -> str:
    parts: Sequence[str] = headers.get("traceparent", "").split("-")
    return parts[1] if len(parts) == 4 else ""
