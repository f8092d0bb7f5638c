"""Starts that arrive together commit together: one transaction for up to a hundred of them, and each is answered by itself.

While one batch commits the next gathers, so nobody waits for others to arrive. What is wrong with one start is said of that one alone; a
batch that can't be written is halved until what is broken stands alone.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from libs.contracts.errors import Busy, DealixError
from libs.contracts.flows import Flow, FlowStatus
from libs.contracts.message import Principal
from services.execution.flows.backend import ExecutionBackend, FlowUnit, Key
from services.execution.flows.domain.definition import Definition
from services.execution.flows.domain.moving import begin
from services.execution.flows.domain.run import Run, Transition
from services.execution.flows.engine import FlowEngine, audit
from services.execution.flows.errors import FlowIdTaken
from services.execution.flows.rows import shown
from services.execution.traffic.domain import Turns

log = logging.getLogger(__name__)

BATCH = 100
COMMITTING = 2
"""Batches on their way into PostgreSQL at once: while it writes one, the next is made."""
BACKLOG = 20_000
TENANT_BACKLOG = BACKLOG // 2


class Kept(NamedTuple):
    """A flow that is kept, as it was at a moment. Shown only to whoever asked for one: a caller of many is told no more than its status."""

    run: Run
    at: datetime

    @property
    def status(self) -> FlowStatus:
        return self.run.status

    def shown(self) -> Flow:
        return shown(self.run, self.at)


Answer = Kept | Flow | Exception
"""What became of a start. An exception says why nothing of it is kept."""


@dataclass(slots=True, eq=False)
class Start:
    """One start in line. It carries its caller's trace, whoever's batch it commits in."""

    who: Principal
    flow_id: UUID
    definition: Definition
    given: dict[str, Any]
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    caller: contextvars.Context = field(default_factory=contextvars.copy_context)

    @property
    def key(self) -> Key:
        return self.who.tenant_id, self.flow_id

    def settle(self, answer: Answer) -> None:
        if not self.answer.done():  # whoever asked may have gone
            self.answer.set_result(answer)


class Starts:
    def __init__(self, backend: ExecutionBackend, engine: FlowEngine) -> None:
        self._backend = backend
        self._engine = engine
        self._line: Turns[Start] = Turns(1)
        self._committing: set[asyncio.Task[None] | None] = set()

    async def keep(self, starts: Sequence[Start]) -> list[Answer]:
        """Keep new flows of one tenant; each is durable when this answers with it, and nothing of it is kept otherwise.

        Raises Busy beyond the backlog's limit, before anything is kept.
        """
        tenant = starts[0].who.tenant_id
        if len(self._line) + len(starts) > BACKLOG or self._line.of(tenant) + len(starts) > TENANT_BACKLOG:
            raise Busy
        for one in starts:
            self._line.put(tenant, one)
        self._go_on()
        return [await one.answer for one in starts]

    def _go_on(self) -> None:
        if self._line and len(self._committing) < COMMITTING:
            task = asyncio.create_task(self._commit(), context=contextvars.Context())
            self._committing.add(task)

    async def _commit(self) -> None:
        """Take what has arrived and commit it, until nothing is in line.

        It leaves the set before anybody else runs: a callback of the task would come after those whom its last batch woke, and what they ask
        for next would find two tasks that have ended, and wait for ever.
        """
        try:
            while batch := self._next():
                self._go_on()
                await self._kept(batch)
        finally:
            self._committing.discard(asyncio.current_task())

    def _next(self) -> list[Start]:
        batch: list[Start] = []
        while len(batch) < BATCH and (one := self._line.take()) is not None:
            if not one.answer.done():
                batch.append(one)
        return batch

    async def _kept(self, batch: Sequence[Start]) -> None:
        try:
            answers = await self._write(batch)
        except asyncio.CancelledError:
            for one in batch:
                one.answer.cancel()
            raise
        except Exception as error:
            if len(batch) == 1:
                if not isinstance(error, DealixError):
                    log.exception("a flow could not be kept", extra={"ids": {"flow_id": str(batch[0].flow_id)}})
                batch[0].settle(error)
                return
            middle = len(batch) // 2
            await self._kept(batch[:middle])
            await self._kept(batch[middle:])
            return
        for one, answer in zip(batch, answers, strict=True):
            one.settle(answer)
        self._engine.sent(())

    async def _write(self, batch: Sequence[Start]) -> list[Answer]:
        async with self._backend.unit(*{one.who.tenant_id for one in batch}) as unit:
            now = await unit.now()
            begun = [_begun(one, now) for one in batch]
            first: dict[Key, Transition] = {}
            for made in begun:
                if isinstance(made, Transition):
                    first.setdefault(made.run.key, made)
            fresh = await unit.add(list(first.values())) if first else set()
            every = len(fresh) == len(batch)
            answers: list[Answer] = []
            for one, made in zip(batch, begun, strict=True):
                if isinstance(made, DealixError):
                    answers.append(made)
                elif every or (one.key in fresh and first[one.key] is made):
                    one.caller.run(audit, unit, made, now)
                    answers.append(Kept(made.run, now))
                else:
                    answers.append(await _again(unit, one, made))
        return answers


def _begun(one: Start, now: datetime) -> Transition | DealixError:
    try:
        return begin(one.definition, one.who, one.flow_id, one.given, now)
    except DealixError as refusal:
        return refusal


async def _again(unit: FlowUnit, one: Start, made: Transition) -> Answer:
    """The flow that has the id already, if it is the one that is asked for."""
    first = (await unit.revisions(*one.key, 0, 1))[:1]
    kept = await unit.get(*one.key)
    if not first or kept is None:
        return FlowIdTaken()
    checkpoint = first[0].checkpoint
    return kept if (checkpoint["flow"], checkpoint["state"]) == (made.run.flow, made.run.state) else FlowIdTaken()
