"""Execution's storage in memory: for tests and flows on the in-memory bus. Kept to the promises of the real one by one suite.

One unit of work at a time, on copies that take the originals' place when it ends well. What row security would hide is not seen, and
what it would refuse is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.dead_letters import DeadLetter
from libs.contracts.execution import Action, ActionState, Receipt, SandboxMessage, TimelineStep
from libs.contracts.message import PLATFORM, Message, Reason
from libs.contracts.subjects import Event
from libs.runtime.database import SessionWork
from libs.runtime.testing import MemoryDatabase
from services.execution.dead_letters.domain import OLD
from services.execution.dead_letters.memory import MemoryLetters
from services.execution.dead_letters.store import Letters
from services.execution.domain.actions import Job
from services.execution.settling.memory import MemoryCompensations
from services.execution.settling.store import Compensations
from services.execution.store import LEASE_SECONDS, Dispatch, Move, Stored
from services.execution.traffic.domain import Breaker, Bucket, in_turn
from services.execution.traffic.memory import MemoryTraffic
from services.execution.traffic.store import Traffic

MOVABLE = frozenset({ActionState.ACCEPTED, ActionState.GRANTED, ActionState.DISPATCHED, ActionState.UNKNOWN})
WAITING = frozenset({ActionState.ACCEPTED, ActionState.AWAITING_APPROVAL})


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of actions: the job as it was accepted, and where it has got to."""

    job: Job
    state: ActionState
    attempt: int
    headers: dict[str, str]
    timeline: tuple[TimelineStep, ...]
    action_class: str | None = None
    mode: str | None = None
    reasons: tuple[Reason, ...] = ()
    approval_id: UUID | None = None
    grant_id: UUID | None = None
    policy_version: str | None = None
    connector_mode: str | None = None
    receipt: Receipt | None = None
    error: str = ""
    waiting_for: str | None = None
    linked_traces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    """A row of the queue: ids of all tenants, a lease, and its fencing epoch."""

    due_at: datetime
    lease_until: datetime | None = None
    epoch: int = 0
    tries: int = 0


@dataclass
class _Tables:
    actions: dict[tuple[UUID, UUID], _Row] = field(default_factory=dict)
    queue: dict[tuple[UUID, UUID], _Work] = field(default_factory=dict)
    dispatches: dict[tuple[UUID, UUID, int], Dispatch] = field(default_factory=dict)
    mailbox: dict[tuple[UUID, UUID], SandboxMessage] = field(default_factory=dict)
    controls: dict[tuple[UUID, str, str], tuple[bool, int]] = field(default_factory=dict)
    letters: dict[tuple[UUID, UUID], DeadLetter] = field(default_factory=dict)
    letter_attempts: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    clocks: dict[tuple[UUID, UUID], datetime] = field(default_factory=dict)
    breakers: dict[tuple[UUID, str], Breaker] = field(default_factory=dict)
    buckets: dict[tuple[UUID, str], Bucket] = field(default_factory=dict)
    rates: dict[tuple[UUID, str], int] = field(default_factory=dict)
    compensations: dict[tuple[UUID, UUID], UUID] = field(default_factory=dict)

    def copy(self) -> _Tables:
        return _Tables(**{name: rows.copy() for name, rows in vars(self).items()})


