"""From a leased batch of actions to their outcomes: authorize, admit, dispatch, perform, settle.

Four commits a batch, whatever its size. Nothing is performed before its dispatch is committed, and a dispatch is committed once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.errors import DealixError, RemoteFault
from libs.contracts.execution import ActionsSettled, ActionState, Receipt, SandboxMessage, Settled
from libs.contracts.grant import unb64
from libs.contracts.message import PLATFORM, Plane
from libs.contracts.subjects import ACTIONS_SETTLED, AUTHORIZE, KEYS
from libs.contracts.trust import AuthorizeRequest, Decision, KeysRequest, Outcome
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from services.execution.canaries.choosing import Canaries
from services.execution.connectors.base import Connector, Sandbox
from services.execution.domain.actions import Job
from services.execution.errors import ConnectorError, GrantExpired, NotAdmitted
from services.execution.gate import Admitted, Gate
from services.execution.plugins.guard import Guard
from services.execution.plugins.hooks import Hooks
from services.execution.store import Dispatch, Move, Store
from services.execution.tracing import attributes, traces

log = logging.getLogger(__name__)

MAX_TRIES = 3
"""Attempts at a vendor that could not be reached."""
WAIT_FOR_TRUST = (0.5, 1, 2, 5, 10)
PAUSE_SECONDS = 5.0
MAX_QUESTION_BYTES = 6 * 1024 * 1024
"""What one question to trust may hold; the bus carries 8 MiB."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of one admitted action."""

    job: Job
    admitted: Admitted
    state: ActionState
    receipt: Receipt | None = None
    error: str = ""
    retry: bool = False


