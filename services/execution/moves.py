"""What moves a batch of actions has besides its way through: parts of a question, pauses, moves, traces. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.execution import ActionState
from libs.contracts.message import PLATFORM
from libs.contracts.trust import Decision, Outcome
from services.execution.domain.actions import Job
from services.execution.store import Move

MAX_QUESTION_BYTES = 6 * 1024 * 1024
"""What one question to trust may hold; the bus carries 8 MiB."""


def portions(jobs: Sequence[Job]) -> list[Sequence[Job]]:
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


def not_granted(job: Job, decision: Decision) -> Move:
    if any(reason.code == "previous_attempt_open" for reason in decision.reasons):
        # Trust has not heard yet how the last attempt ended: that news is on its way, and this is no refusal.
        return again(job, "", patience(job.attempt), waiting_for="trust")
    state = {
        Outcome.PARKED: ActionState.AWAITING_APPROVAL,
        Outcome.DRAFTED: ActionState.DRAFTED,
        Outcome.REFUSED: ActionState.REFUSED,
    }[decision.outcome]
    waiting = "approval" if state is ActionState.AWAITING_APPROVAL else None
    codes = ", ".join(reason.code for reason in decision.reasons)
    return Move(job, state, codes, True, decision=decision, waiting_for=waiting)


def patience(attempt: int) -> float:
    """Seconds until trust is asked about another attempt: doubling up to half a minute, so that a clock that is off spins nothing."""
    return min(30.0, 2.0 ** min(attempt - 1, 5))


def again(job: Job, detail: str, due_seconds: float, waiting_for: str | None = None) -> Move:
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


def signs_grants(key: Mapping[str, Any]) -> bool:
    """A key that others are known to have signs nothing for us."""
    return key.get("dealix_use") == "grant" and key.get("dealix_state") != "compromised"
