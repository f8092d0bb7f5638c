"""The machine: from a run and what is known now to the run after it. Pure: the clock comes in, what is to happen goes out.

A turn goes on until every token waits for something or the run has ended. What it brings about is told in a `Transition` and done by
whoever commits it; ids follow from the flow, so that a turn made twice submits nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from libs.contracts.execution import FINAL_STATES, ActionState
from libs.contracts.flows import MAX_PAYLOAD_BYTES, FlowStatus, WaitKind
from libs.contracts.message import Reason
from services.execution.flows.domain import reasons
from services.execution.flows.domain.definition import Definition, irreversible
from services.execution.flows.domain.following import edited, performed, refused
from services.execution.flows.domain.resting import rest, woke
from services.execution.flows.domain.run import (
    ActionFact,
    ChildStart,
    Compensation,
    Errand,
    Facts,
    Revision,
    Run,
    Submission,
    Token,
    Transition,
    Wait,
)
from services.execution.flows.domain.sizes import json_size
from services.execution.flows.domain.steps import (
    PERSON_WITHIN,
    Act,
    Ask,
    Branch,
    Business,
    Call,
    Checkpoint,
    Deed,
    Finish,
    GoTo,
    Jump,
    Otherwise,
    Parallel,
    RollBack,
    Sleep,
    WaitFor,
)

TURN = 200
"""Steps in one turn; a run that wants more goes on in the next, so that no flow keeps others waiting."""
MAX_VISITS = 1000
"""How often one step may be entered: a loop that never waits ends here instead of never."""
SILENCE = (2, 5, 15, 60)
EFFECTIVE = frozenset({ActionState.SUCCEEDED, ActionState.DRAFTED, ActionState.COMPENSATED})


class StepFailed(Exception):
    """A step can't be done; the reason goes into the run."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


