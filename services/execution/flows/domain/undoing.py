"""Rolling back: compensations in reverse, each a governed action of its own, one after another."""

from __future__ import annotations

from datetime import timedelta

from libs.contracts.execution import FINAL_STATES, ActionState
from libs.contracts.flows import CompensationState, FlowStatus
from libs.contracts.message import Reason
from services.execution.flows.domain import reasons
from services.execution.flows.domain.machine import EFFECTIVE, Turn
from services.execution.flows.domain.run import ActionFact, Compensation, Errand, Submission, Transition
from services.execution.flows.domain.steps import PERSON_WITHIN

TRIES = 3
"""How often one compensation is tried before a person is asked."""
AGAIN = (timedelta(seconds=30), timedelta(minutes=5))
_OVER = frozenset({CompensationState.DONE, CompensationState.NOT_NEEDED, CompensationState.SKIPPED})
_FINAL_NO = frozenset({ActionState.REFUSED, ActionState.CANCELLED, ActionState.EXPIRED})
"""Somebody said no: asking the same again would be asking until they say yes."""


def backward(turn: Turn) -> Transition:
    """Undo as far as it goes now."""
    run = turn.run
    while run.status is FlowStatus.ROLLING_BACK:
        left = next((c for c in reversed(run.compensations) if c.state not in _OVER), None)
        if left is None:
            run.status, run.outcome, run.ended_at = FlowStatus.ROLLED_BACK, "rolled_back", turn.facts.now
            turn.note("rolled_back")
            break
        before = run.seq
        if left.deed is None:
            _child(turn, left)
        elif left.state is CompensationState.RECORDED:
            _begin(turn, left)
        else:
            _settle(turn, left)
        if run.seq == before:
            break
    return turn.made


def _begin(turn: Turn, one: Compensation) -> None:
    """Whether there is anything to undo, and if so, undo it."""
    fact = turn.facts.actions.get(one.undoes)
    if fact is None:
        _over(turn, one, CompensationState.NOT_NEEDED)  # it never became an action
    elif fact.state is ActionState.UNKNOWN:
        stall(turn, one, reasons.OUTCOME_UNKNOWN)
    elif fact.state not in FINAL_STATES:
        if one.undoes not in turn.made.withdrawn:
            turn.made.withdrawn.append(one.undoes)  # it ends before it leaves, or its outcome is waited for
    elif fact.state in EFFECTIVE or (fact.state is ActionState.MANUAL and one.confirmed):
        _submit(turn, one)
    else:
        _over(turn, one, CompensationState.NOT_NEEDED)


def _submit(turn: Turn, one: Compensation) -> None:
    assert one.deed is not None
    one.tries += 1
    one.state, one.until, one.signal = CompensationState.RUNNING, None, None
    one.action_id = turn.run.derived(one.step, one.undoes, "undo", one.round, one.tries)
    turn.made.submissions.append(Submission(one.action_id, one.deed))
    turn.note("undoing", one.step)


def _settle(turn: Turn, one: Compensation) -> None:
    if one.until is not None and one.signal is None:
        if turn.facts.now >= one.until:
            _submit(turn, one)
        return
    if one.signal is not None:
        found = next(
            (s for s in turn.facts.signals if s.name == one.signal and s.signal_id not in turn.made.consumed), None
        )
        if found is not None:
            turn.made.consumed.append(found.signal_id)
            _over(turn, one, CompensationState.DONE, by=found.by)
        return
    fact = turn.facts.actions.get(one.action_id) if one.action_id is not None else None
    if fact is None or (fact.state not in FINAL_STATES and fact.state is not ActionState.UNKNOWN):
        return
    if fact.state in EFFECTIVE:
        _over(turn, one, CompensationState.DONE)
    elif fact.state is ActionState.MANUAL:
        _errand(turn, one)
    elif fact.state is ActionState.UNKNOWN:
        stall(turn, one, reasons.OUTCOME_UNKNOWN)
    elif fact.state in _FINAL_NO or one.tries >= TRIES:
        stall(turn, one, reasons.action_failed(fact))
    else:
        _later(turn, one, fact)


def _errand(turn: Turn, one: Compensation) -> None:
    """Nobody here can carry the compensation out: a person does, and says so."""
    assert one.deed is not None
    one.signal = f"{one.step}.undone"
    task, until = turn.run.derived(one.step, one.undoes, "undo-task"), turn.facts.now + PERSON_WITHIN
    turn.made.errands.append(Errand(task, one.step, "", one.signal, until, action_type=one.deed.action_type))
    turn.note("handed_over", one.step)


def _later(turn: Turn, one: Compensation, fact: ActionFact) -> None:
    one.until = turn.facts.now + AGAIN[min(one.tries, len(AGAIN)) - 1]
    turn.run.error = reasons.action_failed(fact)
    turn.note("undo_failed", one.step)


def _child(turn: Turn, one: Compensation) -> None:
    fact = turn.facts.children.get(one.undoes)
    if fact is None or fact.status in (FlowStatus.ROLLED_BACK, FlowStatus.CANCELLED):
        _over(turn, one, CompensationState.NOT_NEEDED if fact is None else CompensationState.DONE)
    elif fact.status is FlowStatus.NEEDS_ATTENTION and one.state is CompensationState.RUNNING:
        stall(turn, one, fact.error or reasons.CHILD_STUCK)
    elif one.state is CompensationState.RECORDED:
        one.state = CompensationState.RUNNING
        turn.made.to_children.append((one.undoes, "$rollback"))
        turn.note("undoing", one.step)


def _over(turn: Turn, one: Compensation, state: CompensationState, by: str = "") -> None:
    one.state, one.until = state, None
    turn.note("undone" if state is CompensationState.DONE else "nothing_to_undo", one.step, by)


def stall(turn: Turn, one: Compensation, reason: Reason) -> None:
    """Half-done, and only a person can say what holds."""
    one.state = CompensationState.FAILED
    turn.run.status, turn.run.failed_step, turn.run.error = FlowStatus.NEEDS_ATTENTION, one.step, reason
    turn.made.stalled = (one.step, reason)
    turn.note("needs_attention", one.step)
