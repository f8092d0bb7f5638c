"""Flows on PostgreSQL: a few statements over whole batches, in the transaction that also holds the actions and the outbox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils import uuid7

from libs.contracts.execution import ActionState
from libs.contracts.flows import ENDED, Flow, FlowRevision, FlowStatus
from libs.contracts.message import Message, Reason
from libs.contracts.subjects import Event
from libs.runtime.database import BatchWork, Database, SessionWork
from services.execution.flows import statements
from services.execution.flows.backend import LEASE_SECONDS, Key, Lease, Saved
from services.execution.flows.domain.run import ActionFact, ChildFact, Facts, Revision, Run, Signal, Transition
from services.execution.flows.errors import SignalIdTaken
from services.execution.flows.rows import shown, wanted
from services.execution.store import SqlUnit

WAKES = 2000


class SqlFlowUnit:
    def __init__(self, work: BatchWork) -> None:
        self._work = work
        self._c = work.connection
        self._now: datetime | None = None
        self._unsignalled: set[Key] = set()
        self.actions = SqlUnit(work)

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)

    async def now(self) -> datetime:
        if self._now is None:
            self._now = await self._c.fetchval("select clock_timestamp()")
        assert self._now is not None
        return self._now

    async def held(self, leases: Sequence[Lease]) -> list[Run]:
        rows = await self._c.fetch(
            statements.HELD, [one.tenant_id for one in leases], [one.flow_id for one in leases], [one.epoch for one in leases]
        )  # fmt: skip
        runs = []
        for text, signalled, self._now in rows:
            runs.append(run := Run.model_validate_json(text))
            if not signalled:
                self._unsignalled.add(run.key)
        return runs

    async def _load(self, keys: Sequence[tuple[UUID, UUID]]) -> list[Run]:
        rows = await self._c.fetch(
            "select s.run from unnest($1::uuid[], $2::uuid[]) as x(t, f) join execution.flows s on s.tenant_id = x.t and s.flow_id = x.f",
            [tenant for tenant, _ in keys], [flow for _, flow in keys],
        )  # fmt: skip
        return [Run.model_validate_json(row["run"]) for row in rows]

    async def take(self, tenant_id: UUID, flow_id: UUID) -> Run | None:
        await self._c.execute(
            "update execution.flow_due set epoch = epoch + 1, lease_owner = null, lease_until = null where tenant_id = $1 and flow_id = $2",
            tenant_id, flow_id,
        )  # fmt: skip
        row = await self._c.fetchrow(
            "select run from execution.flows where tenant_id = $1 and flow_id = $2 for update", tenant_id, flow_id
        )
        return Run.model_validate_json(row["run"]) if row else None

    async def facts(self, runs: Sequence[Run], now: datetime) -> dict[Key, Facts]:
        actions, children = wanted(runs)
        acts = dict(await self._actions(actions)) if actions else {}
        kids = dict(await self._children(children)) if children else {}
        heard = [run for run in runs if run.key not in self._unsignalled]
        signals = await self._signals(heard) if heard else {}
        if not (actions or children or signals):
            return dict.fromkeys((run.key for run in runs), Facts(now))
        return {
            run.key: Facts(
                now,
                actions={one: acts[run.tenant_id, one] for one in run.action_ids() if (run.tenant_id, one) in acts},
                children={one: kids[run.tenant_id, one] for one in run.child_ids() if (run.tenant_id, one) in kids},
                signals=signals.get(run.key, ()),
            )
            for run in runs
        }

    async def _actions(self, keys: Sequence[tuple[UUID, UUID]]) -> list[tuple[tuple[UUID, UUID], ActionFact]]:
        rows = await self._c.fetch(
            "select a.tenant_id, a.action_id, a.state, a.reasons, a.error, a.receipt->>'vendor_id' as vendor_id "
            "from unnest($1::uuid[], $2::uuid[]) as x(t, i) join execution.actions a on a.tenant_id = x.t and a.action_id = x.i",
            [tenant for tenant, _ in keys], [action for _, action in keys],
        )  # fmt: skip
        return [
            (
                (row["tenant_id"], row["action_id"]),
                ActionFact(
                    ActionState(row["state"]), tuple(Reason(**r) for r in json.loads(row["reasons"] or "[]")), row["error"],
                    row["vendor_id"] or "",
                ),
            )
            for row in rows
        ]  # fmt: skip

    async def _children(self, keys: Sequence[tuple[UUID, UUID]]) -> list[tuple[tuple[UUID, UUID], ChildFact]]:
        runs = await self._load(keys)
        return [
            ((r.tenant_id, r.flow_id), ChildFact(r.status, r.outcome, r.state, r.error, tuple(r.irreversible)))
            for r in runs
        ]

    async def _signals(self, runs: Sequence[Run]) -> dict[tuple[UUID, UUID], list[Signal]]:
        rows = await self._c.fetch(
            statements.SIGNALS,
            [run.tenant_id for run in runs], [run.flow_id for run in runs],
        )  # fmt: skip
        out: dict[tuple[UUID, UUID], list[Signal]] = {}
        for row in rows:
            signal = Signal(row["signal_id"], row["name"], json.loads(row["payload"]), row["sent_by"])
            out.setdefault((row["tenant_id"], row["flow_id"]), []).append(signal)
        return out

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        runs, texts = [one.run for one in made], [one.written() for one in made]
        rows = await self._c.fetch(
            statements.ADD, [r.tenant_id for r in runs], [r.flow_id for r in runs], [r.flow for r in runs], [r.version for r in runs],
            [r.status for r in runs], [r.parent_id for r in runs], texts, [r.started_at for r in runs], *_revisions(made, texts),
        )  # fmt: skip
        return {(row["tenant_id"], row["flow_id"]) for row in rows}

    async def save(self, saved: Sequence[Saved], now: datetime) -> None:
        if not saved:
            return
        runs = [one.made.run for one in saved]
        texts = [one.made.written() for one in saved]
        await self._c.execute(
            statements.SAVE, [r.tenant_id for r in runs], [r.flow_id for r in runs], [r.status for r in runs], [r.version for r in runs],
            texts, [r.status in ENDED for r in runs],
            [now if one.made.again else one.made.run.wake_at() for one in saved], [one.keep for one in saved], [r.flow for r in runs], now,
            *_revisions([one.made for one in saved], texts),
        )  # fmt: skip
        taken = [(one.made.run, signal) for one in saved for signal in one.made.consumed]
        if taken:
            await self._c.execute(
                "update execution.flow_signals s set taken_seq = x.q from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) as x(t, f, i, q) "
                "where s.tenant_id = x.t and s.flow_id = x.f and s.signal_id = x.i",
                [r.tenant_id for r, _ in taken], [r.flow_id for r, _ in taken], [s for _, s in taken], [r.seq for r, _ in taken],
            )  # fmt: skip

    async def add_signal(self, tenant_id: UUID, flow_id: UUID, signal: Signal) -> bool:
        payload = json.dumps(signal.payload, ensure_ascii=False, sort_keys=True)
        status: str = await self._c.execute(
            "insert into execution.flow_signals (tenant_id, flow_id, signal_id, name, payload, sent_by) values ($1, $2, $3, $4, $5::json, $6) "
            "on conflict do nothing",
            tenant_id, flow_id, signal.signal_id, signal.name, payload, signal.by,
        )  # fmt: skip
        if status.endswith(" 1"):
            await self.wake([(tenant_id, flow_id)])
            return True
        row = await self._c.fetchrow(
            "select name, payload from execution.flow_signals where tenant_id = $1 and flow_id = $2 and signal_id = $3",
            tenant_id, flow_id, signal.signal_id,
        )  # fmt: skip
        if row is None or (row["name"], row["payload"]) != (signal.name, payload):
            raise SignalIdTaken
        return False

    async def wake(self, flows: Collection[Key]) -> None:
        if flows:
            await self._c.execute(
                "insert into execution.flow_wakes (tenant_id, flow_id) select * from unnest($1::uuid[], $2::uuid[])",
                [tenant for tenant, _ in flows], [flow for _, flow in flows],
            )  # fmt: skip

    async def revive(self, run: Run) -> None:
        await self._c.execute(
            "insert into execution.flow_due as d (tenant_id, flow_id, flow, version, wake_at) values ($1, $2, $3, $4, now()) "
            "on conflict (tenant_id, flow_id) do update set wake_at = now()",
            run.tenant_id, run.flow_id, run.flow, run.version,
        )  # fmt: skip

    async def about(self, tenant_id: UUID, flow: str, **named: str) -> list[UUID]:
        rows = await self._c.fetch(
            "select f.flow_id from execution.flow_due d join execution.flows f on f.tenant_id = d.tenant_id and f.flow_id = d.flow_id "
            "where d.tenant_id = $1 and d.flow = $2 and f.tenant_id = $1 and (f.run->'state')::jsonb @> $3::jsonb",
            tenant_id, flow, json.dumps(named),
        )  # fmt: skip
        return [row["flow_id"] for row in rows]

    async def get(self, tenant_id: UUID, flow_id: UUID) -> Flow | None:
        row = await self._c.fetchrow(
            "select run, updated_at from execution.flows where tenant_id = $1 and flow_id = $2", tenant_id, flow_id
        )
        return shown(Run.model_validate_json(row["run"]), row["updated_at"]) if row else None

    async def run(self, tenant_id: UUID, flow_id: UUID) -> Run | None:
        found = await self._load([(tenant_id, flow_id)])
        return found[0] if found else None

    async def flows(
        self, tenant_id: UUID, flow: str | None, status: FlowStatus | None, before: UUID | None, limit: int
    ) -> list[Flow]:
        rows = await self._c.fetch(
            "select run, updated_at from execution.flows where tenant_id = $1 and ($2::text is null or flow = $2) "
            "and ($3::text is null or status = $3) and ($4::uuid is null or flow_id < $4) order by flow_id desc limit $5",
            tenant_id, flow, status, before, limit,
        )  # fmt: skip
        return [shown(Run.model_validate_json(row["run"]), row["updated_at"]) for row in rows]

    async def revisions(self, tenant_id: UUID, flow_id: UUID, after: int, limit: int) -> list[FlowRevision]:
        rows = await self._c.fetch(
            "select revision_id, flow_id, seq, at, note, step, by, checkpoint from execution.flow_revisions "
            "where tenant_id = $1 and flow_id = $2 and seq > $3 order by seq limit $4",
            tenant_id, flow_id, after, limit,
        )  # fmt: skip
        return [FlowRevision(**{**dict(row), "checkpoint": json.loads(row["checkpoint"])}) for row in rows]

    async def history(self, tenant_id: UUID, flow_id: UUID) -> list[Revision]:
        found = await self.revisions(tenant_id, flow_id, 0, 100_000)
        return [Revision(one.seq, one.note, one.step, one.by, json.dumps(one.checkpoint)) for one in found]


def _revisions(made: Sequence[Transition], runs: Sequence[str]) -> tuple[list[Any], ...]:
    """The columns of what transitions append, with ids as the library makes them: the driver takes them as they are.

    `runs` are the runs after them as JSON; a revision that says the same goes without a text.
    """
    rows = [(one.run, revision, text) for one, text in zip(made, runs, strict=True) for revision in one.revisions]
    return (
        [r.tenant_id for r, _, _ in rows], [r.flow_id for r, _, _ in rows], [v.seq for _, v, _ in rows], [uuid7() for _ in rows],
        [v.note for _, v, _ in rows], [v.step for _, v, _ in rows], [v.by for _, v, _ in rows],
        [None if v.text == text else v.text for _, v, text in rows],
    )  # fmt: skip


class SqlBackend:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[SqlFlowUnit]:
        async with self._database.batch(*tenants) as work:
            yield SqlFlowUnit(work)

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[SqlFlowUnit]:
        yield SqlFlowUnit(await work.batch())

    async def claim(self, owner: str, limit: int) -> list[Lease]:
        async with self._database.singly() as connection:
            # The first alone waits for locks, in their order; what the second can't have at once it leaves.
            await connection.execute(statements.WAKE, WAKES)
            rows = await connection.fetch(statements.CLAIM, owner, limit, LEASE_SECONDS)
        return [Lease(*row) for row in rows]

    async def heartbeat(self, owner: str, leases: Sequence[Lease]) -> set[UUID]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "update execution.flow_due d set lease_until = now() + make_interval(secs => $5) "
                "from unnest($2::uuid[], $3::uuid[], $4::int[]) as x(t, f, e) where d.tenant_id = x.t and d.flow_id = x.f and d.epoch = x.e "
                "and d.lease_owner = $1 returning d.flow_id",
                owner, [one.tenant_id for one in leases], [one.flow_id for one in leases], [one.epoch for one in leases], LEASE_SECONDS,
            )  # fmt: skip
        return {row["flow_id"] for row in rows}

    async def live(self) -> set[tuple[str, int]]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch("select distinct flow, version from execution.flow_due")
        return {(row["flow"], row["version"]) for row in rows}

    async def counts(self) -> Mapping[str, int]:
        async with self._database.batch() as work:
            row = await work.connection.fetchrow(
                "select count(*) as live, count(*) filter (where wake_at <= now()) as due from execution.flow_due"
            )
        return {"live": int(row["live"]), "due": int(row["due"])}