class Turn:
    """One turn over a copy of the run; the original stays as it is. A `spent` run is moved itself: nobody looks at it again."""

    def __init__(self, definition: Definition, run: Run, facts: Facts, *, spent: bool = False) -> None:
        self.definition = definition
        self.run = run if spent else run.copied()
        self.facts = facts
        self.made = Transition(self.run)

    # -- keeping track -----------------------------------------------------------------------------------------------------------

    def note(self, note: str, step: str = "", by: str = "") -> None:
        """Append a revision: the whole run as it is now."""
        self.run.seq += 1
        self.made.text = self.run.text()
        self.made.revisions.append(Revision(self.run.seq, note, step, by, self.made.text))

    def unnoted(self) -> None:
        """Something changes that is no transition: how often and until when a wait goes on. It is kept with the run alone."""
        self.made.text = None

    def state(self) -> Any:
        return self.definition.state.model_validate(self.run.state)

    def change(self, fields: dict[str, Any]) -> None:
        """Put fields into the state. Raises StepFailed when they do not fit it, or it grows too large."""
        try:
            made = self.definition.state.model_validate({**self.run.state, **fields}).model_dump(mode="json")
        except ValidationError as error:
            raise StepFailed(reasons.unfit_state(error)) from error
        if json_size(made) > MAX_PAYLOAD_BYTES:
            raise StepFailed(reasons.STATE_TOO_LARGE)
        self.run.state = made

    def built(self, build: Callable[[Any], Any]) -> Any:
        """What a declaration's builder makes of the state. Raises StepFailed when it can't."""
        try:
            return build(self.state())
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(reasons.not_built(error)) from error

    # -- the turn ----------------------------------------------------------------------------------------------------------------

    def forward(self) -> Transition:
        """Move every token as far as it goes now."""
        left = TURN
        while self.run.status is FlowStatus.RUNNING and left:
            before = self.run.seq
            if self._ended_by_signal():
                break
            for token in list(self.run.tokens):
                if token not in self.run.tokens or token.joining or self.run.status is not FlowStatus.RUNNING:
                    continue
                try:
                    self._move(token)
                except StepFailed as error:
                    self.fail(token, error.reason, getattr(self.definition.step(token.at), "on_failure", None))
            left -= 1
            if self.run.seq == before:
                break
        self.made.again = self.run.status is FlowStatus.RUNNING and (self.made.again or not left)
        return self.made

    def _ended_by_signal(self) -> bool:
        for signal in self.facts.signals:
            if signal.name in self.definition.ends_on and signal.signal_id not in self.made.consumed:
                self.made.consumed.append(signal.signal_id)
                self.finish(signal.name, by=signal.by)
                return True
        return False

    def _move(self, token: Token) -> None:
        if token.wait is None:
            self._enter(token)
            return
        match token.wait.kind:
            case WaitKind.ACTION:
                self._action(token, token.wait)
            case WaitKind.SIGNAL | WaitKind.PERSON:
                self._signal(token, token.wait)
            case WaitKind.TIMER:
                self._timer(token, token.wait)
            case WaitKind.CHILD:
                self._child(token, token.wait)
            case WaitKind.AGENT:
                self._answer(token, token.wait)

    # -- entering a step -----------------------------------------------------------------------------------------------------------

    def _enter(self, token: Token) -> None:
        step = self.definition.step(token.at)
        visit = self.run.visits[step.name] = self.run.visits.get(step.name, 0) + 1
        if visit > MAX_VISITS:
            raise StepFailed(reasons.ENDLESS)
        match step:
            case Act():
                self._submit(token, step, visit)
            case Ask():
                data = {"agent": step.agent, "input": self.built(step.build)}
                token.wait = Wait(kind=WaitKind.AGENT, data=data)
                self.note("asked", step.name)
            case WaitFor():
                until = self.facts.now + step.within
                token.wait = Wait(kind=WaitKind.SIGNAL, signal=step.signal, until=until, roles=step.roles)
                self.note("waiting", step.name)
            case Sleep():
                self._sleep(token, step)
                self.note("sleeping", step.name)
            case Call():
                child = self.run.derived(step.name, visit, "child")
                self.made.children.append(ChildStart(child, step.flow, self.built(step.build), step.name))
                undo = Compensation(step=step.name, undoes=child, deed=None)
                self.run.compensations.append(undo)
                token.wait = Wait(kind=WaitKind.CHILD, ref=child)
                self.note("called", step.name)
            case Branch():
                label = next((str(n) for n, (holds, _) in enumerate(step.cases) if self.built(holds)), "otherwise")
                self.to(token, self.definition.nodes[step.name].first[label], "branched", step.name)
            case Parallel():
                self._split(token, step)
            case Checkpoint():
                if step.change is not None:
                    self.change(self.built(step.change))
                self.leave(token, "checkpoint")
            case Jump():
                self.otherwise(token, step.to, "went")

    def _submit(self, token: Token, step: Act, visit: int) -> None:
        deed: Deed = self.built(step.build)
        action_id = self.run.derived(step.name, visit)
        if step.compensate is not None:
            # On record before the effect: whatever becomes of it, how to undo it is known.
            undo = Compensation(step=step.name, undoes=action_id, deed=self.built(step.compensate))
            self.run.compensations.append(undo)
        self.made.submissions.append(Submission(action_id, deed))
        token.wait = Wait(kind=WaitKind.ACTION, ref=action_id, data={"action_type": deed.action_type})
        self.note("submitted", step.name)

    def _sleep(self, token: Token, step: Sleep) -> None:
        lasts = self.built(step.lasts) if callable(step.lasts) else step.lasts
        if isinstance(lasts, Business):
            rest(self, token, lasts)
        else:
            until = self.facts.now + lasts if isinstance(lasts, timedelta) else lasts
            token.wait = Wait(kind=WaitKind.TIMER, until=until)

    def _timer(self, token: Token, wait: Wait) -> None:
        if "minutes" in wait.data:
            if not woke(self, token, wait):
                return
            if wait.data["again"]:
                token.wait = None
                self.note("again", token.at)
                return
        elif wait.until is None or self.facts.now < wait.until:
            return
        self.leave(token, "woke")

    def _split(self, token: Token, step: Parallel) -> None:
        token.joining = True
        for label, first in self.definition.nodes[step.name].first.items():
            if first is not None:
                self.run.tokens.append(Token(id=f"{token.id}.{step.name}.{label}", at=first, under=token.id))
        self.note("split", step.name)
        self._join(token)

    # -- what a wait brings --------------------------------------------------------------------------------------------------------

    def _action(self, token: Token, wait: Wait) -> None:
        step = self.definition.step(token.at)
        if isinstance(step, Act) and edited(self, token, step, wait):
            return
        fact = self.facts.actions.get(wait.ref) if wait.ref is not None else None
        if fact is None or not isinstance(step, Act) or fact.state not in FINAL_STATES:
            return  # parked, under way, or unknown until it is read back
        if fact.state in EFFECTIVE:
            self._performed(token, step, fact)
        elif fact.state is ActionState.MANUAL:
            self._errand(token, f"{step.name}.done", PERSON_WITHIN, role="", action_type=wait.data.get("action_type"))
            self.note("handed_over", step.name)
        elif not refused(self, token, step, fact):
            self.fail(token, reasons.action_failed(fact), step.on_failure)

    def _performed(self, token: Token, step: Act, fact: ActionFact) -> None:
        wait = token.wait
        action_type = str(wait.data.get("action_type", "")) if wait else ""
        performed(self, step)
        if step.compensate is None and irreversible(action_type) and step.name not in self.run.irreversible:
            self.run.irreversible.append(step.name)
        if step.into is not None and wait is not None:
            result = {"action_id": str(wait.ref), "state": fact.state.value, "vendor_id": fact.vendor_id}
            self.change({step.into: result})
        self.leave(token, "performed")

    def _errand(
        self,
        token: Token,
        signal: str,
        within: timedelta,
        *,
        role: str,
        agent: str | None = None,
        action_type: str | None = None,
        reason: Reason | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Hand a step to a person, and wait for their word."""
        task = self.run.derived(token.at, self.run.visits.get(token.at, 1), "task")
        until = self.facts.now + within
        self.made.errands.append(Errand(task, token.at, role, signal, until, agent, action_type, reason))
        kept = {**(data or {}), "action_type": action_type, "action_id": str(token.wait.ref) if token.wait else ""}
        token.wait = Wait(kind=WaitKind.PERSON, ref=task, signal=signal, until=until, data=kept)

    def _signal(self, token: Token, wait: Wait) -> None:
        step = self.definition.step(token.at)
        found = next(
            (s for s in self.facts.signals if s.name == wait.signal and s.signal_id not in self.made.consumed), None
        )
        if found is None:
            if wait.until is not None and self.facts.now >= wait.until:
                self.fail(token, reasons.TIMED_OUT, getattr(step, "on_timeout", None), note="timed_out")
            return
        self.made.consumed.append(found.signal_id)
        if isinstance(step, WaitFor):
            if step.into is not None:
                self.change({step.into: _payload(step.payload, found.payload)})
        elif isinstance(step, Ask):
            self.change({step.into: found.payload.get("output", {})})
        elif isinstance(step, Act):
            for one in self.run.compensations:
                if str(one.undoes) == wait.data.get("action_id"):
                    one.confirmed = True
            if step.into is not None:
                result = {"action_id": wait.data.get("action_id", ""), "state": "manual", "vendor_id": ""}
                self.change({step.into: {**result, "vendor_id": str(found.payload.get("reference", ""))}})
        self.leave(token, "signalled", by=found.by)

    def _child(self, token: Token, wait: Wait) -> None:
        step = self.definition.step(token.at)
        fact = self.facts.children.get(wait.ref) if wait.ref is not None else None
        if fact is None or not isinstance(step, Call):
            return
        if fact.status is FlowStatus.COMPLETED:
            self.run.irreversible += [f"{step.name}/{inner}" for inner in fact.irreversible]
            if step.into is not None:
                self.change({step.into: {"flow_id": str(wait.ref), "outcome": fact.outcome, "state": fact.state}})
            self.leave(token, "child_ended")
        elif fact.status in (FlowStatus.CANCELLED, FlowStatus.ROLLED_BACK):
            self.fail(token, reasons.child_ended(step.flow, fact.status), None)

    def _answer(self, token: Token, wait: Wait) -> None:
        step = self.definition.step(token.at)
        if not isinstance(step, Ask):
            return
        if token.id in self.facts.silent:
            self.unnoted()
            wait.tries += 1
            wait.until = self.facts.now + timedelta(seconds=SILENCE[min(wait.tries, len(SILENCE)) - 1])
            return
        answer = self.facts.answers.get(token.id)
        if answer is None:
            return
        if isinstance(answer, Reason):
            self.fail(token, answer, None)
        elif answer.answered:
            self.change({step.into: answer.output})
            self.leave(token, "answered")
        else:
            suggestion = {"suggestion": answer.output, "agent": step.agent}
            self._errand(
                token, f"{step.name}.answered", step.within, role=answer.to, agent=step.agent, reason=answer.reason,
                data=suggestion,
            )  # fmt: skip
            self.note("handed_over", step.name)

    # -- leaving a step ------------------------------------------------------------------------------------------------------------

    def leave(self, token: Token, note: str, by: str = "") -> None:
        """The step is done: on to what follows it."""
        self.to(token, self.definition.nodes[token.at].next, note, token.at, by)

    def to(self, token: Token, target: str | None, note: str, step: str, by: str = "") -> None:
        if target is not None:
            token.at, token.wait = target, None
            self.note(note, step, by)
            return
        self.run.tokens.remove(token)
        self.note(note, step, by)
        if token.under is None:
            self.finish("done")
            return
        parent = next((t for t in self.run.tokens if t.id == token.under), None)
        if parent is not None:
            self._join(parent)

    def _join(self, parent: Token) -> None:
        if not any(t.under == parent.id for t in self.run.tokens):
            parent.joining = False
            self.leave(parent, "joined")

    def finish(self, outcome: str, by: str = "") -> None:
        """End the flow: what still waits is withdrawn."""
        self.withdraw()
        self.run.status, self.run.outcome, self.run.ended_at = FlowStatus.COMPLETED, outcome, self.facts.now
        self.note("completed", by=by)

    def withdraw(self) -> None:
        """Take every token away, with the actions that have not left and the children that have not ended."""
        for token in self.run.tokens:
            if token.wait is not None and token.wait.ref is not None:
                if token.wait.kind is WaitKind.ACTION:
                    self.made.withdrawn.append(token.wait.ref)
                elif token.wait.kind is WaitKind.CHILD:
                    self.made.to_children.append((token.wait.ref, "$cancel"))
        self.run.tokens = []

    def fail(self, token: Token, reason: Reason, then: Otherwise, *, note: str = "failed") -> None:
        """A step failed or its time is up: as the step declares, else the flow stops for a person."""
        if then is not None:
            self.run.error = reason
            self.otherwise(token, then, note)
            return
        self.run.status, self.run.failed_step, self.run.error = FlowStatus.FAILED, token.at, reason
        self.made.stalled = (token.at, reason)
        self.note(note, token.at)

    def otherwise(self, token: Token, then: GoTo | Finish | RollBack, note: str) -> None:
        if isinstance(then, GoTo):
            self.to(token, then.step, note, token.at)
        elif isinstance(then, Finish):
            self.note(note, token.at)
            self.finish(then.outcome)
        else:
            self.note(note, token.at)
            self.undo()

    def undo(self, by: str = "") -> None:
        """Begin to roll back; `undoing` goes on from here."""
        self.withdraw()
        self.run.status, self.run.failed_step, self.run.ended_at = FlowStatus.ROLLING_BACK, None, None
        self.note("rolling_back", by=by)


def _payload(kind: type[BaseModel], payload: dict[str, Any]) -> dict[str, Any]:
    try:
        return kind.model_validate(payload).model_dump(mode="json")
    except ValidationError as error:
        raise StepFailed(reasons.unfit_state(error)) from error