class MemoryUnit:
    """One unit of work, on tables of its own until it ends well."""

    def __init__(self, tables: _Tables, work: SessionWork, now: datetime) -> None:
        self._t = tables
        self._work = work
        self._now = now
        self.letters: Letters = MemoryLetters(
            tables.letters, tables.letter_attempts, tables.clocks, self._tried, self._reopen, now
        )
        self.traffic: Traffic = MemoryTraffic(tables.breakers, tables.buckets, tables.rates, now)
        self.compensations: Compensations = MemoryCompensations(tables.compensations, self._become)

    def _own(self, tenant_id: UUID) -> None:
        if tenant_id not in self._work.tenants:
            raise PermissionError("a row of a tenant that this unit of work does not name")

    def _sees(self, tenant_id: UUID) -> bool:
        return tenant_id in self._work.tenants

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)

    # -- intake ----------------------------------------------------------------------------------------------------------

    async def accept(self, jobs: Sequence[Job], owner: str) -> list[Stored]:
        del owner  # the lease's holder is told by its epoch
        return [self._accept(job) for job in jobs]

    def _accept(self, job: Job) -> Stored:
        self._own(job.tenant_id)
        existing = self._existing(job)
        if existing is not None:
            asked = (job.payload, job.action_type, job.resource.id)
            same = asked == (existing.job.payload, existing.job.action_type, existing.job.resource.id)
            return Stored(existing.job.action_id, existing.state, False, same)
        step = TimelineStep(at=self._now, state=ActionState.ACCEPTED.value, trace_id=job.trace_id)
        self._t.actions[job.tenant_id, job.action_id] = _Row(
            replace(job), ActionState.ACCEPTED, 1, job.headers, (step,)
        )
        self._t.queue[job.key] = _Work(self._now, self._now + timedelta(seconds=LEASE_SECONDS))
        return Stored(job.action_id, ActionState.ACCEPTED, True, True)

    def _existing(self, job: Job) -> _Row | None:
        by_id = self._t.actions.get((job.tenant_id, job.action_id))
        if by_id is not None or job.idempotency_key is None:
            return by_id
        same_key = (
            row
            for (tenant, _), row in self._t.actions.items()
            if tenant == job.tenant_id and row.job.idempotency_key == job.idempotency_key
        )
        return next(same_key, None)

    # -- the way through -------------------------------------------------------------------------------------------------

    async def paused(self, tenants: Sequence[UUID]) -> set[tuple[UUID, str, str]]:
        return {key for key, (on, _) in self._t.controls.items() if on and key[0] in (PLATFORM, *tenants)}

    async def dispatch(self, dispatches: Sequence[Dispatch]) -> set[UUID]:
        used = set()
        for one in dispatches:
            self._own(one.job.tenant_id)
            key = (one.job.tenant_id, one.job.action_id, one.job.attempt)
            if key in self._t.dispatches or any(one.nonce == made.nonce for made in self._t.dispatches.values()):
                continue
            self._t.dispatches[key] = replace(one, job=replace(one.job))
            used.add(one.grant_id)
        return used

    async def dispatches(self, tenant_id: UUID, action_id: UUID) -> int:
        return self._tried(tenant_id, action_id) if self._sees(tenant_id) else 0

    def _tried(self, tenant_id: UUID, action_id: UUID) -> int:
        own = (key for key, one in self._t.letters.items() if (one.tenant_id, one.action_id) == (tenant_id, action_id))
        since = max((self._t.letter_attempts[key] for key in own), default=0)
        return sum(key[:2] == (tenant_id, action_id) and key[2] > since for key in self._t.dispatches)

    def _become(
        self, tenant_id: UUID, action_id: UUID, was: ActionState, state: ActionState, detail: str
    ) -> UUID | None:
        row = self._t.actions.get((tenant_id, action_id))
        if row is None or row.state is not was:
            return None
        timeline = self._step(row, state, detail)
        self._t.actions[tenant_id, action_id] = replace(row, state=state, waiting_for=None, timeline=timeline)
        return row.grant_id

    def _reopen(self, tenant_id: UUID, action_id: UUID, detail: str, trace_id: str, headers: dict[str, str]) -> bool:
        row = self._t.actions.get((tenant_id, action_id))
        if row is None or not self._sees(tenant_id) or row.state not in (ActionState.FAILED, ActionState.NOT_SENT):
            return False
        self._t.actions[tenant_id, action_id] = self._next_attempt(row, detail, trace_id, headers)
        return True

    async def move(self, moves: Sequence[Move]) -> set[tuple[UUID, UUID]]:
        return {m.job.key for m in moves if self._move(m)}

    def _move(self, m: Move) -> bool:
        key = (m.job.tenant_id, m.job.action_id)
        row = self._t.actions.get(key)
        if row is None or not self._sees(key[0]) or row.attempt != m.job.attempt or row.state not in MOVABLE:
            return False
        self._t.actions[key] = replace(
            _decided(row, m),
            state=m.state,
            attempt=m.next_attempt or row.attempt,
            grant_id=m.job.grant_id or row.grant_id,
            connector_mode=m.job.connector_mode or row.connector_mode,
            receipt=m.receipt or row.receipt,
            error=m.error,
            waiting_for=m.waiting_for,
            timeline=row.timeline if row.state is m.state and not m.detail else self._step(row, m.state, m.detail),
        )
        waiting = self._t.queue.get(key)
        if m.final:
            self._t.queue.pop(key, None)
        elif waiting is not None and m.due_seconds >= 0:
            due = self._now + timedelta(seconds=m.due_seconds)
            self._t.queue[key] = replace(waiting, due_at=due, lease_until=None, tries=waiting.tries + 1)
        return True

    def _step(self, row: _Row, state: ActionState, detail: str, trace_id: str = "") -> tuple[TimelineStep, ...]:
        return (*row.timeline, TimelineStep(at=self._now, state=state.value, detail=detail, trace_id=trace_id))

    async def jobs(self, ids: Sequence[tuple[UUID, UUID, int, int]]) -> list[Job]:
        leases = {(tenant, action): (epoch, tries) for tenant, action, epoch, tries in ids}
        found = [row for key, row in self._t.actions.items() if key in leases and self._sees(key[0])]
        return [
            replace(
                row.job,
                headers=row.headers,
                state=row.state,
                attempt=row.attempt,
                epoch=leases[row.job.key][0],
                tries=leases[row.job.key][1],
                grant_id=row.grant_id,
                connector_mode=row.connector_mode,
            )
            for row in found
        ]

    async def resume(self, tenant_id: UUID, action_id: UUID, trace_id: str, headers: dict[str, str]) -> bool:
        row = self._waiting(tenant_id, action_id)
        if row is None:
            return False
        self._t.actions[tenant_id, action_id] = self._next_attempt(row, "approval decided", trace_id, headers)
        return True

    def _next_attempt(self, row: _Row, detail: str, trace_id: str, headers: dict[str, str]) -> _Row:
        """The row back at work; puts it into the queue."""
        before = self._t.queue.get(row.job.key)
        self._t.queue[row.job.key] = _Work(self._now, epoch=before.epoch if before else 0)
        return replace(
            row,
            state=ActionState.ACCEPTED,
            attempt=row.attempt + 1,
            waiting_for=None,
            error="",
            headers=headers,
            linked_traces=(*row.linked_traces, trace_id),
            timeline=self._step(row, ActionState.ACCEPTED, detail, trace_id),
        )

    async def end(self, tenant_id: UUID, action_id: UUID, state: ActionState, detail: str) -> bool:
        row = self._waiting(tenant_id, action_id)
        if row is None:
            return False
        timeline = self._step(row, state, detail)
        self._t.actions[tenant_id, action_id] = replace(row, state=state, waiting_for=None, timeline=timeline)
        self._t.queue.pop((tenant_id, action_id), None)
        return True

    async def resolve_unknown(self, tenant_id: UUID, action_id: UUID, state: ActionState, vendor_id: str) -> bool:
        row = self._t.actions.get((tenant_id, action_id))
        if row is None or row.state is not ActionState.UNKNOWN:
            return False
        timeline = self._step(row, state, f"the vendor's log says so {vendor_id}".strip())
        self._t.actions[tenant_id, action_id] = replace(row, state=state, waiting_for=None, timeline=timeline)
        return True

    async def waiting_about(self, tenant_id: UUID, resource_id: str) -> list[tuple[UUID, str]]:
        return sorted(
            (action_id, row.job.effect)
            for (tenant, action_id), row in self._t.actions.items()
            if tenant == tenant_id
            and row.state in WAITING
            and (row.job.resource.type, row.job.resource.id) == ("contact", resource_id)
        )

    def _waiting(self, tenant_id: UUID, action_id: UUID) -> _Row | None:
        row = self._t.actions.get((tenant_id, action_id))
        return row if row is not None and self._sees(tenant_id) and row.state in WAITING else None

    # -- what is asked ---------------------------------------------------------------------------------------------------

    async def action(self, tenant_id: UUID, action_id: UUID) -> Action | None:
        row = self._t.actions.get((tenant_id, action_id))
        return _action(row) if row is not None and self._sees(tenant_id) else None

    async def run_of(self, tenant_id: UUID, action_id: UUID) -> str:
        row = self._t.actions.get((tenant_id, action_id))
        return row.job.run_id if row is not None and self._sees(tenant_id) else ""

    async def states(self, tenant_id: UUID, action_ids: Sequence[UUID]) -> dict[UUID, ActionState]:
        found = {one: self._t.actions.get((tenant_id, one)) for one in action_ids if self._sees(tenant_id)}
        return {one: row.state for one, row in found.items() if row is not None}

    async def actions(self, tenant_id: UUID, state: str | None, before: UUID | None, limit: int) -> list[Action]:
        found = [
            row
            for (tenant, action_id), row in self._t.actions.items()
            if tenant == tenant_id
            and self._sees(tenant)
            and state in (None, row.state.value)
            and (before is None or action_id < before)
        ]
        return [_action(row) for row in sorted(found, key=lambda row: row.job.action_id, reverse=True)[:limit]]

    async def keep_sandbox(self, messages: Sequence[tuple[UUID, SandboxMessage]]) -> None:
        for tenant_id, message in messages:
            self._own(tenant_id)
            self._t.mailbox[tenant_id, message.message_id] = message

    async def sandbox(
        self, tenant_id: UUID, connector: str | None, before: UUID | None, limit: int
    ) -> list[SandboxMessage]:
        found = [
            message
            for (tenant, message_id), message in self._t.mailbox.items()
            if tenant == tenant_id
            and self._sees(tenant)
            and connector in (None, message.connector)
            and (before is None or message_id < before)
        ]
        return sorted(found, key=lambda message: message.message_id, reverse=True)[:limit]

    async def set_control(self, tenant_id: UUID, scope: str, target: str, paused: bool, version: int) -> int:
        _, kept = self._t.controls.get((tenant_id, scope, target), (False, None))
        if kept is not None and kept >= version:
            return kept
        self._t.controls[tenant_id, scope, target] = (paused, version)
        return version


