"""Execution's storage: a few statements over whole batches. The in-memory twin is in `memory.py`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.execution import Action, ActionState, Receipt, SandboxMessage
from libs.contracts.message import Message, Reason
from libs.contracts.subjects import Event
from libs.contracts.trust import Decision
from libs.runtime.database import BatchWork, Database, SessionWork
from services.execution.dead_letters.store import TRIED, Letters, SqlLetters, due_clocks
from services.execution.domain.actions import Job
from services.execution.rows import action_of, job_of
from services.execution.settling.store import Compensations, SqlCompensations
from services.execution.statements import ACCEPT, ACTIONS, CLAIM, DISPATCHED, MOVE
from services.execution.traffic.store import SqlTraffic, Traffic

LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Stored:
    """What accepting a job did: `fresh` is false when the same action, or idempotency key, was there before."""

    action_id: UUID
    state: ActionState
    fresh: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One action's transition. `final` takes it off the queue; otherwise `due_seconds` says when somebody looks again."""

    job: Job
    state: ActionState
    detail: str
    final: bool
    decision: Decision | None = None
    receipt: Receipt | None = None
    error: str = ""
    waiting_for: str | None = None
    due_seconds: float = 0.0
    next_attempt: int | None = None
    reasons: tuple[Reason, ...] = ()
    """Why, where others than trust say so; they stand before the decision's."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """First use of a grant, and the decision that it came with."""

    job: Job
    grant_id: UUID
    nonce: str
    connector: str
    decision: Decision


class Unit(Protocol):
    """One transaction over a few tenants."""

    @property
    def letters(self) -> Letters: ...

    @property
    def traffic(self) -> Traffic: ...

    @property
    def compensations(self) -> Compensations: ...

    async def accept(self, jobs: Sequence[Job], owner: str) -> list[Stored]: ...

    async def paused(self, tenants: Sequence[UUID]) -> set[tuple[UUID, str, str]]: ...

    async def dispatch(self, dispatches: Sequence[Dispatch]) -> set[UUID]: ...

    async def dispatches(self, tenant_id: UUID, action_id: UUID) -> int:
        """How often an action has been dispatched, since it was a dead letter last."""
        ...

    async def move(self, moves: Sequence[Move]) -> set[tuple[UUID, UUID]]:
        """Which actions moved: (tenant, action)."""
        ...

    async def keep_sandbox(self, messages: Sequence[tuple[UUID, SandboxMessage]]) -> None: ...

    async def jobs(self, ids: Sequence[tuple[UUID, UUID, int, int]]) -> list[Job]:
        """What was leased, as `claim` tells it: (tenant, action, epoch, tries)."""
        ...

    async def action(self, tenant_id: UUID, action_id: UUID) -> Action | None: ...

    async def run_of(self, tenant_id: UUID, action_id: UUID) -> str:
        """The run that an action belongs to; empty without one."""
        ...

    async def states(self, tenant_id: UUID, action_ids: Sequence[UUID]) -> dict[UUID, ActionState]: ...

    async def actions(self, tenant_id: UUID, state: str | None, before: UUID | None, limit: int) -> list[Action]: ...

    async def resume(self, tenant_id: UUID, action_id: UUID, trace_id: str, headers: dict[str, str]) -> bool: ...

    async def end(self, tenant_id: UUID, action_id: UUID, state: ActionState, detail: str) -> bool: ...

    async def resolve_unknown(self, tenant_id: UUID, action_id: UUID, state: ActionState, vendor_id: str) -> bool:
        """End an action whose outcome is unknown. Returns whether it was."""
        ...

    async def waiting_about(self, tenant_id: UUID, resource_id: str) -> list[tuple[UUID, str]]:
        """Actions about a contact that have neither ended nor left: (action, effect)."""
        ...

    async def sandbox(
        self, tenant_id: UUID, connector: str | None, before: UUID | None, limit: int
    ) -> list[SandboxMessage]: ...

    async def set_control(self, tenant_id: UUID, scope: str, target: str, paused: bool, version: int) -> int: ...

    def emit(self, event: Event[Any], message: Message) -> UUID: ...


class Store(Protocol):
    def unit(self, *tenants: UUID) -> AbstractAsyncContextManager[Unit]: ...

    def join(self, work: SessionWork) -> AbstractAsyncContextManager[Unit]:
        """Take part in an event handler's own unit of work, so that both commit together."""
        ...

    async def claim(self, owner: str, limit: int) -> list[tuple[UUID, UUID, int, int]]:
        """Lease due actions: (tenant, action, epoch, tries)."""
        ...

    async def backlog(self) -> int: ...

    async def due(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Open dead letters that are due to be told about again: (tenant, letter)."""
        ...


class SqlUnit:
    """One PostgreSQL transaction."""

    def __init__(self, work: BatchWork) -> None:
        self._work = work
        self._c = work.connection
        self.letters: Letters = SqlLetters(self._c)
        self.traffic: Traffic = SqlTraffic(self._c)
        self.compensations: Compensations = SqlCompensations(self._c)

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)

    async def accept(self, jobs: Sequence[Job], owner: str) -> list[Stored]:
        rows = [
            (j.tenant_id, j.action_id, j.action_type, j.effect, j.resource.type, j.resource.id, j.payload, j.salt,
             j.principal.model_dump_json(), j.reason, j.run_id, j.approval_token, j.idempotency_key, json.dumps(j.headers), j.trace_id)
            for j in jobs
        ]  # fmt: skip
        accepted = await self._c.fetch(ACCEPT, *_columns(rows), owner, LEASE_SECONDS)
        fresh = {(row["tenant_id"], row["action_id"]) for row in accepted}
        out = []
        for job in jobs:
            if job.key in fresh:
                fresh.discard(job.key)
                out.append(Stored(job.action_id, ActionState.ACCEPTED, True, True))
            else:
                out.append(await self._existing(job))
        return out

    async def _existing(self, job: Job) -> Stored:
        row = await self._c.fetchrow(
            "select action_id, state, payload, action_type, resource_id from execution.actions "
            "where tenant_id = $1 and action_id in ($2, (select k.action_id from execution.action_keys k "
            "where k.tenant_id = $1 and k.idempotency_key = $3)) limit 1",
            job.tenant_id, job.action_id, job.idempotency_key,
        )  # fmt: skip
        if row is None:
            return Stored(job.action_id, ActionState.REFUSED, False, False)
        same = (row["payload"], row["action_type"], row["resource_id"]) == (
            job.payload,
            job.action_type,
            job.resource.id,
        )
        return Stored(row["action_id"], ActionState(row["state"]), False, same)

    async def paused(self, tenants: Sequence[UUID]) -> set[tuple[UUID, str, str]]:
        rows = await self._c.fetch(
            "select tenant_id, scope, target from execution.controls where paused and (tenant_id = any($1::uuid[]) or tenant_id = $2)",
            list(tenants), UUID(int=0),
        )  # fmt: skip
        return {(row["tenant_id"], row["scope"], row["target"]) for row in rows}

    async def dispatch(self, dispatches: Sequence[Dispatch]) -> set[UUID]:
        if not dispatches:
            return set()
        rows = [
            (d.job.tenant_id, d.job.action_id, d.job.attempt, d.grant_id, d.nonce, d.connector, d.job.connector_mode,
             d.decision.action_class, d.decision.mode, _reasons(d.decision), d.decision.approval_id, d.decision.policy_version)
            for d in dispatches
        ]  # fmt: skip
        used = await self._c.fetch(
            "insert into execution.dispatches (tenant_id, action_id, attempt, grant_id, nonce, connector, connector_mode, class, mode, reasons, "
            "approval_id, policy_version) select t, a, n, g, no, c, cm, cl, m, r::json, ap, pv from unnest($1::uuid[], $2::uuid[], $3::int[], "
            "$4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::text[]) "
            "as x(t, a, n, g, no, c, cm, cl, m, r, ap, pv) on conflict do nothing returning grant_id",
            *_columns(rows),
        )
        return {row["grant_id"] for row in used}

    async def dispatches(self, tenant_id: UUID, action_id: UUID) -> int:
        return int(await self._c.fetchval(TRIED, tenant_id, action_id))

    async def move(self, moves: Sequence[Move]) -> set[tuple[UUID, UUID]]:
        dispatched = [
            (m.job.tenant_id, m.job.action_id, m.job.attempt) for m in moves if m.state is ActionState.DISPATCHED
        ]
        others = [_move_row(m) for m in moves if m.state is not ActionState.DISPATCHED]
        moved = await self._c.fetch(DISPATCHED, *_columns(dispatched)) if dispatched else []
        moved += await self._c.fetch(MOVE, *_columns(others)) if others else []
        return {(row["tenant_id"], row["action_id"]) for row in moved}

    async def keep_sandbox(self, messages: Sequence[tuple[UUID, SandboxMessage]]) -> None:
        if not messages:
            return
        await self._c.execute(
            "insert into execution.sandbox (tenant_id, message_id, action_id, connector, operation, at, request) "
            "select t, m, a, c, o, at, r::json from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], "
            "$7::text[]) as x(t, m, a, c, o, at, r)",
            [tenant for tenant, _ in messages],
            [m.message_id for _, m in messages],
            [m.action_id for _, m in messages],
            [m.connector for _, m in messages],
            [m.operation for _, m in messages],
            [m.at for _, m in messages],
            [json.dumps(m.request, ensure_ascii=False) for _, m in messages],
        )

    async def jobs(self, ids: Sequence[tuple[UUID, UUID, int, int]]) -> list[Job]:
        rows = await self._c.fetch(
            "select a.*, d.grant_id as dispatched_grant, d.connector_mode as dispatched_mode from unnest($1::uuid[], $2::uuid[]) as x(t, i) "
            "join execution.actions a on a.tenant_id = x.t and a.action_id = x.i left join "
            "execution.dispatches d on a.state = 'accepted' and d.tenant_id = a.tenant_id and d.action_id = a.action_id "
            "and d.attempt = a.attempt",
            [tenant for tenant, _, _, _ in ids], [action for _, action, _, _ in ids],
        )  # fmt: skip
        leases = {(tenant, action): (epoch, tries) for tenant, action, epoch, tries in ids}
        return [job_of(row, *leases[row["tenant_id"], row["action_id"]]) for row in rows]

    async def action(self, tenant_id: UUID, action_id: UUID) -> Action | None:
        row = await self._c.fetchrow(f"{ACTIONS} where a.tenant_id = $1 and a.action_id = $2", tenant_id, action_id)
        return action_of(row) if row else None

    async def run_of(self, tenant_id: UUID, action_id: UUID) -> str:
        sql = "select run_id from execution.actions where tenant_id = $1 and action_id = $2"
        return str(await self._c.fetchval(sql, tenant_id, action_id) or "")

    async def states(self, tenant_id: UUID, action_ids: Sequence[UUID]) -> dict[UUID, ActionState]:
        rows = await self._c.fetch(
            "select a.action_id, case when a.state = 'accepted' and d.at is not null then 'dispatched' else a.state end as state "
            "from execution.actions a left join execution.dispatches d on a.state = 'accepted' and d.tenant_id = a.tenant_id "
            "and d.action_id = a.action_id and d.attempt = a.attempt where a.tenant_id = $1 and a.action_id = any($2::uuid[])",
            tenant_id, list(action_ids),
        )  # fmt: skip
        return {row["action_id"]: ActionState(row["state"]) for row in rows}

    async def actions(self, tenant_id: UUID, state: str | None, before: UUID | None, limit: int) -> list[Action]:
        rows = await self._c.fetch(
            f"{ACTIONS} where a.tenant_id = $1 and ($2::text is null or case when d.at is null then a.state = $2 else $2 = 'dispatched' end) "
            "and ($3::uuid is null or a.action_id < $3) order by a.action_id desc limit $4",
            tenant_id, state, before, limit,
        )  # fmt: skip
        return [action_of(row) for row in rows]

    async def resume(self, tenant_id: UUID, action_id: UUID, trace_id: str, headers: dict[str, str]) -> bool:
        """Put an action that waited for people back to work, as its next attempt and in the trace of whoever answered."""
        if not await self._still_waiting(tenant_id, action_id):
            return False
        await self._c.execute(
            "update execution.actions set state = 'accepted', attempt = attempt + 1, waiting_for = null, headers = $4::json, "
            "linked_traces = array_append(linked_traces, $3), timeline = timeline || jsonb_build_object('at', now(), 'state', 'accepted', "
            "'detail', 'approval decided', 'trace_id', $3::text) where tenant_id = $1 and action_id = $2",
            tenant_id, action_id, trace_id, json.dumps(headers),
        )  # fmt: skip
        await self._c.execute(
            "insert into execution.work (tenant_id, action_id) values ($1, $2) on conflict (tenant_id, action_id) do update set due_at = now(), "
            "lease_owner = null, lease_until = null, tries = 0",
            tenant_id, action_id,
        )  # fmt: skip
        return True

    async def end(self, tenant_id: UUID, action_id: UUID, state: ActionState, detail: str) -> bool:
        """Finish an action that has not been dispatched: cancelled, expired or refused by people."""
        if not await self._still_waiting(tenant_id, action_id):
            return False
        await self._c.execute(
            "update execution.actions set state = $3, waiting_for = null, timeline = timeline || jsonb_build_object('at', now(), 'state', "
            "$3::text, 'detail', $4::text) where tenant_id = $1 and action_id = $2",
            tenant_id, action_id, state.value, detail,
        )  # fmt: skip
        await self._c.execute(
            "delete from execution.work where tenant_id = $1 and action_id = $2", tenant_id, action_id
        )
        return True

    async def resolve_unknown(self, tenant_id: UUID, action_id: UUID, state: ActionState, vendor_id: str) -> bool:
        status: str = await self._c.execute(
            "update execution.actions set state = $3, waiting_for = null, timeline = timeline || jsonb_build_object('at', now(), 'state', "
            "$3::text, 'detail', $4::text) where tenant_id = $1 and action_id = $2 and state = 'unknown'",
            tenant_id, action_id, state.value, f"the vendor's log says so {vendor_id}".strip(),
        )  # fmt: skip
        return status.endswith(" 1")

    async def waiting_about(self, tenant_id: UUID, resource_id: str) -> list[tuple[UUID, str]]:
        rows = await self._c.fetch(
            "select action_id, effect from execution.actions where tenant_id = $1 and state in ('accepted', 'awaiting_approval') "
            "and resource_type = 'contact' and resource_id = $2 order by action_id",
            tenant_id, resource_id,
        )  # fmt: skip
        return [(row["action_id"], row["effect"]) for row in rows]

    async def _still_waiting(self, tenant_id: UUID, action_id: UUID) -> bool:
        """Lock an action, and say whether it has been neither dispatched nor ended.

        Two statements on purpose: the second sees a dispatch that committed while the first waited for its lock.
        """
        row = await self._c.fetchrow(
            "select attempt from execution.actions where tenant_id = $1 and action_id = $2 and state in ('accepted', 'awaiting_approval') "
            "for no key update",
            tenant_id, action_id,
        )  # fmt: skip
        return row is not None and not await self._c.fetchval(
            "select exists (select 1 from execution.dispatches d join execution.actions a using (tenant_id, action_id, attempt) "
            "where a.tenant_id = $1 and a.action_id = $2 and a.state = 'accepted')",
            tenant_id, action_id,
        )  # fmt: skip

    async def sandbox(
        self, tenant_id: UUID, connector: str | None, before: UUID | None, limit: int
    ) -> list[SandboxMessage]:
        rows = await self._c.fetch(
            "select message_id, action_id, connector, operation, at, request from execution.sandbox where tenant_id = $1 "
            "and ($2::text is null or connector = $2) and ($3::uuid is null or message_id < $3) order by message_id desc limit $4",
            tenant_id, connector, before, limit,
        )  # fmt: skip
        return [SandboxMessage(**{**dict(row), "request": json.loads(row["request"])}) for row in rows]

    async def set_control(self, tenant_id: UUID, scope: str, target: str, paused: bool, version: int) -> int:
        row = await self._c.fetchrow(
            "insert into execution.controls as c (tenant_id, scope, target, paused, version) values ($1, $2, $3, $4, $5) "
            "on conflict (tenant_id, scope, target) do update set paused = excluded.paused, version = excluded.version, changed_at = now() "
            "where c.version < excluded.version returning version",
            tenant_id, scope, target, paused, version,
        )  # fmt: skip
        if row is not None:
            return int(row["version"])
        return int(
            await self._c.fetchval(
                "select version from execution.controls where tenant_id = $1 and scope = $2 and target = $3",
                tenant_id,
                scope,
                target,
            )
        )


class SqlStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[SqlUnit]:
        async with self._database.batch(*tenants) as work:
            yield SqlUnit(work)

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[SqlUnit]:
        yield SqlUnit(await work.batch())

    async def claim(self, owner: str, limit: int) -> list[tuple[UUID, UUID, int, int]]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch(CLAIM, owner, limit, LEASE_SECONDS)
        return [(row["tenant_id"], row["action_id"], row["epoch"], row["tries"]) for row in rows]

    async def backlog(self) -> int:
        async with self._database.batch() as work:
            return int(await work.connection.fetchval("select count(*) from execution.work"))

    async def due(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._database.batch() as work:
            return await due_clocks(work.connection, limit)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _reasons(decision: Decision | None, others: tuple[Reason, ...] = ()) -> str | None:
    if decision is None and not others:
        return None
    told = (*others, *(decision.reasons if decision is not None else ()))
    return json.dumps([reason.model_dump() for reason in told], ensure_ascii=False)


def _move_row(m: Move) -> tuple[Any, ...]:
    d = m.decision
    return (
        m.job.tenant_id, m.job.action_id, m.job.attempt, m.state, m.detail, m.final, d.action_class if d else None,
        d.mode if d else None, _reasons(d, m.reasons), d.approval_id if d else None, m.job.grant_id, d.policy_version if d else None,
        m.receipt.model_dump_json() if m.receipt else None, m.error, m.waiting_for, m.due_seconds, m.next_attempt, m.job.connector_mode,
        m.job.state is ActionState.DISPATCHED,
    )  # fmt: skip
