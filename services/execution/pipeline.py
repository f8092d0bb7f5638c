"""From a leased batch of actions to their outcomes: authorize, admit, dispatch, perform, settle.

Four commits a batch, whatever its size. Nothing is performed before its dispatch is committed, and a dispatch is committed once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import SystemRandom
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.dead_letters import LetterCause
from libs.contracts.execution import ActionsSettled, ActionState, Receipt, SandboxMessage, Settled
from libs.contracts.message import Plane
from libs.contracts.subjects import ACTIONS_SETTLED
from libs.contracts.trust import Decision, Outcome
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from services.execution.asking import Asking
from services.execution.canaries.choosing import Canaries
from services.execution.connectors.base import Connector, Sandbox, is_sandbox
from services.execution.dead_letters.domain import Arrival, reason_of
from services.execution.dead_letters.telling import tell
from services.execution.domain.actions import Job
from services.execution.errors import ConnectorError, GrantExpired, NotAdmitted, VendorRejected
from services.execution.gate import Admitted, Gate
from services.execution.moves import again, is_paused, not_granted, patience, portions
from services.execution.plugins.guard import Guard
from services.execution.plugins.hooks import Hooks
from services.execution.settling.domain import MARK
from services.execution.store import Dispatch, Move, Store, Unit
from services.execution.tracing import attributes, traces
from services.execution.traffic.domain import turn_seconds, wait_seconds
from services.execution.traffic.store import Line, Seen

log = logging.getLogger(__name__)

MAX_TRIES = 3
"""Attempts at a vendor that could not be reached."""
PAUSE_SECONDS = 5.0
_CHANCE = SystemRandom().random


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of one admitted action."""

    job: Job
    admitted: Admitted
    state: ActionState
    receipt: Receipt | None = None
    error: str = ""
    failure: ConnectorError | None = None
    tries: int = 0
    """How often the vendor was tried, where it is to be tried again; 0 otherwise."""


