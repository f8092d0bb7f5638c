"""A flow as it is declared, compiled into a table of steps, and the set of all that this version of the plane knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.contracts.catalogue.actions import effects, normalise
from services.execution.flows.domain.steps import (
    Act,
    Answered,
    Ask,
    Branch,
    Call,
    Done,
    GoTo,
    Parallel,
    Sleep,
    Step,
    WaitFor,
)

MAX_DEPTH = 8
"""How deep child flows may nest."""


class Typed(BaseModel):
    """Base of inputs, states and payloads: closed to fields nobody declared."""

    model_config = ConfigDict(extra="forbid")


class DeclarationError(ValueError):
    """A flow is declared wrongly; the message names it. Raised at start, never while a flow runs."""


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled step: what follows it, and the parallel step whose branch it is in."""

    step: Step
    next: str | None
    group: str | None
    first: Mapping[str, str | None] = field(default_factory=dict)
    """First steps of a branch's cases or a parallel's branches, by label; None where they are empty."""


@dataclass(frozen=True, slots=True)
class Migration:
    """How a waiting flow of an older version becomes one of this version: its state, and steps that have another name now."""

    state: Callable[[dict[str, Any]], dict[str, Any]]
    steps: Mapping[str, str] = field(default_factory=dict)


I = TypeVar("I", bound=Typed)  # noqa: E741 - the usual letter of a type variable
S = TypeVar("S", bound=Typed)


class Flow(Generic[S]):
    """Base of declarations: `class Onboarding(Flow[State], name="onboarding", version=1)` with `input` and `steps`.

    `input` is what a start gives; every field of it is one of the state, whose further fields have defaults. `ends_on` names signals
    that end the flow wherever it stands. `own_id` is the state's field that holds the flow's own id. `rollback_within` limits how long after its end it may be rolled back.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    horizon: ClassVar[str] = "short"
    input: ClassVar[type[Typed]]
    state: ClassVar[type[Typed]]
    steps: ClassVar[Sequence[Step]]
    ends_on: ClassVar[Mapping[str, type[BaseModel]]] = {}
    own_id: ClassVar[str | None] = None
    rollback_within: ClassVar[timedelta | None] = None
    migrations: ClassVar[Mapping[int, Migration]] = {}

    def __init_subclass__(cls, *, name: str = "", version: int = 0, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name:
            cls.name, cls.version = name, version


class Definition:
    """A compiled flow.

    Raises DeclarationError for a step name used twice, a jump to nowhere, an unknown action type, an unknown field.
    """

    def __init__(self, flow: type[Flow[Any]]) -> None:
        self.flow = flow
        self.name, self.version = flow.name, flow.version
        self.input, self.state = flow.input, flow.state
        self.ends_on = flow.ends_on
        self.rollback_within = flow.rollback_within
        self.nodes: dict[str, Node] = {}
        self.first = self._compile(flow.steps, None, None)
        self._check()

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    def _compile(self, steps: Sequence[Step], after: str | None, group: str | None) -> str | None:
        """Add a row of steps; returns its first, or `after` when it is empty."""
        following = [*[step.name for step in steps[1:]], after]
        for step, then in zip(steps, following, strict=True) if steps else ():
            if step.name in self.nodes:
                raise DeclarationError(f"{self.label}: the step {step.name} is declared twice")
            first: dict[str, str | None] = {}
            self.nodes[step.name] = Node(step, then, group, first)
            if isinstance(step, Branch):
                for number, (_, inner) in enumerate(step.cases):
                    first[str(number)] = self._compile(inner, then, group)
                first["otherwise"] = self._compile(step.otherwise, then, group)
            elif isinstance(step, Parallel):
                for label, inner in step.branches.items():
                    first[label] = self._compile(inner, None, step.name)
        return steps[0].name if steps else after

    def _check(self) -> None:
        if self.first is None:
            raise DeclarationError(f"{self.label} has no steps")
        missing = set(self.input.model_fields) - set(self.state.model_fields)
        if missing:
            raise DeclarationError(f"{self.label}: the state lacks {sorted(missing)} of the input")
        if self.flow.own_id is not None and self.flow.own_id not in self.state.model_fields:
            raise DeclarationError(f"{self.label}: the state lacks {self.flow.own_id}")
        for node in self.nodes.values():
            step = node.step
            for target in _targets(step):
                if target not in self.nodes or self.nodes[target].group != node.group:
                    raise DeclarationError(f"{self.label}: {step.name} goes to {target}, which is not beside it")
            into = getattr(step, "into", None)
            if into is not None and into not in self.state.model_fields:
                raise DeclarationError(f"{self.label}: {step.name} writes {into}, which the state does not have")

    def step(self, name: str) -> Step:
        return self.nodes[name].step

    def signals(self) -> dict[str, tuple[type[BaseModel], tuple[str, ...]]]:
        """Every signal that the flow can hear: its payload's type, and who may send it (empty: all who may submit)."""
        out: dict[str, tuple[type[BaseModel], tuple[str, ...]]] = {
            name: (kind, ()) for name, kind in self.ends_on.items()
        }
        for node in self.nodes.values():
            step = node.step
            if isinstance(step, WaitFor):
                out[step.signal] = (step.payload, step.roles)
            elif isinstance(step, Ask):
                out[f"{step.name}.answered"] = (Answered, ())
            elif isinstance(step, Act):
                out[f"{step.name}.done"] = (Done, ())
                if step.compensate is not None:
                    out[f"{step.name}.undone"] = (Done, ())
        return out

    def owned(self, state: dict[str, Any], flow_id: UUID) -> dict[str, Any]:
        """A state with the flow's own id where the declaration wants it."""
        return state if self.flow.own_id is None else {**state, self.flow.own_id: str(flow_id)}

    def children(self) -> Iterator[str]:
        for node in self.nodes.values():
            if isinstance(node.step, Call):
                yield node.step.flow

    def waits(self) -> Iterator[Step]:
        """Steps that may last."""
        for node in self.nodes.values():
            if isinstance(node.step, Act | Ask | WaitFor | Sleep | Call):
                yield node.step


