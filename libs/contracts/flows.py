"""Messages about durable flows, which the execution plane owns: starting, looking, signalling, commanding."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Reason, TenantId, Text

MAX_PAYLOAD_BYTES = 256 * 1024
"""What a flow's input, its state or a signal may hold, as JSON."""

Name = Annotated[str, Field(min_length=1, max_length=100)]


class FlowStatus(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    """A step failed; what was done stands. A person retries, skips, rolls back or cancels."""
    ROLLING_BACK = "rolling_back"
    NEEDS_ATTENTION = "needs_attention"
    """A compensation failed: something is half-done, and only a person can say what holds."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"


ENDED = frozenset({FlowStatus.COMPLETED, FlowStatus.CANCELLED, FlowStatus.ROLLED_BACK})


class WaitKind(StrEnum):
    """What a step waits for; each has a row that owns the wait."""

    ACTION = "action"
    SIGNAL = "signal"
    TIMER = "timer"
    CHILD = "child"
    AGENT = "agent"
    PERSON = "person"


class FlowWait(Message):
    """Where a flow stands. `until` is when its clock goes on; None where only an answer does. `ref` is an action, child or task."""

    step: str
    kind: WaitKind
    until: datetime | None = None
    ref: UUID | None = None
    signal: str | None = None
    roles: tuple[str, ...] = ()


class CompensationState(StrEnum):
    RECORDED = "recorded"
    RUNNING = "running"
    DONE = "done"
    NOT_NEEDED = "not_needed"
    FAILED = "failed"
    SKIPPED = "skipped"


class FlowCompensation(Message):
    """How one step is undone; recorded before its effect. `action_id` is the governed action that undoes it, once there is one."""

    step: str
    undoes: UUID
    action_type: str
    state: CompensationState
    action_id: UUID | None = None
    tries: int = 0


class Flow(Message):
    """A flow as the API shows it."""

    flow_id: UUID
    tenant_id: TenantId
    flow: str
    version: int
    status: FlowStatus
    outcome: str = ""
    seq: int
    state: dict[str, Any]
    waits: tuple[FlowWait, ...] = ()
    compensations: tuple[FlowCompensation, ...] = ()
    failed_step: str | None = None
    error: Reason | None = None
    parent_id: UUID | None = None
    started_by: str
    created_at: datetime
    updated_at: datetime


class FlowRevision(Message):
    """One transition with the whole state after it. `note` is a code; `by` is empty where the clock or an answer moved the flow."""

    revision_id: UUID
    flow_id: UUID
    seq: int
    at: datetime
    note: str
    step: str = ""
    by: str = ""
    checkpoint: dict[str, Any]


class StartFlow(Message):
    """`flow_id` comes from the caller, so that a repeated start is the same flow."""

    principal: Principal
    flow_id: UUID
    flow: Name
    input: dict[str, Any]


class FlowToStart(Message):
    """One of several. `flow_id` comes from the caller, as for a single one."""

    flow_id: UUID
    flow: Name
    input: dict[str, Any]


class StartFlows(Message):
    principal: Principal
    items: Annotated[tuple[FlowToStart, ...], Field(min_length=1, max_length=1000)]


class FlowStarted(Message):
    """Kept, under this status; `error` instead means that nothing of this item is."""

    flow_id: UUID
    status: FlowStatus | None
    error: Reason | None = None


class FlowsStarted(Message):
    """In the order in which they were asked for."""

    results: tuple[FlowStarted, ...]


class FlowGet(Message):
    principal: Principal
    flow_id: UUID


class FlowsRequest(Message):
    principal: Principal
    flow: str | None = None
    status: FlowStatus | None = None
    page: Page = Page()


class FlowsReply(Message):
    items: tuple[Flow, ...]
    next_cursor: str | None = None


class RevisionsRequest(Message):
    principal: Principal
    flow_id: UUID
    page: Page = Page()


class RevisionsReply(Message):
    items: tuple[FlowRevision, ...]
    next_cursor: str | None = None


class SignalFlow(Message):
    """The same `signal_id` again changes nothing. A signal that nobody waits for yet is kept until somebody does."""

    principal: Principal
    flow_id: UUID
    signal_id: UUID
    name: Name
    payload: dict[str, Any] = {}


class FlowVerb(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ROLLBACK = "rollback"
    RETRY = "retry"
    SKIP = "skip"
    FORK = "fork"
    MIGRATE = "migrate"


class CommandFlow(Message):
    """`step` is for skip and fork; `new_id` is the fork's flow. The reply is the flow that the command made or changed."""

    principal: Principal
    flow_id: UUID
    verb: FlowVerb
    step: Annotated[str, Field(max_length=100)] | None = None
    new_id: UUID | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class FlowKind(Message):
    """A flow that can be started: its newest version and what its input looks like (JSON Schema)."""

    flow: str
    version: int
    horizon: str
    title: Text
    about: Text
    input_schema: dict[str, Any]
    signals: dict[str, dict[str, Any]]
    steps: tuple[str, ...]
    step_titles: dict[str, Text] = {}


class FlowKindsRequest(Message):
    principal: Principal


class FlowKindsReply(Message):
    items: tuple[FlowKind, ...]


class FlowStalled(Message):
    """A flow can't go on or can't be undone by itself; a person is needed."""

    tenant_id: TenantId
    flow_id: UUID
    flow: str
    status: FlowStatus
    step: str
    reason: Reason
    at: datetime


class AskAgent(Message):
    """A flow's question to an agent. Asking again is harmless: an answer has no effect of its own."""

    principal: Principal
    agent: Name
    input: dict[str, Any]


class AgentAnswer(Message):
    """What the agent's own provider answered; or that it hands over, to which role and why. Never both made up."""

    agent: str
    answered: bool
    output: dict[str, Any] = {}
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    to: str = ""
    reason: Reason | None = None


class TaskRequested(Message):
    """A flow waits for a person: `task_id` is the task that data keeps for them, `signal` what the flow wants to hear."""

    tenant_id: TenantId
    task_id: UUID
    flow_id: UUID
    principal: Principal
    title: Text
    body: Text
    role: str
    signal: str
    due_at: datetime | None
