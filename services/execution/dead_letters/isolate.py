"""Carrying a batch so that one item that breaks the work on it takes no other down with it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from libs.contracts.dead_letters import LetterCause
from services.execution.dead_letters.domain import Suspects
from services.execution.domain.actions import Job

log = logging.getLogger(__name__)

OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
)
"""What says nothing about an item: the servers are away, and everything would fail alike."""


class Isolation:
    """`run` carries a batch through; `bury` puts one action aside; `alive` raises while the store is away."""

    def __init__(
        self,
        run: Callable[[Sequence[Job]], Awaitable[None]],
        bury: Callable[[Job, LetterCause, Exception], Awaitable[None]],
        alive: Callable[[], Awaitable[object]],
    ) -> None:
        self._run = run
        self._bury = bury
        self._alive = alive
        self._suspects = Suspects()

    async def carry(self, jobs: Sequence[Job]) -> None:
        """Run a batch; where it breaks, halve it until the item at fault stands alone. That one waits for its lease's end, and after
        its last failure becomes a dead letter.

        Raises what an outage raises: the whole batch is taken up again when its lease ends.
        """
        try:
            await self._run(jobs)
        except OUTAGES:
            raise
        except Exception as error:  # whatever it is belongs to one item; `_alone` logs it
            if len(jobs) > 1:
                middle = len(jobs) // 2
                await self.carry(jobs[:middle])
                await self.carry(jobs[middle:])
                return
            await self._alone(jobs[0], error)
        else:
            self._suspects.well(*(job.key for job in jobs))

    async def _alone(self, job: Job, error: Exception) -> None:
        log.exception("an action breaks the work on it", extra={"ids": {"action_id": str(job.action_id)}})
        await self._alive()
        fine = self._suspects.others_did_well(job.key) or self._suspects.alone(job.key)
        if self._suspects.failed(job.key, at_fault=fine):
            await self._bury(job, LetterCause.BROKEN, error)