def _targets(step: Step) -> Iterator[str]:
    for name in ("on_timeout", "on_failure", "to"):
        target = getattr(step, name, None)
        if isinstance(target, GoTo):
            yield target.step
    for then in getattr(step, "refused", {}).values():
        if isinstance(then, GoTo):
            yield then.step


class Definitions:
    """All definitions by name and version.

    Raises DeclarationError for a name and version declared twice, a child that nobody declared, or children in a circle.
    """

    def __init__(self, flows: Sequence[type[Flow[Any]]]) -> None:
        self._all: dict[tuple[str, int], Definition] = {}
        for flow in flows:
            made = Definition(flow)
            if (made.name, made.version) in self._all:
                raise DeclarationError(f"{made.label} is declared twice")
            self._all[made.name, made.version] = made
        for made in self._all.values():
            self._walk(made.name, ())

    def _walk(self, name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise DeclarationError(f"flows call each other in a circle: {' > '.join((*path, name))}")
        if len(path) >= MAX_DEPTH:
            raise DeclarationError(f"flows nest deeper than {MAX_DEPTH}: {' > '.join((*path, name))}")
        found = [made for (known, _), made in self._all.items() if known == name]
        if not found:
            raise DeclarationError(f"{path[-1]} calls {name}, which nobody declared")
        for made in found:
            for child in made.children():
                self._walk(child, (*path, name))

    def newest(self, name: str) -> Definition | None:
        versions = [version for known, version in self._all if known == name]
        return self._all[name, max(versions)] if versions else None

    def get(self, name: str, version: int) -> Definition | None:
        return self._all.get((name, version))

    def missing(self, live: set[tuple[str, int]]) -> list[str]:
        """What is live and not known here, as `name@version`."""
        return sorted(f"{name}@{version}" for name, version in live - set(self._all))

    def __iter__(self) -> Iterator[Definition]:
        names = sorted({name for name, _ in self._all})
        return (made for name in names if (made := self.newest(name)) is not None)


def irreversible(action_type: str) -> bool:
    """Whether what an action did can't be taken back: it leaves the system and the catalogue says R3."""
    effect = effects().get(normalise(action_type))
    return effect is None or (effect.external and effect.reversibility == "R3")
