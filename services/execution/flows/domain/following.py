"""What an action brings besides success and failure: an edit that takes its place, and refusals that a step has an answer to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from libs.contracts.execution import ActionState
from services.execution.flows.domain import reasons
from services.execution.flows.domain.resting import rest
from services.execution.flows.domain.run import ActionFact, Token, Wait
from services.execution.flows.domain.steps import Act, GoTo

if TYPE_CHECKING:
    from services.execution.flows.domain.machine import Turn

EDITED = "$edited"
"""The engine's own signal: people edited the action that a step waits for, and another took its place."""
MOST_AGAIN = 20
"""How often in a row one step may be refused and tried again: a cap that never lifts ends here, with a person."""


def edited(turn: Turn, token: Token, step: Act, wait: Wait) -> bool:
    """Follow the action that took the place of the one waited for: people edited what it asks, and are asked about that."""
    was = str(wait.ref)
    waiting = (one for one in turn.facts.signals if one.name == EDITED and one.signal_id not in turn.made.consumed)
    found = next((one for one in waiting if one.payload.get("was") == was), None)
    if found is None:
        return False
    turn.made.consumed.append(found.signal_id)
    wait.ref = UUID(found.payload["action_id"])
    for one in turn.run.compensations:
        one.undoes = wait.ref if str(one.undoes) == was else one.undoes
    if step.adopt is not None:
        adopt, payload = step.adopt, found.payload["payload"]
        turn.change(turn.built(lambda state: adopt(state, payload)))
    turn.note("edited", step.name, found.by)
    turn.made.again = True  # what has become of the other one was not asked about in this turn
    return True


def refused(turn: Turn, token: Token, step: Act, fact: ActionFact) -> bool:
    """Do what a step declares for the reason of a refusal. False where it declares nothing, or has been refused too often in a row."""
    counted, visits = _counted(step), turn.run.visits
    if fact.state is not ActionState.REFUSED or visits.get(counted, 0) >= MOST_AGAIN:
        return False
    then = next((step.refused[one.code] for one in fact.reasons if one.code in step.refused), None)
    if then is None:
        return False
    visits[counted] = visits.get(counted, 0) + 1
    turn.run.error = reasons.action_failed(fact)
    if isinstance(then, GoTo):
        turn.to(token, then.step, "asked_anew", step.name)
        return True
    rest(turn, token, then, again=True)
    turn.note("postponed", step.name)
    return True


def performed(turn: Turn, step: Act) -> None:
    """The step got through: refusals before it count no more."""
    if turn.run.visits.pop(_counted(step), 0):
        turn.run.error = None


def _counted(step: Act) -> str:
    return f"{step.name}:again"
