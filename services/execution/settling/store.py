"""Which action undoes which: part of a unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

Key = tuple[UUID, UUID]


class Compensations(Protocol):
    """Part of a unit of work."""

    async def of(self, tenant_id: UUID, action_id: UUID) -> UUID | None:
        """The action that undoes this one, or was to."""
        ...

    async def keep(self, tenant_id: UUID, action_id: UUID, by: UUID) -> None: ...

    async def done(self, undoing: Sequence[Key]) -> list[Key]:
        """These succeeded: what they undo is compensated. Returns what was."""
        ...

    async def settle(self, tenant_id: UUID, action_id: UUID, state: str, detail: str) -> UUID | None:
        """End an unknown outcome; returns its grant, None where it was not unknown."""
        ...


class SqlCompensations:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def of(self, tenant_id: UUID, action_id: UUID) -> UUID | None:
        # Locked by the action's own row: of two people who undo it at once, the second finds what the first began.
        await self._c.execute(
            "select 1 from execution.actions where tenant_id = $1 and action_id = $2 for no key update",
            tenant_id,
            action_id,
        )
        found: UUID | None = await self._c.fetchval(
            "select compensating_id from execution.compensations where tenant_id = $1 and action_id = $2",
            tenant_id,
            action_id,
        )
        return found

    async def keep(self, tenant_id: UUID, action_id: UUID, by: UUID) -> None:
        await self._c.execute(
            "insert into execution.compensations (tenant_id, action_id, compensating_id) values ($1, $2, $3) "
            "on conflict (tenant_id, action_id) do update set compensating_id = excluded.compensating_id, at = now()",
            tenant_id, action_id, by,
        )  # fmt: skip

    async def done(self, undoing: Sequence[Key]) -> list[Key]:
        rows = await self._c.fetch(
            "update execution.actions a set state = 'compensated', timeline = timeline || jsonb_build_object('at', now(), 'state', "
            "'compensated', 'detail', 'by ' || x.i::text) from unnest($1::uuid[], $2::uuid[]) as x(t, i) join execution.compensations c "
            "on c.tenant_id = x.t and c.compensating_id = x.i where a.tenant_id = c.tenant_id and a.action_id = c.action_id "
            "and a.state = 'succeeded' returning a.tenant_id, a.action_id",
            [tenant for tenant, _ in undoing], [action for _, action in undoing],
        )  # fmt: skip
        return [(row["tenant_id"], row["action_id"]) for row in rows]

    async def settle(self, tenant_id: UUID, action_id: UUID, state: str, detail: str) -> UUID | None:
        found: UUID | None = await self._c.fetchval(
            "update execution.actions set state = $3, waiting_for = null, timeline = timeline || jsonb_build_object('at', now(), 'state', "
            "$3::text, 'detail', $4::text) where tenant_id = $1 and action_id = $2 and state = 'unknown' returning grant_id",
            tenant_id, action_id, state, detail,
        )  # fmt: skip
        return found
