"""The steps that a flow declares. Builders are pure functions of the flow's typed state; nothing here runs by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from libs.contracts.message import Message
from libs.contracts.trust import ResourceRef

Built = Callable[[Any], dict[str, Any]]
"""From the typed state to a JSON object."""
PERSON_WITHIN = timedelta(days=14)


class Deed(Message):
    """A governed action as a step asks for it."""

    action_type: str
    resource: ResourceRef
    payload: dict[str, Any]
    reason: str = ""
    approval: str = ""
    """A reference to an approval that was given before, where there is one."""


class Answered(BaseModel):
    """What a person answers in an agent's place."""

    output: dict[str, Any]


class Done(BaseModel):
    """A person says that what the system can't do itself is done. `reference` is theirs: a contract's or envelope's number."""

    reference: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GoTo:
    """Go on at another step of the same row of steps; also a step of its own."""

    step: str


@dataclass(frozen=True, slots=True)
class Finish:
    """End the flow here, with an outcome in one word."""

    outcome: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """Undo what was done, in reverse."""


Otherwise = GoTo | Finish | RollBack | None
"""What follows when a step fails or its time is up; None fails the flow, for a person to decide."""


@dataclass(frozen=True, slots=True)
class Business:
    """Time of the tenant's business hours, without its days off and public holidays. With `next_day` it begins tomorrow."""

    minutes: int
    next_day: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A governed action. Parks by itself while approval is pending. `compensate` is built, and recorded, before the effect.

    `into` is the state's field that gets {action_id, state, vendor_id}. `refused` says what follows a refusal with a certain reason:
    another try in business time, or another step. `adopt` makes fields of the state from the payload as an approver has edited it.
    """

    name: str
    build: Callable[[Any], Deed]
    compensate: Callable[[Any], Deed] | None = None
    into: str | None = None
    on_failure: Otherwise = None
    refused: Mapping[str, Business | GoTo] = field(default_factory=dict)
    adopt: Callable[[Any, dict[str, Any]], dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to an agent; a person answers where the agent hands over. `into` is the state's field for the answer."""

    name: str
    agent: str
    build: Built
    into: str
    within: timedelta = PERSON_WITHIN
    on_timeout: Otherwise = None


@dataclass(frozen=True, slots=True)
class WaitFor:
    """A signal with a typed payload. `roles` may send it, empty for all who may submit; `into` is the state's field for the payload."""

    name: str
    signal: str
    within: timedelta
    payload: type[BaseModel]
    into: str | None = None
    roles: tuple[str, ...] = ()
    on_timeout: Otherwise = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """A length of time, of business time, or until a moment; also as the state says."""

    name: str
    lasts: timedelta | Business | Callable[[Any], timedelta | Business | datetime]


@dataclass(frozen=True, slots=True)
class Branch:
    """The first case that holds."""

    name: str
    cases: Sequence[tuple[Callable[[Any], bool], Sequence[Step]]]
    otherwise: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """All branches at once; goes on when every one has ended."""

    name: str
    branches: Mapping[str, Sequence[Step]]


@dataclass(frozen=True, slots=True)
class Call:
    """A child flow, to its end. `into` gets its {flow_id, outcome, state}."""

    name: str
    flow: str
    build: Built
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place that is told apart in the history; `change` computes fields of the state from the state."""

    name: str
    change: Built | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """A step that only says where it goes on."""

    name: str
    to: GoTo | Finish | RollBack


Step = Act | Ask | WaitFor | Sleep | Branch | Parallel | Call | Checkpoint | Jump


def act(
    name: str,
    build: Callable[[Any], Deed],
    compensate: Callable[[Any], Deed] | None = None,
    *,
    into: str | None = None,
    on_failure: Otherwise = None,
    refused: Mapping[str, Business | GoTo] = MappingProxyType({}),
    adopt: Callable[[Any, dict[str, Any]], dict[str, Any]] | None = None,
) -> Act:
    return Act(name, build, compensate, into, on_failure, refused, adopt)


def ask(
    name: str,
    agent: str,
    build: Built,
    into: str,
    *,
    within: timedelta = PERSON_WITHIN,
    on_timeout: Otherwise = None,
) -> Ask:
    return Ask(name, agent, build, into, within, on_timeout)


def wait_for(
    name: str,
    signal: str,
    payload: type[BaseModel],
    *,
    within: timedelta,
    into: str | None = None,
    roles: tuple[str, ...] = (),
    on_timeout: Otherwise = None,
) -> WaitFor:
    return WaitFor(name, signal, within, payload, into, roles, on_timeout)


def sleep(name: str, lasts: timedelta | Business | Callable[[Any], timedelta | Business | datetime]) -> Sleep:
    return Sleep(name, lasts)


def branch(name: str, *cases: tuple[Callable[[Any], bool], Sequence[Step]], otherwise: Sequence[Step] = ()) -> Branch:
    return Branch(name, cases, otherwise)


def parallel(name: str, **branches: Sequence[Step]) -> Parallel:
    return Parallel(name, branches)


def call(name: str, flow: str, build: Built, *, into: str | None = None) -> Call:
    return Call(name, flow, build, into)


def checkpoint(name: str, change: Built | None = None) -> Checkpoint:
    return Checkpoint(name, change)


def go_to(name: str, step: str) -> Jump:
    return Jump(name, GoTo(step))


def finish(name: str, outcome: str) -> Jump:
    return Jump(name, Finish(outcome))


def roll_back(name: str) -> Jump:
    return Jump(name, RollBack())


def days(number: float) -> timedelta:
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