@dataclass(slots=True)
class _Sorted:
    """A decided batch: what may go, what moves without going, and the grants that end unused."""

    admitted: list[tuple[Job, Admitted, Decision]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    closed: list[Settled] = field(default_factory=list)


class Pipeline:
    """`connectors` maps connector keys to connectors, `tasks` task types to what carries them out inside; `now` is for receipts only,
    never for a grant's expiry; `chance` (0-1) spreads retries."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        gate: Gate,
        connectors: Mapping[str, Connector],
        tasks: Mapping[str, Connector],
        sandbox: Sandbox,
        now: Callable[[], datetime],
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        self._store = store
        self._bus = bus
        self._gate = gate
        self._connectors = connectors
        self._tasks = tasks
        self._sandbox = sandbox
        self._now = now
        self._chance = chance
        self._asking = Asking(store, bus, gate, self.bury)
        self.load_keys = self._asking.load_keys
        self.settled: Callable[[UUID], None] = lambda _: None
        self.guard = Guard(Hooks(), store, now)
        self.canaries = Canaries()

    async def run(self, jobs: Sequence[Job]) -> None:
        """Move a batch as far as it goes now. An error leaves the rest to the lease's end."""
        fresh = [job for job in jobs if job.state is ActionState.ACCEPTED]
        lost = [job for job in jobs if job.state is ActionState.DISPATCHED]
        if lost:
            await self._recover(lost)
        if not fresh:
            return
        parent, links = traces(fresh)
        with telemetry.span(Plane.EXECUTION, "execute", parent=parent, links=links, attributes=attributes(fresh)):
            await self._run(fresh)
        for job in fresh:
            self.settled(job.action_id)

    async def _run(self, jobs: Sequence[Job]) -> None:
        jobs = await self.guard.before_authorize(await self._hold(jobs))
        if not jobs:
            return
        decided = [pair for portion in portions(jobs) for pair in await self._asking.ask(portion)]
        await self.canaries.assign(decided)
        admitted = self._admit(decided)
        admitted.admitted = await self.guard.before_dispatch(decided, admitted.admitted)
        go = await self._dispatch(admitted) if admitted.admitted or admitted.moves else []
        if not go:
            return
        with telemetry.span(
            Plane.EXECUTION,
            "perform",
            attributes={"dealix.connector": go[0][1].claims.connector, "dealix.count": len(go)},
        ):
            performed = await asyncio.gather(*(self._perform(job, one) for job, one, _ in go))
        await self._settle(performed)
        await self.guard.after_outcome([(p.job, p.state, p.error) for p in performed if not p.tries])

    async def _hold(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Keep what is paused, or whose vendor fails just now, waiting without asking trust over and over. The control that counts is
        read again at dispatch."""
        tenants = sorted({job.tenant_id for job in jobs})
        async with self._store.unit(*tenants) as unit:
            paused, failing = await unit.paused(tenants), await unit.traffic.held(tenants)
            held = [_waits(job, "control", PAUSE_SECONDS) for job in jobs if is_paused(job, paused)]
            for job in [job for job in jobs if not is_paused(job, paused)] if failing else ():
                line = (job.tenant_id, effects()[job.effect].connector)
                seconds = failing.get(line)
                if seconds == 0:
                    # One tries whether the vendor is back; the others wait for what it finds.
                    failing[line] = PAUSE_SECONDS
                elif seconds is not None:
                    held.append(_waits(job, "connector", seconds + self._chance()))
            await unit.move(held)
        keys = {move.job.key for move in held}
        return [job for job in jobs if job.key not in keys] if held else jobs

    def _admit(self, decided: Sequence[tuple[Job, Decision]]) -> _Sorted:
        sorted_ = _Sorted()
        for job, decision in decided:
            if decision.outcome is not Outcome.GRANTED:
                sorted_.moves.append(not_granted(job, decision))
                continue
            try:
                one = self._gate.admit(job, decision)
            except GrantExpired as error:
                job.grant_id = error.grant_id
                sorted_.moves.append(again(job, "the grant expired", patience(job.attempt)))
                sorted_.closed.append(self._closing(job, error.grant_id, ActionState.NOT_SENT, "grant_expired"))
            except NotAdmitted as error:
                log.error("a grant did not pass the gate: %s", error, extra={"ids": {"action_id": str(job.action_id)}})
                sorted_.moves.append(Move(job, ActionState.REFUSED, f"gate: {error}", True, decision, error=str(error)))
            else:
                job.grant_id = one.claims.grant_id
                job.connector_mode = one.claims.connector_mode.value
                sorted_.admitted.append((job, one, decision))
        return sorted_

    async def _dispatch(self, batch: _Sorted) -> list[tuple[Job, Admitted, Decision]]:
        """One transaction: the control row, first use of each nonce, and every transition of the batch."""
        tenants = sorted({m.job.tenant_id for m in batch.moves} | {job.tenant_id for job, _, _ in batch.admitted})
        go: list[tuple[Job, Admitted, Decision]] = []
        async with self._store.unit(*tenants) as unit:
            if batch.admitted:
                await self._limit(unit, batch)
                paused = await unit.paused(tenants)
                used = await unit.dispatch(
                    [
                        Dispatch(j, one.claims.grant_id, one.claims.nonce, one.claims.connector, decision)
                        for j, one, decision in batch.admitted
                    ]
                )
                for job, one, decision in batch.admitted:
                    if one.claims.grant_id not in used:
                        continue  # somebody used this grant before: it is theirs
                    if is_paused(job, paused):
                        batch.moves.append(again(job, "paused", PAUSE_SECONDS, waiting_for="control"))
                        batch.closed.append(self._closing(job, one.claims.grant_id, ActionState.NOT_SENT, "paused"))
                    elif self._connector(job, one) is not None:
                        go.append((job, one, decision))
                        batch.moves.append(Move(job, ActionState.DISPATCHED, "", False, decision, due_seconds=-1))
                    else:
                        batch.moves.append(Move(job, ActionState.MANUAL, "a person does this", True, decision))
                        batch.closed.append(self._closing(job, one.claims.grant_id, ActionState.NOT_SENT, "manual"))
            moved = await unit.move(batch.moves)
            # Cancelled in between: the grant is used up and nothing was sent.
            late = [entry for entry in go if entry[0].key not in moved]
            batch.closed += [
                self._closing(j, one.claims.grant_id, ActionState.NOT_SENT, "cancelled") for j, one, _ in late
            ]
            if batch.closed:
                unit.emit(ACTIONS_SETTLED, ActionsSettled(items=tuple(batch.closed)))
        gone = [entry for entry in go if entry[0].key in moved]
        for job, _, _ in gone:
            job.state = ActionState.DISPATCHED
        return gone

    async def _limit(self, unit: Unit, batch: _Sorted) -> None:
        """Leave out what a tenant's connector may not do live just now: its grant ends unused, and it has a turn of its own later."""
        lines = [_live(one) for _, one, _ in batch.admitted]
        wanted = Counter(line for line in lines if line is not None and line[1] in self._connectors)
        if not wanted:
            return
        rates = {key: connector.profile.per_minute for key, connector in self._connectors.items()}
        taken = await unit.traffic.take(wanted, rates)
        go, seen = [], Counter[Line]()
        for line, entry in zip(lines, batch.admitted, strict=True):
            given, rate = taken.get(line, (1, 1)) if line else (1, 1)
            if line is None or line not in taken or seen[line] < given:
                go.append(entry)
            else:
                job, one, _ = entry
                wait = turn_seconds(seen[line] - given, rate)
                batch.moves.append(again(job, "rate limited", wait, waiting_for="connector"))
                batch.closed.append(self._closing(job, one.claims.grant_id, ActionState.NOT_SENT, "rate_limited"))
            if line is not None:
                seen[line] += 1
        batch.admitted = go

    def _connector(self, job: Job, admitted: Admitted) -> Connector | None:
        """Who carries this out; None when nobody here does. Inside, it is the handler of the task type that was asked for."""
        if (version := self.canaries.chosen(job, admitted.claims.connector)) is not None:
            return version
        if admitted.claims.connector == "internal":
            return self._tasks.get(job.action_type)
        return self._connectors.get(admitted.claims.connector)

    async def _perform(self, job: Job, admitted: Admitted) -> Performed:
        connector = self._connector(job, admitted)
        if connector is None:
            return Performed(job, admitted, ActionState.FAILED, error="no_connector")
        try:
            receipt = await connector.perform(admitted)
        except ConnectorError as error:
            if error.sent is None:
                return Performed(job, admitted, ActionState.UNKNOWN, error=error.code, failure=error)
            tries = await self._tries(job) if error.retryable else MAX_TRIES
            if tries < MAX_TRIES:
                return Performed(job, admitted, ActionState.NOT_SENT, error=error.code, failure=error, tries=tries)
            return Performed(job, admitted, ActionState.FAILED, error=error.code, failure=error)
        except Exception:
            # A bug in a connector: whether it was before or after the wire is not known, so it is never repeated blindly.
            log.exception("a connector failed", extra={"ids": {"action_id": str(job.action_id)}})
            return Performed(job, admitted, ActionState.UNKNOWN, error="connector_crashed")
        return Performed(job, admitted, ActionState.SUCCEEDED, receipt=receipt)

    async def _tries(self, job: Job) -> int:
        """How often the vendor was tried. The number of the attempt says less: waiting for people or for trust makes new ones too."""
        async with self._store.unit(job.tenant_id) as unit:
            return await unit.dispatches(job.tenant_id, job.action_id)

    async def _settle(self, performed: Sequence[Performed]) -> None:
        """One transaction: outcomes, what the sandbox caught, and the event that closes the grants."""
        moves, items, caught = [], [], []
        for one in performed:
            captured: list[SandboxMessage] = self._sandbox.take(one.admitted.claims.grant_id)
            if one.state is ActionState.SUCCEEDED:
                caught += [(one.job.tenant_id, message) for message in captured]
            if one.tries:
                wait = wait_seconds(one.tries, getattr(one.failure, "retry_after", None), self._chance())
                moves.append(
                    Move(one.job, ActionState.ACCEPTED, f"not sent: {one.error}", False, error=one.error, due_seconds=wait,
                         next_attempt=one.job.attempt + 1)
                )  # fmt: skip
            else:
                moves.append(Move(one.job, one.state, one.error, True, receipt=one.receipt, error=one.error))
            items.append(self._closing(one.job, one.admitted.claims.grant_id, one.state, one.error, one.receipt))
        async with self._store.unit(*sorted({one.job.tenant_id for one in performed})) as unit:
            moved = await unit.move(moves)
            await unit.keep_sandbox(
                [(tenant, message) for tenant, message in caught if (tenant, message.action_id) in moved]
            )
            if seen := _seen(performed):
                await unit.traffic.observe(seen)
            undoing = [
                o.job.key for o in performed if o.state is ActionState.SUCCEEDED and o.job.run_id.startswith(MARK)
            ]
            if undoing:
                await unit.compensations.done([key for key in undoing if key in moved])
            ended = (o for o in performed if o.state is ActionState.FAILED and o.job.key in moved)
            if dead := [_arrival(o) for o in ended if not effects()[o.job.effect].followed_up]:
                tell(unit, "arrived", await unit.letters.arrive(dead), self._now())
            unit.emit(
                ACTIONS_SETTLED,
                ActionsSettled(items=tuple(item for item in items if (item.tenant_id, item.action_id) in moved)),
            )

    def _closing(
        self, job: Job, grant_id: UUID, outcome: ActionState, error: str, receipt: Receipt | None = None
    ) -> Settled:
        return Settled(
            tenant_id=job.tenant_id,
            action_id=job.action_id,
            attempt=job.attempt,
            action_type=job.action_type,
            grant_id=grant_id,
            outcome=outcome,
            receipt=receipt,
            error=error,
            at=self._now(),
        )

    async def bury(self, job: Job, cause: LetterCause, error: Exception) -> None:
        """End an action that can't be worked on, as a dead letter. What had been dispatched may have left: that stays unknown."""
        state = ActionState.UNKNOWN if job.state is ActionState.DISPATCHED else ActionState.NOT_SENT
        reason, effect = reason_of(error), effects().get(job.effect)
        async with self._store.unit(job.tenant_id) as unit:
            if not await unit.move([Move(job, state, reason.code, True, error=reason.code)]):
                return
            connector = effect.connector if effect else "none"
            tell(unit, "arrived", await unit.letters.arrive([Arrival(job, connector, cause, reason)]), self._now())
            if job.grant_id is not None:
                closing = self._closing(job, job.grant_id, state, reason.code)
                unit.emit(ACTIONS_SETTLED, ActionsSettled(items=(closing,)))
        self.settled(job.action_id)

    async def _recover(self, jobs: Sequence[Job]) -> None:
        """Actions whose process died between dispatch and outcome.

        A sandbox effect commits with its outcome, so there was none: it is tried again as a new attempt. For a vendor that can't be
        read back the outcome is unknown, and a person settles it.
        """
        moves, items = [], []
        for job in jobs:
            if job.grant_id is None:
                continue
            effect = effects()[job.effect]
            # Nobody waits for a model's answer any more: the next attempt finds that and ends.
            safe = job.connector_mode == "sandbox" or effect.connector == "internal" or effect.model
            outcome = ActionState.NOT_SENT if safe else ActionState.UNKNOWN
            if safe:
                moves.append(
                    Move(
                        job,
                        ActionState.ACCEPTED,
                        "restarted before the effect",
                        False,
                        due_seconds=0,
                        next_attempt=job.attempt + 1,
                    )
                )
            else:
                moves.append(Move(job, ActionState.UNKNOWN, "the process died while sending", True, error="crashed"))
            items.append(
                Settled(
                    tenant_id=job.tenant_id, action_id=job.action_id, attempt=job.attempt, action_type=job.action_type,
                    grant_id=job.grant_id, outcome=outcome, error="crashed", at=self._now(),
                )
            )  # fmt: skip
        async with self._store.unit(*sorted({job.tenant_id for job in jobs})) as unit:
            moved = await unit.move(moves)
            kept = tuple(item for item in items if (item.tenant_id, item.action_id) in moved)
            if kept:
                unit.emit(ACTIONS_SETTLED, ActionsSettled(items=kept))


def _waits(job: Job, what: str, seconds: float) -> Move:
    return Move(job, ActionState.ACCEPTED, "", False, waiting_for=what, due_seconds=seconds)


def _live(admitted: Admitted) -> Line | None:
    """The tenant's connector that this effect goes out through; None where it stays in the sandbox."""
    return None if is_sandbox(admitted) else (admitted.tenant_id, admitted.claims.connector)


def _seen(performed: Sequence[Performed]) -> dict[Line, Seen]:
    """What the vendors did in this batch. One that refuses is there: only silence and "not now" count against it."""
    out: dict[Line, Seen] = {}
    for one in performed:
        line = _live(one.admitted)
        if line is None or line[1] == "internal":
            continue
        before = out.get(line, Seen(ok=False))
        if isinstance(one.failure, VendorRejected) or one.state is ActionState.SUCCEEDED:
            out[line] = Seen(ok=True)
        elif not before.ok:
            asked = max(before.retry_after or 0.0, getattr(one.failure, "retry_after", None) or 0.0)
            out[line] = Seen(ok=False, failures=before.failures + 1, retry_after=asked or None)
    return out


def _arrival(one: Performed) -> Arrival:
    error: Exception = one.failure or RuntimeError(one.error)
    return Arrival(one.job, one.admitted.claims.connector, LetterCause.FAILED, reason_of(error))