@dataclass(slots=True)
class _Sorted:
    """A decided batch: what may go, what moves without going, and the grants that end unused."""

    admitted: list[tuple[Job, Admitted, Decision]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    closed: list[Settled] = field(default_factory=list)


class Pipeline:
    """`connectors` maps connector keys to connectors, `tasks` task types to what carries them out inside; `now` is for receipts only,
    never for a grant's expiry."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        gate: Gate,
        connectors: Mapping[str, Connector],
        tasks: Mapping[str, Connector],
        sandbox: Sandbox,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._bus = bus
        self._gate = gate
        self._connectors = connectors
        self._tasks = tasks
        self._sandbox = sandbox
        self._now = now
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
        jobs = await self.guard.before_authorize(await self._hold_paused(jobs))
        if not jobs:
            return
        decided = [pair for portion in _portions(jobs) for pair in await self._ask_trust(portion)]
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
        await self.guard.after_outcome([(p.job, p.state, p.error) for p in performed if not p.retry])

    async def _ask_trust(self, jobs: Sequence[Job]) -> list[tuple[Job, Decision]]:
        """Trust's decisions; what it did not decide is left waiting. A batch that it fails on is halved until the item that it can't
        digest stands alone."""
        try:
            reply = await self._bus.call(
                AUTHORIZE, AuthorizeRequest(evaluations=tuple(job.evaluation() for job in jobs))
            )
        except DealixError as error:
            if isinstance(error, RemoteFault) and error.status in (422, 500) and len(jobs) > 1:
                middle = len(jobs) // 2
                return [*await self._ask_trust(jobs[:middle]), *await self._ask_trust(jobs[middle:])]
            await self._wait_for_trust(jobs, error)
            return []
        if len(reply.decisions) != len(jobs):
            await self._wait_for_trust(jobs, None)
            return []
        await self._learn_keys(reply.decisions)
        decided = list(zip(jobs, reply.decisions, strict=True))
        unreadable = [job for job, d in decided if d.grant is not None and not self._gate.recognises(d.grant)]
        if unreadable:
            await self._wait_for_trust(unreadable, None)
        return [(job, decision) for job, decision in decided if job not in unreadable]

    async def _hold_paused(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Keep paused actions waiting without asking trust over and over. The control that counts is read again at dispatch."""
        tenants = sorted({job.tenant_id for job in jobs})
        async with self._store.unit(*tenants) as unit:
            paused = await unit.paused(tenants)
            held = [job for job in jobs if is_paused(job, paused)]
            await unit.move(
                [
                    Move(job, ActionState.ACCEPTED, "", False, waiting_for="control", due_seconds=PAUSE_SECONDS)
                    for job in held
                ]
            )
        return [job for job in jobs if not is_paused(job, paused)] if held else jobs

    async def _wait_for_trust(self, jobs: Sequence[Job], error: DealixError | None) -> None:
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

    async def load_keys(self) -> None:
        """Read trust's public grant keys. Without them the gate admits nothing."""
        try:
            reply = await self._bus.call(KEYS, KeysRequest())
        except DealixError as error:
            log.warning("the grant keys could not be read: %s", error.code)
            return
        keys = {str(key["kid"]): unb64(str(key["x"])) for key in reply.keys if _signs_grants(key)}
        self._gate.trust_keys(keys)

    def _admit(self, decided: Sequence[tuple[Job, Decision]]) -> _Sorted:
        sorted_ = _Sorted()
        for job, decision in decided:
            if decision.outcome is not Outcome.GRANTED:
                sorted_.moves.append(_not_granted(job, decision))
                continue
            try:
                one = self._gate.admit(job, decision)
            except GrantExpired as error:
                job.grant_id = error.grant_id
                sorted_.moves.append(_again(job, "the grant expired", _patience(job.attempt)))
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
                        batch.moves.append(_again(job, "paused", PAUSE_SECONDS, waiting_for="control"))
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
                return Performed(job, admitted, ActionState.UNKNOWN, error=error.code)
            if error.retryable and await self._tries(job) < MAX_TRIES:
                return Performed(job, admitted, ActionState.NOT_SENT, error=error.code, retry=True)
            return Performed(job, admitted, ActionState.FAILED, error=error.code)
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
            if one.retry:
                moves.append(
                    Move(one.job, ActionState.ACCEPTED, f"not sent: {one.error}", False, error=one.error, due_seconds=2.0**one.job.attempt,
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

    async def _recover(self, jobs: Sequence[Job]) -> None:
        """Actions whose process died between dispatch and outcome.

        A sandbox effect commits with its outcome, so there was none: it is tried again as a new attempt. For a vendor that can't be
        read back the outcome is unknown, and a person settles it.
        """
        moves, items = [], []
        for job in jobs:
            if job.grant_id is None:
                continue
            safe = job.connector_mode == "sandbox" or effects()[job.effect].connector == "internal"
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


def _portions(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Parts of a batch that fit into one message to trust each. A payload travels as a string, which may double it."""
    out: list[list[Job]] = [[]]
    size = 0
    for job in jobs:
        one = 2 * len(job.payload.encode()) + 4096
        if out[-1] and size + one > MAX_QUESTION_BYTES:
            out.append([])
            size = 0
        out[-1].append(job)
        size += one
    return list(out)


def is_paused(job: Job, paused: set[tuple[UUID, str, str]]) -> bool:
    """Whether an emergency stop, or a pause of the tenant, its connector or this action type, holds the action."""
    if not paused:
        return False
    effect = effects()[job.effect]
    names = (
        ("all", "*"),
        ("tenant", str(job.tenant_id)),
        ("connector", effect.connector),
        ("action_type", job.action_type),
    )
    return any((owner, scope, target) in paused for owner in (PLATFORM, job.tenant_id) for scope, target in names)


def _not_granted(job: Job, decision: Decision) -> Move:
    if any(reason.code == "previous_attempt_open" for reason in decision.reasons):
        # Trust has not heard yet how the last attempt ended: that news is on its way, and this is no refusal.
        return _again(job, "", _patience(job.attempt), waiting_for="trust")
    state = {
        Outcome.PARKED: ActionState.AWAITING_APPROVAL,
        Outcome.DRAFTED: ActionState.DRAFTED,
        Outcome.REFUSED: ActionState.REFUSED,
    }[decision.outcome]
    waiting = "approval" if state is ActionState.AWAITING_APPROVAL else None
    codes = ", ".join(reason.code for reason in decision.reasons)
    return Move(job, state, codes, True, decision=decision, waiting_for=waiting)


def _patience(attempt: int) -> float:
    """Seconds until trust is asked about another attempt: doubling up to half a minute, so that a clock that is off spins nothing."""
    return min(30.0, 2.0 ** min(attempt - 1, 5))


def _again(job: Job, detail: str, due_seconds: float, waiting_for: str | None = None) -> Move:
    """Back to the queue as a new attempt, which trust decides anew."""
    return Move(
        job,
        ActionState.ACCEPTED,
        detail,
        False,
        waiting_for=waiting_for,
        due_seconds=due_seconds,
        next_attempt=job.attempt + 1,
    )


def _signs_grants(key: Mapping[str, Any]) -> bool:
    """A key that others are known to have signs nothing for us."""
    return key.get("dealix_use") == "grant" and key.get("dealix_state") != "compromised"
