"""Dead letters in PostgreSQL: part of a unit of work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.dead_letters import DeadLetter, LetterCause, LetterState
from libs.contracts.message import Reason, new_id
from services.execution.dead_letters.domain import OLD, Arrival

_TRIED = """(select count(*) from execution.dispatches d where d.tenant_id = $1 and d.action_id = $2 and d.attempt >
  coalesce((select max(l.attempt) from execution.dead_letters l where l.tenant_id = $1 and l.action_id = $2), 0))"""
TRIED = f"select {_TRIED}"
"""How often an action was dispatched since it was a dead letter last: a replay begins with all its tries."""


class Letters(Protocol):
    """Part of a unit of work."""

    async def arrive(self, arrivals: Sequence[Arrival]) -> list[DeadLetter]:
        """Keep letters. An action whose letter is open gets no second one."""
        ...

    async def get(self, tenant_id: UUID, letter_id: UUID, *, lock: bool = False) -> DeadLetter | None: ...

    async def page(
        self, tenant_id: UUID, state: LetterState | None, before: UUID | None, limit: int
    ) -> list[DeadLetter]: ...

    async def end(
        self, letter: DeadLetter, state: LetterState, by: str, note: str = "", new_action_id: UUID | None = None
    ) -> DeadLetter:
        """Close a letter; with state `open` only the new action's id is kept."""
        ...

    async def still_open(self, tenant_id: UUID, connector: str, code: str) -> int:
        """How many letters of one connector and error wait."""
        ...

    async def reopen(
        self, tenant_id: UUID, action_id: UUID, detail: str, trace_id: str, headers: dict[str, str]
    ) -> bool:
        """Put an action that failed, or was not sent, back to work as its next attempt. Returns whether it could be."""
        ...


class Clocks(Protocol):
    async def due(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Open letters that are due to be told about again, of all tenants: (tenant, letter). Each is due again after `OLD`."""
        ...


class SqlLetters:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def arrive(self, arrivals: Sequence[Arrival]) -> list[DeadLetter]:
        made = []
        for one in arrivals:
            job, letter_id = one.job, new_id()
            row = await self._c.fetchrow(
                "insert into execution.dead_letters (tenant_id, dead_letter_id, action_id, attempt, action_type, connector, cause, code, error_en, "
                f"error_ar, attempts, trace_id) select $1, $3, $2, $4, $5, $6, $7, $8, $9, $10, {_TRIED}, $11 "
                "on conflict (tenant_id, action_id) where state = 'open' do nothing returning *",
                job.tenant_id, job.action_id, letter_id, job.attempt, job.action_type, one.connector, one.cause.value, one.error.code,
                one.error.en, one.error.ar, job.trace_id,
            )  # fmt: skip
            if row is not None:
                await self._c.execute(
                    "insert into execution.dead_letter_clocks (tenant_id, dead_letter_id, due_at) values ($1, $2, now() + $3::interval)",
                    job.tenant_id, letter_id, OLD,
                )  # fmt: skip
                made.append(letter_of(row))
        return made

    async def get(self, tenant_id: UUID, letter_id: UUID, *, lock: bool = False) -> DeadLetter | None:
        row = await self._c.fetchrow(
            f"select * from execution.dead_letters where tenant_id = $1 and dead_letter_id = $2{' for update' if lock else ''}",
            tenant_id, letter_id,
        )  # fmt: skip
        return letter_of(row) if row else None

    async def page(
        self, tenant_id: UUID, state: LetterState | None, before: UUID | None, limit: int
    ) -> list[DeadLetter]:
        rows = await self._c.fetch(
            "select * from execution.dead_letters where tenant_id = $1 and ($2::text is null or state = $2) "
            "and ($3::uuid is null or dead_letter_id < $3) order by dead_letter_id desc limit $4",
            tenant_id, state.value if state else None, before, limit,
        )  # fmt: skip
        return [letter_of(row) for row in rows]

    async def end(
        self, letter: DeadLetter, state: LetterState, by: str, note: str = "", new_action_id: UUID | None = None
    ) -> DeadLetter:
        row = await self._c.fetchrow(
            "update execution.dead_letters set state = $3, ended_at = case when $3 <> 'open' then now() end, "
            "ended_by = case when $3 <> 'open' then $4 end, note = $5, new_action_id = coalesce($6, new_action_id) "
            "where tenant_id = $1 and dead_letter_id = $2 returning *",
            letter.tenant_id, letter.dead_letter_id, state.value, by, note, new_action_id,
        )  # fmt: skip
        if state is not LetterState.OPEN:
            sql = "delete from execution.dead_letter_clocks where tenant_id = $1 and dead_letter_id = $2"
            await self._c.execute(sql, letter.tenant_id, letter.dead_letter_id)
        return letter_of(row)

    async def still_open(self, tenant_id: UUID, connector: str, code: str) -> int:
        found: int = await self._c.fetchval(
            "select count(*) from execution.dead_letters where tenant_id = $1 and state = 'open' and connector = $2 and code = $3",
            tenant_id, connector, code,
        )  # fmt: skip
        return found

    async def reopen(
        self, tenant_id: UUID, action_id: UUID, detail: str, trace_id: str, headers: dict[str, str]
    ) -> bool:
        status: str = await self._c.execute(
            "update execution.actions set state = 'accepted', attempt = attempt + 1, waiting_for = null, error = '', headers = $4::json, "
            "linked_traces = array_append(linked_traces, $3), timeline = timeline || jsonb_build_object('at', now(), 'state', 'accepted', "
            "'detail', $5::text, 'trace_id', $3::text) where tenant_id = $1 and action_id = $2 and state in ('failed', 'not_sent')",
            tenant_id, action_id, trace_id, json.dumps(headers), detail,
        )  # fmt: skip
        if not status.endswith(" 1"):
            return False
        await self._c.execute(
            "insert into execution.work (tenant_id, action_id) values ($1, $2) on conflict (tenant_id, action_id) do update set due_at = now(), "
            "lease_owner = null, lease_until = null, tries = 0",
            tenant_id, action_id,
        )  # fmt: skip
        return True


async def due_clocks(connection: Any, limit: int, again: timedelta = OLD) -> list[tuple[UUID, UUID]]:
    rows = await connection.fetch(
        "update execution.dead_letter_clocks c set due_at = now() + $2::interval from (select tenant_id, dead_letter_id from "
        "execution.dead_letter_clocks where due_at <= now() order by due_at limit $1 for update skip locked) d "
        "where c.tenant_id = d.tenant_id and c.dead_letter_id = d.dead_letter_id returning c.tenant_id, c.dead_letter_id",
        limit, again,
    )  # fmt: skip
    return [(row["tenant_id"], row["dead_letter_id"]) for row in rows]


def letter_of(row: Any) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=row["dead_letter_id"], tenant_id=row["tenant_id"], action_id=row["action_id"], action_type=row["action_type"],
        connector=row["connector"], cause=LetterCause(row["cause"]),
        error=Reason(code=row["code"], en=row["error_en"], ar=row["error_ar"]), attempts=row["attempts"], trace_id=row["trace_id"],
        state=LetterState(row["state"]), arrived_at=row["arrived_at"], ended_at=row["ended_at"], ended_by=row["ended_by"],
        note=row["note"], new_action_id=row["new_action_id"],
    )  # fmt: skip
