"""A run: everything that is known of one flow, as it is kept in every revision; and what moving it needs and brings about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.business_time import Opening
from libs.contracts.execution import ActionState
from libs.contracts.flows import AgentAnswer, CompensationState, FlowStatus, WaitKind
from libs.contracts.message import Principal, Reason, derived_id
from services.execution.flows.domain.steps import Deed


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wait(_Kept):
    """What a token waits for. `data` is what the wait itself needs: an agent's question, a suggestion for the person."""

    kind: WaitKind
    ref: UUID | None = None
    signal: str | None = None
    until: datetime | None = None
    roles: tuple[str, ...] = ()
    tries: int = 0
    data: dict[str, Any] = Field(default_factory=dict)


class Token(_Kept):
    """One place where the run stands. `under` is the token that waits for it at a parallel step."""

    id: str
    at: str
    wait: Wait | None = None
    under: str | None = None
    joining: bool = False
    """At a parallel step, until its branches have ended."""


class Compensation(_Kept):
    """How a step is undone. `undoes` is the action, or the child flow, whose effect it takes back."""

    step: str
    undoes: UUID
    deed: Deed | None
    """None: `undoes` is a child flow, which is rolled back itself."""
    state: CompensationState = CompensationState.RECORDED
    confirmed: bool = False
    """The effect is known to have happened, by a person's word where the system could not do it."""
    action_id: UUID | None = None
    until: datetime | None = None
    signal: str | None = None
    tries: int = 0
    round: int = 0
    """How often a person has had it begun anew; every try is an action of its own."""


class Skip(_Kept):
    """A step that people are asked to let pass."""

    step: str
    action_id: UUID
    by: str


