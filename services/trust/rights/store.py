"""Storage of rights requests: the request, its steps, and what each plane has to do for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.message import Plane
from libs.contracts.rights import RightsRequest, RightsState, RightsStep, RightsTask

CLOCK = "rights"


class RightsStore:
    """Within one transaction."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def add(self, request: RightsRequest) -> bool:
        row = await self._c.fetchrow(
            "insert into trust.rights_requests (tenant_id, request_id, kind, state, contact_id, matches, details, received_at, due_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning 1",
            request.tenant_id, request.request_id, request.kind.value, request.state.value, request.contact_id,
            request.identifier_matches, request.details, request.received_at, request.due_at,
        )  # fmt: skip
        if row is not None:
            await self.clock(request)
        return row is not None

    async def clock(self, request: RightsRequest) -> None:
        """Have the duty's clock run until its term."""
        await self._c.execute(
            "insert into trust.duty_clocks (subject_id, tenant_id, kind, due_at) values ($1, $2, $3, $4) "
            "on conflict (subject_id) do update set due_at = excluded.due_at",
            request.request_id, request.tenant_id, CLOCK, request.due_at,
        )  # fmt: skip

    async def get(self, tenant_id: UUID, request_id: UUID, *, lock: bool = False) -> RightsRequest | None:
        row = await self._c.fetchrow(
            "select *, now() as now from trust.rights_requests where tenant_id = $1 and request_id = $2" + (" for update" if lock else ""),
            tenant_id, request_id,
        )  # fmt: skip
        if row is None:
            return None
        tasks = await self._c.fetch(
            "select plane, done_at, counts::text as counts from trust.rights_tasks where tenant_id = $1 and request_id = $2 order by plane",
            tenant_id, request_id,
        )  # fmt: skip
        steps = await self._c.fetch(
            "select at, actor, step, note from trust.rights_steps where tenant_id = $1 and request_id = $2 order by seq",
            tenant_id, request_id,
        )  # fmt: skip
        return _request(row, tasks, steps)

    async def page(self, tenant_id: UUID, state: str | None, before: UUID | None, limit: int) -> list[RightsRequest]:
        rows = await self._c.fetch(
            "select *, now() as now from trust.rights_requests where tenant_id = $1 and ($2::text is null or state = $2) "
            "and ($3::uuid is null or request_id < $3) order by request_id desc limit $4",
            tenant_id, state, before, limit,
        )  # fmt: skip
        return [_request(row, (), ()) for row in rows]

    async def change(self, request: RightsRequest) -> None:
        """Keep a request's new state; a closed one has no clock any more."""
        await self._c.execute(
            "update trust.rights_requests set state = $3, due_at = $4, extended = $5, identified_by = $6, closed_at = $7, details = $8 "
            "where tenant_id = $1 and request_id = $2",
            request.tenant_id, request.request_id, request.state.value, request.due_at, request.extended, request.identified_by,
            request.closed_at, request.details,
        )  # fmt: skip
        if request.closed_at is not None:
            await self._c.execute("delete from trust.duty_clocks where subject_id = $1", request.request_id)

    async def step(self, tenant_id: UUID, request_id: UUID, actor: str, step: str, note: str = "") -> None:
        await self._c.execute(
            "insert into trust.rights_steps (tenant_id, request_id, actor, step, note) values ($1, $2, $3, $4, $5)",
            tenant_id, request_id, actor, step, note,
        )  # fmt: skip

    async def add_tasks(self, tenant_id: UUID, request_id: UUID, planes: Sequence[Plane]) -> None:
        await self._c.execute(
            "insert into trust.rights_tasks (tenant_id, request_id, plane) select $1, $2, p from unnest($3::text[]) p on conflict do nothing",
            tenant_id, request_id, [plane.value for plane in planes],
        )  # fmt: skip

    async def done(self, tenant_id: UUID, request_id: UUID, plane: Plane, counts: Mapping[str, int]) -> bool:
        """Close a plane's task; False when it was closed before."""
        row = await self._c.fetchrow(
            "update trust.rights_tasks set done_at = now(), counts = $4::text::jsonb where tenant_id = $1 and request_id = $2 and plane = $3 "
            "and done_at is null returning 1",
            tenant_id, request_id, plane.value, json.dumps(dict(counts)),
        )  # fmt: skip
        return row is not None


def _request(row: Any, tasks: Sequence[Any], steps: Sequence[Any]) -> RightsRequest:
    state = RightsState(row["state"])
    ended: datetime = row["closed_at"] or row["now"]
    return RightsRequest(
        request_id=row["request_id"], tenant_id=row["tenant_id"], kind=row["kind"], state=state, contact_id=row["contact_id"],
        identifier_matches=row["matches"], details=row["details"], received_at=row["received_at"], due_at=row["due_at"],
        extended=row["extended"], late=ended > row["due_at"], identified_by=row["identified_by"], closed_at=row["closed_at"],
        tasks=tuple(RightsTask(plane=t["plane"], done_at=t["done_at"], counts=json.loads(t["counts"])) for t in tasks),
        steps=tuple(RightsStep(**dict(s)) for s in steps),
    )  # fmt: skip
