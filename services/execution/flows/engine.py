"""What carries flows: claims those that are due, moves each by the machine, commits what a turn brings about, asks agents.

A turn is one transaction for the whole batch: facts read, runs moved, revisions, actions, children, signals and events written. Only
questions to agents lie between two turns, under the lease; if this process dies there, whoever claims the flow asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import uuid5

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.flows import flow_title, step_title
from libs.contracts.errors import CallTimeout, DealixError, RemoteFault
from libs.contracts.execution import ActionItem, ActionState
from libs.contracts.flows import AgentAnswer, AskAgent, FlowStalled, TaskRequested
from libs.contracts.message import Plane, Reason, Text, new_id
from libs.contracts.subjects import ASK_AGENT, AUDITED, FLOW_STALLED, TASK_REQUESTED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from services.execution.domain.actions import Job, read
from services.execution.flows.backend import LEASE_SECONDS, ExecutionBackend, FlowUnit, Key, Lease, Saved
from services.execution.flows.domain.definition import Definition, Definitions
from services.execution.flows.domain.moving import advance, begin, ended, not_accepted
from services.execution.flows.domain.run import Errand, Question, Run, Signal, Transition
from services.execution.flows.hours import Hours
from services.execution.router import TaskRouter

log = logging.getLogger(__name__)

BATCH = 100
IN_HAND = 3
"""Batches under way at once: while PostgreSQL writes one the next is moved, and an agent that thinks long keeps no timer waiting."""
ASKS = 16
"""Questions to agents under way at once."""
AUDITED_NOTES = frozenset({"completed", "failed", "timed_out", "needs_attention", "rolled_back", "skipped"})


class FlowEngine:
    def __init__(
        self,
        backend: ExecutionBackend,
        definitions: Definitions,
        bus: Bus,
        router: TaskRouter,
        instance: str,
        take: Callable[[Sequence[Job]], None],
        hours: Hours,
    ) -> None:
        """`take` puts committed actions in line for this replica's workers; without it they would wait for their lease's end."""
        self._backend = backend
        self._definitions = definitions
        self._bus = bus
        self._router = router
        self._instance = instance
        self._take = take
        self._hours = hours
        self._in_hand: dict[Lease, None] = {}
        self._asking = asyncio.Semaphore(ASKS)
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """For as long as the plane lives. A wake is only a hint: what is due stands in a row."""
        free, under_way = asyncio.Semaphore(IN_HAND), set[asyncio.Task[None]]()

        def done(carried: asyncio.Task[None]) -> None:
            under_way.discard(carried)
            free.release()
            if not carried.cancelled() and (error := carried.exception()) is not None:
                log.error("a batch of flows was left", exc_info=error)

        try:
            while True:
                await free.acquire()
                self.wake.clear()
                leases = await self._claimed()
                if leases:
                    carried = asyncio.create_task(self._carried(leases))
                    under_way.add(carried)
                    carried.add_done_callback(done)
                else:
                    free.release()
                if len(leases) < BATCH:
                    await self._rest()
        finally:
            for one in under_way:
                one.cancel()

    async def _rest(self) -> None:
        # Not wait_for: in Python 3.11 it forgets that it was cancelled when a wake comes in the same moment.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self.wake.wait()

    async def keep_leases(self) -> None:
        """Hold what is in hand while agents think."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            if leases := list(self._in_hand):
                await self._backend.heartbeat(self._instance, leases)

    async def tick(self) -> int:
        """Take up one batch of due flows and move each as far as it goes now. Returns how many there were."""
        leases = await self._claimed()
        if leases:
            await self._carried(leases)
        return len(leases)

    async def _claimed(self) -> list[Lease]:
        leases = await self._backend.claim(self._instance, BATCH)
        self._in_hand |= dict.fromkeys(leases)
        return leases

    async def _carried(self, leases: Sequence[Lease]) -> None:
        try:
            with telemetry.span(Plane.EXECUTION, "flows", attributes={"dealix.count": len(leases)}):
                await self._hours.learn({one.tenant_id for one in leases})
                await self._carry(leases)
        finally:
            for lease in leases:
                self._in_hand.pop(lease, None)

    async def _carry(self, leases: Sequence[Lease]) -> None:
        """A turn for all; when something in it can't be written, halves, until what is broken stands alone."""
        try:
            questions = await self._turn(leases, {}, frozenset())
        except Exception:
            if len(leases) == 1:
                log.exception("a flow could not be moved", extra={"ids": {"flow_id": str(leases[0].flow_id)}})
                return
            middle = len(leases) // 2
            await self._carry(leases[:middle])
            await self._carry(leases[middle:])
            return
        if questions:
            await asyncio.gather(*(self._ask(lease, run, asked) for lease, run, asked in questions))

    async def _turn(
        self, leases: Sequence[Lease], answers: Mapping[str, AgentAnswer | Reason], silent: frozenset[str]
    ) -> list[tuple[Lease, Run, list[Question]]]:
        """One transaction. Answers are by token, and given for a single flow only."""
        questions = []
        async with self._backend.unit(*{one.tenant_id for one in leases}) as unit:
            runs = await unit.held(leases)
            now = await unit.now()
            facts = await unit.facts(runs, now)
            by_flow = {lease.key: lease for lease in leases}
            moved = []
            for run in runs:
                definition = self._definitions.get(run.flow, run.version)
                if definition is None:
                    log.error("a flow's version is missing", extra={"ids": {"flow_id": str(run.flow_id)}})
                    continue
                known = facts[run.key]
                if answers or silent:
                    known = known._replace(answers=answers, silent=silent)
                if (hours := self._hours.of(run.tenant_id)) is not None:
                    known = known._replace(hours=hours)
                try:
                    made = advance(definition, run, known, spent=True)
                except Exception:
                    # Its lease ends by itself and it is tried again; the others of the batch go on.
                    log.exception("a flow could not be moved", extra={"ids": {"flow_id": str(run.flow_id)}})
                    continue
                if made.wants_hours:
                    self._hours.want(run.tenant_id)
                moved.append((definition, made))
                if asked := made.questions(now):
                    questions.append((by_flow[run.key], made.run, asked))
            jobs = await self.write(unit, moved, now, keep={lease.key for lease, _, _ in questions})
        self.sent(jobs)
        return questions

    async def write(
        self,
        unit: FlowUnit,
        moved: Sequence[tuple[Definition, Transition]],
        now: datetime,
        *,
        keep: Collection[Key] = (),
        new: bool = False,
    ) -> list[Job]:
        """Everything that transitions bring about, in one transaction. Returns the actions that are fresh."""
        readied = [self._readied(definition, made, now) for definition, made in moved]
        if not new:
            await unit.save([Saved(made, keep=made.run.key in keep) for made, _ in readied], now)
        for made, _ in readied:
            await self._tell(unit, made, now)
        await self._start_children(unit, [made for made, _ in readied], now)
        await unit.wake(_parents(made for made, _ in readied))
        jobs = [job for _, asked in readied for job in asked]
        if not jobs:
            return []
        stored = await unit.actions.accept(jobs, self._instance)
        return [job for job, kept in zip(jobs, stored, strict=True) if kept.fresh]

    def _readied(self, definition: Definition, made: Transition, now: datetime) -> tuple[Transition, list[Job]]:
        """A transition with its actions as jobs. A step whose action can't be one at all fails here, before anything is written."""
        if not made.submissions:
            return made, []
        headers, trace_id = telemetry.headers(), telemetry.trace_id()
        jobs = []
        for one in tuple(made.submissions):
            item = ActionItem(
                action_id=one.action_id, action_type=one.deed.action_type, resource=one.deed.resource, payload=one.deed.payload,
                reason=one.deed.reason, run_id=f"flow:{made.run.flow_id}", approval_token=one.deed.approval or None,
            )  # fmt: skip
            job = read(item, made.run.principal, self._router.registered, headers, trace_id)
            if isinstance(job, Reason):
                made = not_accepted(definition, made, one.action_id, job, now)
            else:
                jobs.append(job)
        return made, jobs

    def sent(self, jobs: Sequence[Job]) -> None:
        """What a committed turn submitted goes to this replica's workers; what it told other flows is looked at at once."""
        if jobs:
            self._take(jobs)
        self.wake.set()

    async def _tell(self, unit: FlowUnit, made: Transition, now: datetime) -> None:
        """What a transition means to others: withdrawn actions, children, the parent, people, the ledger."""
        run = made.run
        for action_id in made.withdrawn:
            await unit.actions.end(run.tenant_id, action_id, ActionState.CANCELLED, "withdrawn by its flow")
        for child_id, order in made.to_children:
            await unit.add_signal(run.tenant_id, child_id, Signal(uuid5(child_id, order), order, {}, "flow"))
            if (child := await unit.run(run.tenant_id, child_id)) is not None:
                await unit.revive(child)
        for errand in made.errands:
            unit.emit(TASK_REQUESTED, _task(run, errand))
        if made.stalled is not None:
            step, reason = made.stalled
            unit.emit(
                FLOW_STALLED,
                FlowStalled(tenant_id=run.tenant_id, flow_id=run.flow_id, flow=run.flow, status=run.status, step=step, reason=reason, at=now),
            )  # fmt: skip
        audit(unit, made, now)

    async def _start_children(self, unit: FlowUnit, moved: Sequence[Transition], now: datetime) -> None:
        begun: dict[Key, Transition] = {}
        for run, child in ((made.run, child) for made in moved for child in made.children):
            definition = self._definitions.newest(child.flow)
            if definition is None:
                continue  # `Definitions` has checked that every child is declared
            new = begin(
                definition, run.principal, child.flow_id, child.input, now, parent_id=run.flow_id, depth=run.depth + 1
            )
            begun.setdefault(new.run.key, new)
        if begun:
            await unit.add(list(begun.values()))

    # -- agents ------------------------------------------------------------------------------------------------------------------

    async def _ask(self, lease: Lease, run: Run, questions: Sequence[Question]) -> None:
        """Ask, and go on with what was answered. What is asked next is asked as well, for as long as the lease holds."""
        while questions:
            answers: dict[str, AgentAnswer | Reason] = {}
            silent = set()
            for one in questions:
                answer = await self._one(run, one)
                if answer is None:
                    silent.add(one.token)
                else:
                    answers[one.token] = answer
            try:
                further = await self._turn([lease], answers, frozenset(silent))
            except Exception:
                log.exception("a flow could not go on after an answer", extra={"ids": {"flow_id": str(run.flow_id)}})
                return
            questions = further[0][2] if further else []

    async def _one(self, run: Run, question: Question) -> AgentAnswer | Reason | None:
        """The agent's answer; why it can't be asked; None when decision is silent."""
        asked = AskAgent(principal=run.principal, agent=question.agent, input=question.input)
        try:
            async with self._asking:
                return await self._bus.call(ASK_AGENT, asked)
        except CallTimeout:
            return None
        except RemoteFault as error:
            if error.status >= 500 or error.retryable:
                return None
            return Reason(code=error.code, en=error.en, ar=error.ar)
        except DealixError as error:
            log.warning("an agent could not be asked: %s", error.code)
            return None