class MemoryStore:
    """One process's store. `dispatched` shows every dispatch that was committed; a failed unit of work leaves none."""

    def __init__(self, database: MemoryDatabase, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now
        self._tables = _Tables()
        self._one_at_a_time = asyncio.Lock()
        self.commits = 0
        """Units of work that ended well, so far."""

    @property
    def dispatched(self) -> tuple[Dispatch, ...]:
        return tuple(self._tables.dispatches.values())

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[MemoryUnit]:
        async with self._database.work(*tenants) as work, self.join(work) as unit:
            yield unit

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[MemoryUnit]:
        async with self._one_at_a_time:
            tables = self._tables.copy()
            yield MemoryUnit(tables, work, self._now())
            self._tables = tables
            self.commits += 1

    async def claim(self, owner: str, limit: int) -> list[tuple[UUID, UUID, int, int]]:
        del owner
        async with self._one_at_a_time:
            now, queue = self._now(), self._tables.queue
            due = [
                (work.due_at, key)
                for key, work in queue.items()
                if work.due_at <= now and (work.lease_until is None or work.lease_until < now)
            ]
            claimed = []
            for key in in_turn([(key[0], key) for _, key in sorted(due)])[:limit]:
                work = queue[key]
                leased = replace(work, lease_until=now + timedelta(seconds=LEASE_SECONDS), epoch=work.epoch + 1)
                queue[key] = leased
                claimed.append((*key, leased.epoch, leased.tries))
            return claimed

    async def backlog(self) -> int:
        return len(self._tables.queue)

    async def due(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._one_at_a_time:
            now, clocks = self._now(), self._tables.clocks
            found = sorted((at, key) for key, at in clocks.items() if at <= now)[:limit]
            clocks |= {key: now + OLD for _, key in found}
            return [key for _, key in found]

    def set_rate(self, tenant_id: UUID, connector: str, per_minute: int) -> None:
        """What a tenant's connector may do a minute."""
        self._tables.rates[tenant_id, connector] = per_minute


def _decided(row: _Row, m: Move) -> _Row:
    """What a decision, where the move brings one, says of the action."""
    d = m.decision
    if d is None:
        return replace(row, reasons=m.reasons) if m.reasons else row
    return replace(
        row,
        action_class=d.action_class.value,
        mode=d.mode.value,
        reasons=(*m.reasons, *d.reasons),
        approval_id=d.approval_id or row.approval_id,
        policy_version=d.policy_version,
    )


def _action(row: _Row) -> Action:
    job = row.job
    return Action(
        action_id=job.action_id,
        tenant_id=job.tenant_id,
        action_type=job.action_type,
        action_class=row.action_class,
        mode=row.mode,
        state=row.state,
        reasons=row.reasons,
        resource=job.resource,
        payload=json.loads(job.payload),
        approval_id=row.approval_id,
        grant_id=row.grant_id,
        receipt=row.receipt,
        policy_version=row.policy_version,
        trace_id=job.trace_id,
        waiting_for=row.waiting_for,
        attempt=row.attempt,
        requested_by=job.principal.name or job.principal.id,
        timeline=row.timeline,
        linked_traces=tuple(trace for trace in row.linked_traces if trace),
    )
