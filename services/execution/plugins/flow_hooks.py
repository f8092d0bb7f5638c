"""Tells hooks how flows move: a backend around the backend, which listens to what is written and tells it once that is committed.

The engine knows nothing of it. Without a hook for `on_flow_transition` there is nothing around the backend.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from libs.contracts.catalogue.plugins import HookPoint
from libs.contracts.message import Plane, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime.database import SessionWork
from services.execution.flows.backend import ExecutionBackend, FlowUnit, Key, Lease, Saved
from services.execution.flows.domain.run import Revision, Run, Transition
from services.execution.plugins.api import FlowSeen
from services.execution.plugins.hooks import Failure, Hooks

log = logging.getLogger(__name__)

POINT = HookPoint.ON_FLOW_TRANSITION


def hearing(backend: ExecutionBackend, hooks: Hooks, now: Callable[[], datetime]) -> ExecutionBackend:
    """The backend, with hooks told of every transition that it commits; the backend itself where no hook listens."""
    return ToldBackend(backend, hooks, now) if hooks.listens(POINT) else backend


class _Listening:
    """A unit of work that notes which transitions go through it. Everything else is the unit's own."""

    def __init__(self, unit: FlowUnit, noted: list[Transition]) -> None:
        self._unit = unit
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        fresh = await self._unit.add(made)
        self._noted += [one for one in made if one.run.key in fresh]
        return fresh

    async def save(self, saved: Sequence[Saved], now: datetime) -> None:
        await self._unit.save(saved, now)
        self._noted += [one.made for one in saved]


class ToldBackend:
    """What `hearing` puts around a backend."""

    def __init__(self, inner: ExecutionBackend, hooks: Hooks, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._hooks = hooks
        self._now = now

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[FlowUnit]:
        noted: list[Transition] = []
        async with self._inner.unit(*tenants) as unit:
            # Every call but two goes to the unit itself, so that the wrapper is one wherever a unit is wanted.
            yield cast(FlowUnit, _Listening(unit, noted))
        await self._tell(noted)

    def join(self, work: SessionWork) -> AbstractAsyncContextManager[FlowUnit]:
        """Part of somebody else's transaction: who joins one leaves signals, and moves no flow."""
        return self._inner.join(work)

    async def claim(self, owner: str, limit: int) -> list[Lease]:
        return await self._inner.claim(owner, limit)

    async def heartbeat(self, owner: str, leases: Sequence[Lease]) -> set[UUID]:
        return await self._inner.heartbeat(owner, leases)

    async def live(self) -> set[tuple[str, int]]:
        return await self._inner.live()

    async def counts(self) -> Mapping[str, int]:
        return await self._inner.counts()

    async def _tell(self, noted: Sequence[Transition]) -> None:
        failed = []
        for made in noted:
            for revision in made.revisions:
                failures = await self._hooks.tell(POINT, partial(_seen, made.run, revision, self._now()))
                failed += [(made.run, one) for one in failures]
        if failed:
            await self._report(failed)

    async def _report(self, failed: Sequence[tuple[Run, Failure]]) -> None:
        log.warning("hooks failed after a flow moved", extra={"ids": {"failures": len(failed)}})
        async with self._inner.unit(*sorted({run.tenant_id for run, _ in failed})) as unit:
            for run, one in failed:
                entry = AuditRecorded(
                    entry_id=new_id(), tenant_id=run.tenant_id, kind="plugin.hook_failed", actor=f"plugin:{one.plugin}",
                    target=f"flow:{run.flow_id}", at=self._now(), data={"point": POINT.value, "error": one.error},
                )  # fmt: skip
                unit.emit(AUDITED[Plane.EXECUTION], entry)


def _seen(run: Run, revision: Revision, at: datetime) -> FlowSeen:
    return FlowSeen(run.tenant_id, run.flow_id, run.flow, revision.seq, run.status.value, revision.note, at)
