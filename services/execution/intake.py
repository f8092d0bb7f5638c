"""The intake: concurrent submissions become one committed batch, and the same replica goes on with it in memory.

A submission is answered after its batch is committed: accepted means durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.errors import Busy
from libs.contracts.execution import SubmitReply, SubmitRequest, SubmitResult
from libs.contracts.message import Reason, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.execution.domain.actions import Job, read
from services.execution.pipeline import Pipeline
from services.execution.router import TaskRouter
from services.execution.store import Store, Stored

log = logging.getLogger(__name__)

BATCH = 100
WORKERS = 4
BACKLOG = 20_000

_MISMATCH = Reason(
    code="idempotency_mismatch",
    en="This key or id was used for another action.",
    ar="استُخدم هذا المفتاح أو المعرّف لإجراء آخر.",
)


@dataclass(slots=True)
class _Waiting:
    job: Job
    stored: asyncio.Future[Stored]


class Intake:
    """Coalesces what is waiting, up to a hundred items, without adding a wait of its own: while a batch commits the next gathers."""

    def __init__(self, runtime: Runtime, store: Store, pipeline: Pipeline, router: TaskRouter) -> None:
        self._runtime = runtime
        self._store = store
        self._pipeline = pipeline
        self._router = router
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def submit(self, request: SubmitRequest) -> SubmitReply:
        """Accept one to a thousand actions.

        Raises Busy beyond the backlog's limit. What can't be accepted is said item by item.
        """
        if self._queue.qsize() + len(request.items) > BACKLOG:
            raise Busy
        headers, trace_id = telemetry.headers(), telemetry.trace_id()
        read_items = [
            read(item, request.principal, self._router.registered, headers, trace_id) for item in request.items
        ]
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(job, loop.create_future()) for job in read_items if isinstance(job, Job)]
        for one in waiting:
            self._queue.put_nowait(one)
        rejected = [r for r in read_items if isinstance(r, Reason)]
        if rejected:
            await self._audit(request, rejected)
        stored = iter([await one.stored for one in waiting])
        results = []
        for item, outcome in zip(request.items, read_items, strict=True):
            if isinstance(outcome, Reason):
                results.append(SubmitResult(action_id=item.action_id, state=None, error=outcome))
                continue
            kept = next(stored)
            error = None if kept.same else _MISMATCH
            results.append(
                SubmitResult(action_id=kept.action_id, state=kept.state if error is None else None, error=error)
            )
        return SubmitReply(results=tuple(results))

    async def _audit(self, request: SubmitRequest, rejected: Sequence[Reason]) -> None:
        """What never became an action is on record all the same: who tried, and why not."""
        principal = request.principal
        async with self._store.unit(principal.tenant_id) as unit:
            for reason in rejected:
                unit.emit(
                    AUDITED[self._runtime.plane],
                    AuditRecorded(
                        entry_id=new_id(),
                        tenant_id=principal.tenant_id,
                        kind="action.not_accepted",
                        actor=principal.id,
                        target=f"tenant:{principal.tenant_id}",
                        at=self._runtime.now(),
                        data={"code": reason.code},
                        trace_id=telemetry.trace_id(),
                    ),
                )

    async def work(self) -> None:
        """One worker: take what waits, commit it, answer, carry it through."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            fresh = await self._commit(batch)
            if fresh:
                try:
                    await self._pipeline.run(fresh)
                except Exception:
                    # The rows are committed under a lease: whoever claims them next goes on.
                    log.exception("a batch stopped half-way", extra={"ids": {"actions": len(fresh)}})

    async def _commit(self, batch: Sequence[_Waiting]) -> list[Job]:
        try:
            return await self._accept(batch)
        except Exception as error:
            if len(batch) == 1:
                log.exception("an action could not be stored")
                if not batch[0].stored.done():
                    batch[0].stored.set_exception(error)
                return []
            # One bad item must not take its neighbours down: halve until it stands alone.
            middle = len(batch) // 2
            return [*await self._commit(batch[:middle]), *await self._commit(batch[middle:])]

    async def _accept(self, batch: Sequence[_Waiting]) -> list[Job]:
        async with self._store.unit(*{one.job.tenant_id for one in batch}) as unit:
            stored = await unit.accept([one.job for one in batch], self._runtime.instance)
        for one, kept in zip(batch, stored, strict=True):
            if not one.stored.done():
                one.stored.set_result(kept)
        return [one.job for one, kept in zip(batch, stored, strict=True) if kept.fresh]


class Claimer:
    """Takes up what is due and leased by nobody: waits that ended, and what a dead replica left."""

    def __init__(self, runtime: Runtime, store: Store, pipeline: Pipeline) -> None:
        self._runtime = runtime
        self._store = store
        self._pipeline = pipeline
        self.wake = asyncio.Event()

    async def run(self) -> None:
        while True:
            self.wake.clear()
            if await self.claim() < BATCH:
                try:
                    await asyncio.wait_for(self.wake.wait(), 0.5)
                except TimeoutError:
                    continue

    async def claim(self) -> int:
        """Take up one batch of what is due and carry it through. Returns how many there were."""
        claimed = await self._store.claim(self._runtime.instance, BATCH)
        if claimed:
            ids = [(action, epoch, tries) for _, action, epoch, tries in claimed]
            async with self._store.unit(*{tenant for tenant, _, _, _ in claimed}) as unit:
                jobs = await unit.jobs(ids)
            states = {job.state for job in jobs}
            for group in ([j for j in jobs if j.headers == headers] for headers in _distinct(jobs)):
                await self._pipeline.run(group)
            log.info("took up waiting actions", extra={"ids": {"actions": len(jobs), "states": sorted(states)}})
        return len(claimed)


def _distinct(jobs: Sequence[Job]) -> list[dict[str, str]]:
    out: list[dict[str, str]] = []
    for job in jobs:
        if job.headers not in out:
            out.append(job.headers)
    return out