class Run(_Kept):
    tenant_id: UUID
    flow_id: UUID
    flow: str
    version: int
    principal: Principal
    status: FlowStatus = FlowStatus.RUNNING
    outcome: str = ""
    seq: int = 0
    state: dict[str, Any]
    tokens: list[Token] = Field(default_factory=list)
    compensations: list[Compensation] = Field(default_factory=list)
    irreversible: list[str] = Field(default_factory=list)
    """Steps that had an effect which can't be taken back and that declare no compensation."""
    visits: dict[str, int] = Field(default_factory=dict)
    failed_step: str | None = None
    error: Reason | None = None
    paused_from: FlowStatus | None = None
    skipping: Skip | None = None
    parent_id: UUID | None = None
    depth: int = 0
    started_at: datetime
    ended_at: datetime | None = None

    @property
    def key(self) -> tuple[UUID, UUID]:
        """What names a flow: its tenant and its id. Two tenants may choose the same id."""
        return self.tenant_id, self.flow_id

    def text(self) -> str:
        """The run as JSON, as it is kept. The fast library writes what pydantic would, and leaves to it what it does not know."""
        try:
            return orjson.dumps(self.__dict__, default=_fields, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:
            return self.model_dump_json()

    def copied(self) -> Run:
        """A run of its own to move. Only what the machine changes in place is copied: a deep copy costs more than the whole turn."""
        made = self.model_copy()
        made.tokens = [
            t.model_copy(update={"wait": t.wait.model_copy()}) if t.wait is not None else t.model_copy()
            for t in self.tokens
        ]
        made.compensations = [one.model_copy() for one in self.compensations]
        made.irreversible, made.visits = list(self.irreversible), dict(self.visits)
        return made

    def derived(self, *parts: object) -> UUID:
        """An id that follows from the flow: the same transition made again makes the same action, never a second one."""
        return derived_id(self.flow_id, *parts)

    def action_ids(self) -> list[UUID]:
        """Actions whose state matters to the next transition."""
        waited = [t.wait.ref for t in self.tokens if t.wait and t.wait.kind is WaitKind.ACTION and t.wait.ref]
        if self.skipping is not None:
            waited.append(self.skipping.action_id)
        if self.status is FlowStatus.ROLLING_BACK:
            open_ = [c for c in self.compensations if c.deed is not None]
            waited += [c.undoes for c in open_] + [c.action_id for c in open_ if c.action_id is not None]
        return waited

    def child_ids(self) -> list[UUID]:
        waited = [t.wait.ref for t in self.tokens if t.wait and t.wait.kind is WaitKind.CHILD and t.wait.ref]
        if self.status is FlowStatus.ROLLING_BACK:
            waited += [c.undoes for c in self.compensations if c.deed is None]
        return waited

    def wake_at(self) -> datetime | None:
        """When the clock alone moves the run; None when only an answer does."""
        if self.status is FlowStatus.RUNNING:
            moments = [t.wait.until for t in self.tokens if t.wait and t.wait.until]
        elif self.status is FlowStatus.ROLLING_BACK:
            moments = [c.until for c in self.compensations if c.until and c.state is CompensationState.RUNNING]
        else:
            moments = []
        return min(moments, default=None)


def _fields(value: object) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.__dict__
    raise TypeError


@dataclass(frozen=True, slots=True)
class ActionFact:
    state: ActionState
    reasons: tuple[Reason, ...] = ()
    error: str = ""
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class ChildFact:
    status: FlowStatus
    outcome: str
    state: dict[str, Any]
    error: Reason | None = None
    irreversible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """A kept signal that nothing has taken yet. Names that begin with `$` are the engine's own."""

    signal_id: UUID
    name: str
    payload: dict[str, Any]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """An agent's question that the run waits on."""

    token: str
    step: str
    agent: str
    input: dict[str, Any]


class Facts(NamedTuple):
    """What the world says about a run, read in the transaction that moves it."""

    now: datetime
    actions: Mapping[UUID, ActionFact] = MappingProxyType({})
    children: Mapping[UUID, ChildFact] = MappingProxyType({})
    signals: Sequence[Signal] = ()
    answers: Mapping[str, AgentAnswer | Reason] = MappingProxyType({})
    """By token. A Reason is a question that can't be answered at all."""
    silent: frozenset[str] = frozenset()
    """Tokens whose question decision did not answer: it is asked again later."""
    hours: Opening | None = None
    """The tenant's business hours; None where they are not known just now."""


class Revision(NamedTuple):
    """`text` is the whole run after it as JSON, written once and stored as it is."""

    seq: int
    note: str
    step: str
    by: str
    text: str

    @property
    def checkpoint(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.text)
        return made


@dataclass(frozen=True, slots=True)
class Submission:
    """An action to insert together with the transition. Compensations and skips are asked for by the flow itself."""

    action_id: UUID
    deed: Deed


@dataclass(frozen=True, slots=True)
class ChildStart:
    flow_id: UUID
    flow: str
    input: dict[str, Any]
    step: str


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that a person is asked to do; the run waits for `signal`."""

    task_id: UUID
    step: str
    role: str
    signal: str
    until: datetime | None
    agent: str | None = None
    action_type: str | None = None
    reason: Reason | None = None


@dataclass(slots=True)
class Transition:
    """What moving a run brings about; all of it commits together or not at all."""

    run: Run
    revisions: list[Revision] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    children: list[ChildStart] = field(default_factory=list)
    to_children: list[tuple[UUID, str]] = field(default_factory=list)
    withdrawn: list[UUID] = field(default_factory=list)
    """Actions to end if they have not left yet."""
    consumed: list[UUID] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    stalled: tuple[str, Reason] | None = None
    again: bool = False
    """There is more to do at once: the run used up its share of this turn."""
    wants_hours: bool = False
    """Something waits in business time, and the tenant's hours were not known."""
    text: str | None = None
    """The run as JSON where its last revision says it; None once something has changed that no revision tells of."""

    def written(self) -> str:
        """The run as JSON, as it is to be kept."""
        return self.run.text() if self.text is None else self.text

    def questions(self, now: datetime) -> list[Question]:
        """What agents are to be asked now."""
        if self.run.status is not FlowStatus.RUNNING:
            return []
        return [
            Question(t.id, t.at, t.wait.data["agent"], t.wait.data["input"])
            for t in self.run.tokens
            if t.wait and t.wait.kind is WaitKind.AGENT and (t.wait.until is None or t.wait.until <= now)
        ]