def _task(run: Run, errand: Errand) -> TaskRequested:
    """What a person reads when a step was handed to them."""
    effect, flow, step = (
        effects().get(errand.action_type or ""), flow_title(run.flow), step_title(run.flow, errand.step),
    )  # fmt: skip
    what_en, what_ar = (effect.en, effect.ar) if effect else (step.en, step.ar)
    why_en = f" {errand.reason.en}" if errand.reason else ""
    why_ar = f" {errand.reason.ar}" if errand.reason else ""
    return TaskRequested(
        tenant_id=run.tenant_id, task_id=errand.task_id, flow_id=run.flow_id, principal=run.principal, role=errand.role,
        title=Text(en=f"{what_en}: a flow waits for you", ar=f"{what_ar}: مسار ينتظرك"),
        body=Text(
            en=f"Flow {flow.en}, step {step.en}.{why_en} When it is done, answer the flow with the signal {errand.signal}.",
            ar=f"مسار {flow.ar}، خطوة {step.ar}.{why_ar} عند الانتهاء أجب المسار بالإشارة {errand.signal}.",
        ),
        signal=errand.signal, due_at=errand.until,
    )  # fmt: skip


def _parents(moved: Iterable[Transition]) -> list[Key]:
    """Flows that are to look at a child of theirs."""
    return [
        (made.run.tenant_id, made.run.parent_id)
        for made in moved
        if made.run.parent_id is not None and (ended(made.run) or made.stalled is not None)
    ]


def audit(unit: FlowUnit, made: Transition, now: datetime) -> None:
    """What of a transition goes to the ledger: what people did, and how flows end."""
    for revision in made.revisions:
        if revision.by or revision.note in AUDITED_NOTES:
            unit.emit(AUDITED[Plane.EXECUTION], _audit(made.run, revision.note, revision.step, revision.by, now))


def _audit(run: Run, note: str, step: str, by: str, now: datetime) -> AuditRecorded:
    code = note.partition(":")[0]
    return AuditRecorded(
        entry_id=new_id(), tenant_id=run.tenant_id, kind=f"flow.{code}", actor=by or "plane:execution", target=f"flow:{run.flow_id}", at=now,
        data={"flow": run.flow, "version": run.version, "step": step, "status": run.status.value}, trace_id=telemetry.trace_id(),
    )  # fmt: skip
