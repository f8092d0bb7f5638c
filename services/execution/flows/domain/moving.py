"""Everything that moves a run: its own turn, and what people command. Each raises a typed refusal and changes nothing, or answers
with a transition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from libs.contracts.execution import FINAL_STATES
from libs.contracts.flows import ENDED, CompensationState, FlowStatus, FlowVerb, WaitKind
from libs.contracts.message import Principal, Reason
from libs.contracts.trust import ResourceRef
from services.execution.flows.domain import reasons
from services.execution.flows.domain.definition import MAX_DEPTH, Definition
from services.execution.flows.domain.machine import EFFECTIVE, Turn
from services.execution.flows.domain.run import Facts, Revision, Run, Skip, Submission, Token, Transition
from services.execution.flows.domain.steps import Deed
from services.execution.flows.domain.undoing import backward, stall
from services.execution.flows.errors import (
    BadInput,
    ForkInsideParallel,
    Irreversible,
    NothingToMigrate,
    NotNow,
    RollbackTooLate,
    StepNeeded,
    StepNeverRan,
    StepNotHere,
    TooDeep,
)

SKIP = "flow_step_skip"
"""The registered effect of letting a step pass: it needs an approver, as every effect of its kind."""
MAY: dict[FlowVerb, frozenset[FlowStatus]] = {
    FlowVerb.PAUSE: frozenset({FlowStatus.RUNNING, FlowStatus.ROLLING_BACK}),
    FlowVerb.RESUME: frozenset({FlowStatus.PAUSED}),
    FlowVerb.CANCEL: frozenset({FlowStatus.RUNNING, FlowStatus.PAUSED, FlowStatus.FAILED}),
    FlowVerb.ROLLBACK: frozenset({FlowStatus.RUNNING, FlowStatus.PAUSED, FlowStatus.FAILED, FlowStatus.COMPLETED}),
    FlowVerb.RETRY: frozenset({FlowStatus.FAILED, FlowStatus.NEEDS_ATTENTION}),
    FlowVerb.SKIP: frozenset({FlowStatus.RUNNING, FlowStatus.FAILED, FlowStatus.NEEDS_ATTENTION}),
    FlowVerb.MIGRATE: frozenset({FlowStatus.RUNNING, FlowStatus.PAUSED, FlowStatus.FAILED}),
}


def begin(
    definition: Definition,
    principal: Principal,
    flow_id: UUID,
    given: dict[str, Any],
    now: datetime,
    *,
    parent_id: UUID | None = None,
    depth: int = 0,
) -> Transition:
    """A new run, at its first step and not further.

    Raises BadInput when the input does not fit, TooDeep for a child of too many.
    """
    if depth > MAX_DEPTH:
        raise TooDeep(MAX_DEPTH)
    try:
        asked = definition.input.model_validate(given)
    except ValidationError as error:
        raise BadInput("input", "المدخل", error) from error
    kept = asked if definition.input is definition.state else definition.state.model_validate(asked.model_dump())
    state = kept.model_dump(mode="json")
    assert definition.first is not None
    run = Run(
        tenant_id=principal.tenant_id, flow_id=flow_id, flow=definition.name, version=definition.version, principal=principal,
        state=definition.owned(state, flow_id), tokens=[Token(id="0", at=definition.first)], parent_id=parent_id, depth=depth, started_at=now,
        seq=1,
    )  # fmt: skip
    text = run.text()
    return Transition(run, [Revision(1, "started", "", principal.id, text)], text=text)


def advance(definition: Definition, run: Run, facts: Facts, *, spent: bool = False) -> Transition:
    """Move a run as far as it goes with what is known now. A `spent` run is moved itself instead of a copy."""
    was = run.status
    turn = Turn(definition, run, facts, spent=spent)
    _obey_parent(turn)
    _pass_over(turn)
    if turn.run.status is FlowStatus.RUNNING:
        turn.forward()
    if turn.run.status is FlowStatus.ROLLING_BACK:
        if was is FlowStatus.ROLLING_BACK:
            backward(turn)
        else:
            turn.made.again = True  # what there is to undo was not asked about in this turn
    return turn.made


def _obey_parent(turn: Turn) -> None:
    """What the engine told a child on behalf of its parent."""
    for signal in turn.facts.signals:
        if signal.name == "$cancel":
            turn.made.consumed.append(signal.signal_id)
            if turn.run.status in MAY[FlowVerb.CANCEL]:
                _cancel(turn, "parent")
        elif signal.name == "$rollback":
            turn.made.consumed.append(signal.signal_id)
            if turn.run.status in MAY[FlowVerb.ROLLBACK]:
                turn.undo("parent")


def _pass_over(turn: Turn) -> None:
    """Let a step pass once people have approved it; forget the wish when they have not."""
    wish = turn.run.skipping
    fact = turn.facts.actions.get(wish.action_id) if wish is not None else None
    if wish is None or fact is None or fact.state not in FINAL_STATES:
        return
    turn.run.skipping = None
    if fact.state not in EFFECTIVE:
        turn.note("skip_refused", wish.step)
        return
    if turn.run.status is FlowStatus.NEEDS_ATTENTION:
        for one in turn.run.compensations:
            if one.step == wish.step and one.state is CompensationState.FAILED:
                one.state = CompensationState.SKIPPED
        turn.run.status, turn.run.failed_step, turn.run.error = FlowStatus.ROLLING_BACK, None, None
        turn.note("skipped", wish.step, wish.by)
        return
    token = next((t for t in turn.run.tokens if t.at == wish.step and not t.joining), None)
    if token is None or turn.run.status not in (FlowStatus.RUNNING, FlowStatus.FAILED):
        turn.note("skip_came_late", wish.step)
        return
    if token.wait is not None and token.wait.kind is WaitKind.ACTION and token.wait.ref is not None:
        turn.made.withdrawn.append(token.wait.ref)
    turn.run.status, turn.run.failed_step, turn.run.error = FlowStatus.RUNNING, None, None
    turn.leave(token, "skipped", wish.by)


def command(
    definition: Definition, run: Run, facts: Facts, verb: FlowVerb, by: Principal, *, step: str | None = None
) -> Transition:
    """Do what a person commands, except forking and migrating. Raises NotNow, Irreversible, RollbackTooLate, StepNotHere, StepNeeded."""
    if run.status not in MAY[verb]:
        raise NotNow(verb, run.status)
    turn = Turn(definition, run, facts)
    now = turn.run
    match verb:
        case FlowVerb.PAUSE:
            now.paused_from, now.status = now.status, FlowStatus.PAUSED
            turn.note("paused", by=by.id)
        case FlowVerb.RESUME:
            now.status, now.paused_from = now.paused_from or FlowStatus.RUNNING, None
            turn.note("resumed", by=by.id)
        case FlowVerb.CANCEL:
            _cancel(turn, by.id)
        case FlowVerb.ROLLBACK:
            _may_roll_back(definition, turn)
            turn.undo(by.id)
        case FlowVerb.RETRY:
            _retry(turn, by.id)
        case _:
            _ask_to_skip(turn, by, step)
    return turn.made


def _cancel(turn: Turn, by: str) -> None:
    turn.withdraw()
    turn.run.status, turn.run.outcome, turn.run.ended_at = FlowStatus.CANCELLED, "cancelled", turn.facts.now
    turn.note("cancelled", by=by)


def _may_roll_back(definition: Definition, turn: Turn) -> None:
    run = turn.run
    if run.irreversible:
        raise Irreversible(run.irreversible)
    window = definition.rollback_within
    if window is not None and run.ended_at is not None and turn.facts.now > run.ended_at + window:
        raise RollbackTooLate(int(window.total_seconds() // 3600))


def _retry(turn: Turn, by: str) -> None:
    run = turn.run
    if run.status is FlowStatus.NEEDS_ATTENTION:
        for one in run.compensations:
            if one.state is CompensationState.FAILED:
                # Under way again where its action may still have had its effect; from its beginning otherwise.
                unknown = run.error is not None and run.error.code == reasons.OUTCOME_UNKNOWN.code and one.action_id
                one.state = CompensationState.RUNNING if unknown else CompensationState.RECORDED
                if not unknown:
                    one.tries, one.round = 0, one.round + 1
        run.status = FlowStatus.ROLLING_BACK
    else:
        for token in run.tokens:
            if token.at == run.failed_step and not token.joining:
                token.wait = None
        run.status = FlowStatus.RUNNING
    step, run.failed_step, run.error = run.failed_step or "", None, None
    turn.note("retried", step, by)


def _ask_to_skip(turn: Turn, by: Principal, step: str | None) -> None:
    """Ask people to let a step pass: a governed action of its own."""
    run = turn.run
    wanted = step or run.failed_step
    if wanted is None:
        raise StepNeeded
    here = run.failed_step == wanted or any(t.at == wanted and not t.joining for t in run.tokens)
    if not here:
        raise StepNotHere(wanted)
    action_id = run.derived("skip", wanted, run.seq)
    deed = Deed(
        action_type=SKIP, resource=ResourceRef(type="flow", id=str(run.flow_id)),
        payload={"flow": run.flow, "flow_id": str(run.flow_id), "step": wanted, "asked_by": by.id},
        reason=f"Let the step {wanted} of {run.flow} pass without its effect",
    )  # fmt: skip
    run.skipping = Skip(step=wanted, action_id=action_id, by=by.id)
    turn.made.submissions.append(Submission(action_id, deed))
    turn.note("skip_asked", wanted, by.id)


def fork(
    definition: Definition,
    run: Run,
    history: Sequence[Revision],
    step: str,
    flow_id: UUID,
    by: Principal,
    now: datetime,
) -> Transition:
    """A new run from where a step began, under whoever asks.

    Raises StepNeverRan, or ForkInsideParallel for a step that can't stand alone.
    """
    node = definition.nodes.get(step)
    found = next((one for one in reversed(history) if node is not None and _stands(one, step)), None)
    if node is None or found is None:
        raise StepNeverRan(step)
    if node.group is not None:
        raise ForkInsideParallel(step, node.group)
    made = Run(
        tenant_id=run.tenant_id, flow_id=flow_id, flow=run.flow, version=run.version, principal=by,
        state=definition.owned(found.checkpoint["state"], flow_id), tokens=[Token(id="0", at=step)], started_at=now,
    )  # fmt: skip
    turn = Turn(definition, made, Facts(now))
    turn.note(f"forked_from:{run.flow_id}", step, by.id)
    return turn.made


def _stands(revision: Revision, step: str) -> bool:
    """Whether the run stood at a step when a revision was made."""
    return any(token["at"] == step for token in revision.checkpoint["tokens"])


def migrate(newest: Definition, run: Run, facts: Facts, by: Principal) -> Transition:
    """Bring a waiting run to the newest version, on purpose.

    Raises NotNow, NothingToMigrate when no migration leads there or a step where the run stands is gone.
    """
    if run.status not in MAY[FlowVerb.MIGRATE]:
        raise NotNow(FlowVerb.MIGRATE, run.status)
    way = newest.flow.migrations.get(run.version)
    label = f"{run.flow}@{run.version}"
    if way is None or newest.version <= run.version:
        raise NothingToMigrate(label)
    turn = Turn(newest, run, facts)
    try:
        state = newest.state.model_validate(way.state(run.state)).model_dump(mode="json")
    except ValidationError as error:
        raise NothingToMigrate(label) from error
    for token in turn.run.tokens:
        token.at = way.steps.get(token.at, token.at)
        if token.at not in newest.nodes:
            raise NothingToMigrate(label)
    turn.run.state, turn.run.version = state, newest.version
    turn.note(f"migrated_from:{run.version}", by=by.id)
    return turn.made


def not_accepted(
    definition: Definition, made: Transition, action_id: UUID, reason: Reason, now: datetime
) -> Transition:
    """The same transition when one of its actions can't be an action at all: its step fails, or its compensation needs a person."""
    turn = Turn(definition, made.run, Facts(now))
    made.run, made.text, made.submissions = (
        turn.run,
        None,
        [one for one in made.submissions if one.action_id != action_id],
    )
    turn.made = made
    if turn.run.skipping is not None and turn.run.skipping.action_id == action_id:
        turn.run.skipping = None
    for one in turn.run.compensations:
        if one.action_id == action_id and one.state is CompensationState.RUNNING:
            stall(turn, one, reason)
    for token in list(turn.run.tokens):
        if token.wait is not None and token.wait.ref == action_id:
            token.wait = None
            turn.fail(token, reason, getattr(definition.step(token.at), "on_failure", None))
    made.again = turn.run.status in (FlowStatus.RUNNING, FlowStatus.ROLLING_BACK)
    return made


def ended(run: Run) -> bool:
    return run.status in ENDED
