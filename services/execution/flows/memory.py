"""Flows in memory: for tests and flows on the in-memory bus. Kept to the promises of the real backend by one suite.

Work on copies that take the originals' place when the unit of work ends well, together with the plane's own in-memory store.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.execution import ActionState
from libs.contracts.flows import ENDED, Flow, FlowRevision, FlowStatus
from libs.contracts.message import Message, new_id
from libs.contracts.subjects import Event
from libs.runtime.database import SessionWork
from libs.runtime.testing import MemoryDatabase
from services.execution.flows.backend import LEASE_SECONDS, Key, Lease, Saved
from services.execution.flows.domain.run import ActionFact, ChildFact, Facts, Revision, Run, Signal, Transition
from services.execution.flows.errors import SignalIdTaken
from services.execution.flows.rows import shown
from services.execution.memory import MemoryStore
from services.execution.store import Unit


@dataclass(frozen=True, slots=True)
class _Due:
    flow: str
    version: int
    wake_at: datetime | None
    owner: str | None = None
    lease_until: datetime | None = None
    epoch: int = 0


@dataclass
class _Tables:
    runs: dict[Key, tuple[str, datetime]] = field(default_factory=dict)
    revisions: dict[Key, tuple[FlowRevision, ...]] = field(default_factory=dict)
    signals: dict[tuple[UUID, UUID, UUID], tuple[Signal, int | None]] = field(default_factory=dict)
    due: dict[Key, _Due] = field(default_factory=dict)
    wakes: dict[Key, bool] = field(default_factory=dict)
    seen: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    """States of the actions that a flow waits on, when it was last looked at."""

    def copy(self) -> _Tables:
        return _Tables(**{name: rows.copy() for name, rows in vars(self).items()})


class MemoryFlowUnit:
    def __init__(self, tables: _Tables, actions: Unit, tenants: tuple[UUID, ...], now: datetime) -> None:
        self._t = tables
        self._tenants = tenants
        self._now = now
        self.actions = actions

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self.actions.emit(event, message)

    async def now(self) -> datetime:
        return self._now

    def _own(self, tenant_id: UUID) -> None:
        if tenant_id not in self._tenants:
            raise PermissionError("a row of a tenant that this unit of work does not name")

    async def held(self, leases: Sequence[Lease]) -> list[Run]:
        keys = [(one.tenant_id, one.flow_id) for one in leases if self._epoch(one) == one.epoch]
        return [run for key in keys if (run := self._run(key)) is not None]

    def _epoch(self, lease: Lease) -> int | None:
        due = self._t.due.get((lease.tenant_id, lease.flow_id))
        return due.epoch if due is not None else None

    def _run(self, key: Key) -> Run | None:
        found = self._t.runs.get(key)
        return Run.model_validate_json(found[0]) if found is not None and key[0] in self._tenants else None

    async def take(self, tenant_id: UUID, flow_id: UUID) -> Run | None:
        key = (tenant_id, flow_id)
        if key in self._t.due:
            due = self._t.due[key]
            self._t.due[key] = replace(due, epoch=due.epoch + 1, owner=None, lease_until=None)
        return self._run(key)

    async def facts(self, runs: Sequence[Run], now: datetime) -> dict[Key, Facts]:
        out = {}
        for run in runs:
            key = (run.tenant_id, run.flow_id)
            actions = await _actions(self.actions, run)
            self._t.seen[key] = _states(actions)
            kids = {one: kid for one in run.child_ids() if (kid := self._run((run.tenant_id, one))) is not None}
            signals = [s for (t, f, _), (s, taken) in self._t.signals.items() if (t, f) == key and taken is None]
            children = {
                one: ChildFact(kid.status, kid.outcome, kid.state, kid.error, tuple(kid.irreversible))
                for one, kid in kids.items()
            }
            out[key] = Facts(now, actions=actions, children=children, signals=signals)
        return out

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        fresh = set()
        for one in made:
            run = one.run
            self._own(run.tenant_id)
            key = (run.tenant_id, run.flow_id)
            if key in self._t.runs:
                continue
            self._t.runs[key] = (_written(one), self._now)
            self._t.due[key] = _Due(run.flow, run.version, self._now)
            self._append(one, self._now)
            fresh.add(key)
        return fresh

    async def save(self, saved: Sequence[Saved], now: datetime) -> None:
        for one in saved:
            run = one.made.run
            self._own(run.tenant_id)
            key = (run.tenant_id, run.flow_id)
            self._t.runs[key] = (_written(one.made), now)
            due = self._t.due.get(key)
            if run.status in ENDED:
                self._t.due.pop(key, None)
            else:
                wake = now if one.made.again else run.wake_at()
                held = due if one.keep and due is not None else None
                self._t.due[key] = _Due(
                    run.flow, run.version, wake, held.owner if held else None, held.lease_until if held else None, due.epoch if due else 0
                )  # fmt: skip
            self._append(one.made, now)
            for signal_id in one.made.consumed:
                signal, _ = self._t.signals[*key, signal_id]
                self._t.signals[*key, signal_id] = (signal, run.seq)

    def _append(self, made: Transition, at: datetime) -> None:
        key = (made.run.tenant_id, made.run.flow_id)
        new = tuple(
            FlowRevision(
                revision_id=new_id(), flow_id=key[1], seq=v.seq, at=at, note=v.note, step=v.step, by=v.by,
                checkpoint=v.checkpoint,
            )
            for v in made.revisions
        )  # fmt: skip
        self._t.revisions[key] = (*self._t.revisions.get(key, ()), *new)

    async def add_signal(self, tenant_id: UUID, flow_id: UUID, signal: Signal) -> bool:
        self._own(tenant_id)
        kept = self._t.signals.get((tenant_id, flow_id, signal.signal_id))
        if kept is not None:
            if (kept[0].name, kept[0].payload) != (signal.name, signal.payload):
                raise SignalIdTaken
            return False
        self._t.signals[tenant_id, flow_id, signal.signal_id] = (signal, None)
        await self.wake([(tenant_id, flow_id)])
        return True

    async def wake(self, flows: Collection[Key]) -> None:
        self._t.wakes |= dict.fromkeys(flows, True)

    async def revive(self, run: Run) -> None:
        key = (run.tenant_id, run.flow_id)
        self._t.due.setdefault(key, _Due(run.flow, run.version, self._now))
        await self.wake([key])

    async def about(self, tenant_id: UUID, flow: str, **named: str) -> list[UUID]:
        runs = [run for key in self._t.due if key[0] == tenant_id and (run := self._run(key)) is not None]
        return [
            r.flow_id for r in runs if r.flow == flow and named.items() <= {k: r.state.get(k) for k in named}.items()
        ]

    async def get(self, tenant_id: UUID, flow_id: UUID) -> Flow | None:
        run = self._run((tenant_id, flow_id))
        return shown(run, self._t.runs[tenant_id, flow_id][1]) if run is not None else None

    async def run(self, tenant_id: UUID, flow_id: UUID) -> Run | None:
        return self._run((tenant_id, flow_id))

    async def flows(
        self, tenant_id: UUID, flow: str | None, status: FlowStatus | None, before: UUID | None, limit: int
    ) -> list[Flow]:
        found = [
            shown(run, self._t.runs[key][1])
            for key in self._t.runs
            if key[0] == tenant_id and (before is None or key[1] < before) and (run := self._run(key)) is not None
        ]
        kept = [one for one in found if flow in (None, one.flow) and status in (None, one.status)]
        return sorted(kept, key=lambda one: one.flow_id, reverse=True)[:limit]

    async def revisions(self, tenant_id: UUID, flow_id: UUID, after: int, limit: int) -> list[FlowRevision]:
        if tenant_id not in self._tenants:
            return []
        return [one for one in self._t.revisions.get((tenant_id, flow_id), ()) if one.seq > after][:limit]

    async def history(self, tenant_id: UUID, flow_id: UUID) -> list[Revision]:
        found = await self.revisions(tenant_id, flow_id, 0, 100_000)
        return [Revision(one.seq, one.note, one.step, one.by, json.dumps(one.checkpoint)) for one in found]


async def _actions(unit: Unit, run: Run) -> dict[UUID, ActionFact]:
    found = {one: await unit.action(run.tenant_id, one) for one in run.action_ids()}
    return {
        one: ActionFact(a.state, a.reasons, "", a.receipt.vendor_id if a.receipt else "")
        for one, a in found.items()
        if a is not None
    }


def _written(made: Transition) -> str:
    """What is kept of a run, which has to be the run itself. Raises RuntimeError where a turn says something else."""
    text = made.written()
    if text != made.run.model_dump_json():
        raise RuntimeError("a run has changed after its last revision, and its turn did not say so")
    return text


def _states(actions: Mapping[UUID, ActionFact]) -> tuple[str, ...]:
    moved = sorted((str(one), fact.state) for one, fact in actions.items() if fact.state is not ActionState.ACCEPTED)
    return tuple(f"{one}:{state}" for one, state in moved)


class MemoryBackend:
    def __init__(self, database: MemoryDatabase, store: MemoryStore, now: Callable[[], datetime]) -> None:
        self._database = database
        self._store = store
        self._now = now
        self._tables = _Tables()

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[MemoryFlowUnit]:
        async with self._database.work(*tenants) as work, self.join(work) as unit:
            yield unit

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[MemoryFlowUnit]:
        async with self._store.join(work) as actions:
            tables = self._tables.copy()
            yield MemoryFlowUnit(tables, actions, work.tenants, self._now())
            self._tables = tables

    async def claim(self, owner: str, limit: int) -> list[Lease]:
        await self._notice()
        now, due = self._now(), self._tables.due
        ready = [
            (one.wake_at, key)
            for key, one in due.items()
            if one.wake_at is not None and one.wake_at <= now and (one.lease_until is None or one.lease_until < now)
        ]
        out = []
        for _, key in sorted(ready)[:limit]:
            until = now + timedelta(seconds=LEASE_SECONDS)
            due[key] = replace(due[key], owner=owner, lease_until=until, epoch=due[key].epoch + 1)
            out.append(Lease(*key, due[key].epoch))
        return out

    async def _notice(self) -> None:
        """Make due what something has happened to: a signal, a child, or an action that has moved."""
        t, now = self._tables, self._now()
        for key in [*t.wakes]:
            if key in t.due:
                t.due[key] = replace(t.due[key], wake_at=now)
        t.wakes.clear()
        for key in [key for key, one in t.due.items() if one.lease_until is None or one.lease_until < now]:
            run = Run.model_validate_json(t.runs[key][0])
            if not run.action_ids():
                continue
            async with self._database.work(key[0]) as work, self._store.join(work) as unit:
                states = _states(await _actions(unit, run))
            if states != t.seen.get(key, ()):
                t.due[key] = replace(t.due[key], wake_at=now)
                t.seen[key] = states

    async def heartbeat(self, owner: str, leases: Sequence[Lease]) -> set[UUID]:
        out = set()
        for one in leases:
            key = (one.tenant_id, one.flow_id)
            due = self._tables.due.get(key)
            if due is not None and (due.epoch, due.owner) == (one.epoch, owner):
                self._tables.due[key] = replace(due, lease_until=self._now() + timedelta(seconds=LEASE_SECONDS))
                out.add(one.flow_id)
        return out

    async def live(self) -> set[tuple[str, int]]:
        return {(one.flow, one.version) for one in self._tables.due.values()}

    async def counts(self) -> Mapping[str, int]:
        now = self._now()
        due = sum(1 for one in self._tables.due.values() if one.wake_at is not None and one.wake_at <= now)
        return {"live": len(self._tables.due), "due": due}
