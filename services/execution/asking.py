"""Asking trust: one question a batch. Silence decides nothing; an item that trust fails on alone is put aside in the end."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from libs.contracts.dead_letters import LetterCause
from libs.contracts.errors import DealixError, RemoteFault
from libs.contracts.execution import ActionState
from libs.contracts.grant import unb64
from libs.contracts.subjects import AUTHORIZE, KEYS
from libs.contracts.trust import AuthorizeRequest, Decision, KeysRequest
from libs.runtime.bus import Bus
from services.execution.dead_letters.domain import Suspects
from services.execution.domain.actions import Job
from services.execution.gate import Gate
from services.execution.moves import signs_grants
from services.execution.store import Move, Store

log = logging.getLogger(__name__)

WAIT_FOR_TRUST = (0.5, 1, 2, 5, 10)
Bury = Callable[[Job, LetterCause, Exception], Awaitable[None]]


class Asking:
    """`bury` puts an action aside as a dead letter."""

    def __init__(self, store: Store, bus: Bus, gate: Gate, bury: Bury) -> None:
        self._store = store
        self._bus = bus
        self._gate = gate
        self._bury = bury
        self._suspects = Suspects()

    async def ask(self, jobs: Sequence[Job]) -> list[tuple[Job, Decision]]:
        """Trust's decisions; what it did not decide is left waiting. A batch that it fails on is halved until the item that it can't
        digest stands alone."""
        try:
            reply = await self._bus.call(
                AUTHORIZE, AuthorizeRequest(evaluations=tuple(job.evaluation() for job in jobs))
            )
        except DealixError as error:
            if isinstance(error, RemoteFault) and error.status in (422, 500):
                if len(jobs) > 1:
                    middle = len(jobs) // 2
                    return [*await self.ask(jobs[:middle]), *await self.ask(jobs[middle:])]
                if await self._at_fault(jobs[0]):
                    await self._bury(jobs[0], LetterCause.UNDECIDABLE, error)
                    return []
            await self._wait(jobs, error)
            return []
        if len(reply.decisions) != len(jobs):
            await self._wait(jobs, None)
            return []
        self._suspects.well(*(job.key for job in jobs))
        await self._learn_keys(reply.decisions)
        decided = list(zip(jobs, reply.decisions, strict=True))
        unreadable = [job for job, d in decided if d.grant is not None and not self._gate.recognises(d.grant)]
        if unreadable:
            await self._wait(unreadable, None)
        return [(job, decision) for job, decision in decided if job not in unreadable]

    async def _wait(self, jobs: Sequence[Job], error: DealixError | None) -> None:
        """Trust was silent or unreadable: nothing happens, and it is asked again later."""
        log.warning(
            "trust did not decide; nothing is performed",
            extra={"ids": {"actions": len(jobs), "code": error.code if error else ""}},
        )
        async with self._store.unit(*{job.tenant_id for job in jobs}) as unit:
            await unit.move(
                [
                    Move(
                        job,
                        ActionState.ACCEPTED,
                        "" if job.tries else "trust is silent",
                        False,
                        waiting_for="trust",
                        due_seconds=WAIT_FOR_TRUST[min(job.tries, len(WAIT_FOR_TRUST) - 1)],
                    )
                    for job in jobs
                ]
            )

    async def _learn_keys(self, decisions: Sequence[Decision]) -> None:
        """Fetch the published key set when a grant names a key that the gate has not seen: keys rotate."""
        if not all(self._gate.recognises(d.grant) for d in decisions if d.grant is not None):
            await self.load_keys()

    async def _at_fault(self, job: Job) -> bool:
        """Whether an item that trust failed on alone has done so often enough. While trust fails on everything nothing is put aside:
        it has to have decided others since, or, where nothing else is asked, to answer something else."""
        fine = self._suspects.others_did_well(job.key) or (self._suspects.alone(job.key) and await self.load_keys())
        return self._suspects.failed(job.key, at_fault=fine)

    async def load_keys(self) -> bool:
        """Read trust's public grant keys; returns whether it answered. Without them the gate admits nothing."""
        try:
            reply = await self._bus.call(KEYS, KeysRequest())
        except DealixError as error:
            log.warning("the grant keys could not be read: %s", error.code)
            return False
        keys = {str(key["kid"]): unb64(str(key["x"])) for key in reply.keys if signs_grants(key)}
        self._gate.trust_keys(keys)
        return True
