"""The intake: concurrent submissions become one committed batch, and the same replica goes on with it in memory.

A submission is answered after its batch is committed: accepted means durable. What was accepted waits for a worker in a short line,
so that small submissions leave it as full batches; while the line is full nothing more is accepted.
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
from services.execution.dead_letters.isolate import Isolation
from services.execution.domain.actions import Job, read
from services.execution.router import TaskRouter
from services.execution.store import Store, Stored
from services.execution.traffic.domain import Turns

log = logging.getLogger(__name__)

BATCH = 100
WORKERS = 4
BACKLOG = 20_000
TENANT_BACKLOG = BACKLOG // 2
"""What one tenant may have waiting: the loudest leaves room for the others."""
IN_LINE = 4 * BATCH
"""Accepted actions that may wait for a worker: a second's work at most, well within their lease."""

_MISMATCH = Reason(
    code="idempotency_mismatch",
    en="This key or id was used for another action.",
    ar="استُخدم هذا المفتاح أو المعرّف لإجراء آخر.",
)


@dataclass(slots=True)
class _Submission:
    jobs: list[Job]
    stored: asyncio.Future[list[Stored]]


class Intake:
    """Coalesces what is waiting, up to about a hundred items, without adding a wait of its own: while a batch commits the next
    gathers."""

    def __init__(self, runtime: Runtime, store: Store, isolation: Isolation, router: TaskRouter) -> None:
        self._runtime = runtime
        self._store = store
        self._isolation = isolation
        self._router = router
        self._arrived: Turns[_Submission] = Turns(BATCH)
        self._line: Turns[Job] = Turns(1)
        self._backlog = 0
        self._arrival, self._ready, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def submit(self, request: SubmitRequest) -> SubmitReply:
        """Accept one to a thousand actions.

        Raises Busy beyond the backlog's limit. What can't be accepted is said item by item.
        """
        tenant, more = request.principal.tenant_id, len(request.items)
        waiting = self._backlog + len(self._line)
        own = self._arrived.of(tenant) + self._line.of(tenant)
        if waiting + more > BACKLOG or own + more > TENANT_BACKLOG:
            raise Busy
        headers, trace_id = telemetry.headers(), telemetry.trace_id()
        read_items = [
            read(item, request.principal, self._router.registered, headers, trace_id) for item in request.items
        ]
        rejected = [r for r in read_items if isinstance(r, Reason)]
        if rejected:
            await self._audit(request, rejected)
        stored = iter(await self._store_all([job for job in read_items if isinstance(job, Job)]))
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

    def take(self, jobs: Sequence[Job]) -> None:
        """Put in line what another room has committed under this replica's lease."""
        for job in jobs:
            self._line.put(job.tenant_id, job)
        self._ready.set()

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

    async def _store_all(self, jobs: list[Job]) -> list[Stored]:
        if not jobs:
            return []
        submission = _Submission(jobs, asyncio.get_running_loop().create_future())
        self._arrived.put(jobs[0].tenant_id, submission, len(jobs))
        self._backlog += len(jobs)
        self._arrival.set()
        return await submission.stored

    async def accept(self) -> None:
        """Take what has arrived, commit it, answer, and put it in line. One at a time, so that what arrives meanwhile gathers."""
        while True:
            if not self._arrived:
                self._arrival.clear()
                await self._arrival.wait()
            while len(self._line) >= IN_LINE:
                self._room.clear()
                await self._room.wait()
            batch, count = [], 0
            while count < BATCH and (submission := self._arrived.take()) is not None:
                batch.append(submission)
                count += len(submission.jobs)
            outcomes = await self._commit([job for submission in batch for job in submission.jobs])
            self._backlog -= count
            start = 0
            for submission in batch:
                end = start + len(submission.jobs)
                _answer(submission, outcomes[start:end])
                start = end
            jobs = (job for submission in batch for job in submission.jobs)
            for job, kept in zip(jobs, outcomes, strict=True):
                if isinstance(kept, Stored) and kept.fresh:
                    self._line.put(job.tenant_id, job)
            if self._line:
                self._ready.set()

    async def work(self) -> None:
        """One worker: take what is in line and carry it through."""
        while True:
            while not self._line:
                self._ready.clear()
                await self._ready.wait()
            taken = (self._line.take() for _ in range(min(BATCH, len(self._line))))
            batch = [job for job in taken if job is not None]
            self._room.set()
            try:
                await self._isolation.carry(batch)
            except Exception:
                # The rows are committed under a lease: whoever claims them next goes on.
                log.exception("a batch stopped half-way", extra={"ids": {"actions": len(batch)}})

    async def _commit(self, jobs: list[Job]) -> list[Stored | Exception]:
        try:
            async with self._store.unit(*{job.tenant_id for job in jobs}) as unit:
                return list(await unit.accept(jobs, self._runtime.instance))
        except Exception as error:  # whatever it is belongs to one item, whose submitter hears of it
            if len(jobs) == 1:
                log.exception("an action could not be stored", extra={"ids": {"action_id": str(jobs[0].action_id)}})
                return [error]
            # One bad item must not take its neighbours down: halve until it stands alone.
            middle = len(jobs) // 2
            return [*await self._commit(jobs[:middle]), *await self._commit(jobs[middle:])]


def _answer(submission: _Submission, outcomes: Sequence[Stored | Exception]) -> None:
    if submission.stored.done():
        return
    failed = next((outcome for outcome in outcomes if isinstance(outcome, Exception)), None)
    if failed is not None:
        submission.stored.set_exception(failed)
    else:
        submission.stored.set_result([outcome for outcome in outcomes if isinstance(outcome, Stored)])


class Claimer:
    """Takes up what is due and leased by nobody: waits that ended, and what a dead replica left."""

    def __init__(self, runtime: Runtime, store: Store, isolation: Isolation) -> None:
        self._runtime = runtime
        self._store = store
        self._isolation = isolation
        self.wake = asyncio.Event()

    async def run(self) -> None:
        while True:
            self.wake.clear()
            if await self.claim() < BATCH:
                try:
                    async with asyncio.timeout(0.5):
                        await self.wake.wait()
                except TimeoutError:
                    continue

    async def claim(self) -> int:
        """Take up one batch of what is due and carry it through. Returns how many there were."""
        claimed = await self._store.claim(self._runtime.instance, BATCH)
        if claimed:
            async with self._store.unit(*{tenant for tenant, _, _, _ in claimed}) as unit:
                jobs = await unit.jobs(claimed)
            states = {job.state for job in jobs}
            for group in ([j for j in jobs if j.headers == headers] for headers in _distinct(jobs)):
                await self._isolation.carry(group)
            log.info("took up waiting actions", extra={"ids": {"actions": len(jobs), "states": sorted(states)}})
        return len(claimed)


def _distinct(jobs: Sequence[Job]) -> list[dict[str, str]]:
    out: list[dict[str, str]] = []
    for job in jobs:
        if job.headers not in out:
            out.append(job.headers)
    return out
