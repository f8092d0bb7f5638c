"""Canaries: a new version of a handler, connector, agent or model for a share of one tenant's runs, judged beside the rest."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId

Target = Annotated[str, Field(min_length=1, max_length=100)]
Version = Annotated[str, Field(min_length=1, max_length=60)]
Percent = Annotated[int, Field(ge=1, le=100)]


class CanaryKind(StrEnum):
    """What has versions. Policies have canaries of their own, in trust."""

    HANDLER = "handler"
    CONNECTOR = "connector"
    AGENT = "agent"
    MODEL = "model"


class CanaryState(StrEnum):
    """`running` takes its share; `promoted` takes everything; `stopped` by a person and `rolled_back` by itself take nothing."""

    RUNNING = "running"
    PROMOTED = "promoted"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled_back"


class CanaryChange(StrEnum):
    """Another share, everything, nothing."""

    RESIZE = "resize"
    PROMOTE = "promote"
    STOP = "stop"


class Group(StrEnum):
    CANARY = "canary"
    BASELINE = "baseline"


class RunOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"


class Guardrails(Message):
    """When a canary ends by itself: over the last `window_minutes`, with at least `min_runs` of its own, when its error rate is more
    than `max_error_points` or its deny rate more than `max_deny_points` percentage points above the baseline's."""

    window_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    min_runs: Annotated[int, Field(ge=1, le=100_000)] = 50
    max_error_points: Annotated[float, Field(ge=0, le=100)] = 5.0
    max_deny_points: Annotated[float, Field(ge=0, le=100)] = 10.0


class Counts(Message):
    """Runs that have ended inside the window, and how."""

    runs: int = 0
    errors: int = 0
    denied: int = 0


class Canary(Message):
    """`canary` and `baseline` count the runs of each group as they are now; `why` says what ended it."""

    canary_id: UUID
    tenant_id: TenantId
    kind: CanaryKind
    target: str
    version: str
    percent: int
    state: CanaryState
    guardrails: Guardrails
    canary: Counts
    baseline: Counts
    reason: str
    started_by: str
    started_at: datetime
    changed_by: str
    changed_at: datetime
    why: str = ""


class StartCanary(Message):
    """`canary_id` comes from the gateway, so that a repeated request starts one canary."""

    principal: Principal
    canary_id: UUID
    kind: CanaryKind
    target: Target
    version: Version
    percent: Percent
    guardrails: Guardrails = Guardrails()
    reason: Annotated[str, Field(max_length=2000)] = ""


class CanaryGet(Message):
    principal: Principal
    canary_id: UUID


class ChangeCanary(Message):
    """`percent` goes with `resize`."""

    principal: Principal
    canary_id: UUID
    change: CanaryChange
    percent: Percent | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""


class CanariesRequest(Message):
    principal: Principal
    state: CanaryState | None = None
    kind: CanaryKind | None = None
    page: Page = Page()


class CanariesReply(Message):
    items: tuple[Canary, ...]
    next_cursor: str | None = None


class CanaryRun(Message):
    """One assignment: which group a run was in, and how it ended; `outcome` is empty while it has not."""

    run_id: UUID
    attempt: int
    group: Group
    version: str
    at: datetime
    outcome: str = ""


class CanaryRunsRequest(Message):
    principal: Principal
    canary_id: UUID
    page: Page = Page()


class CanaryRunsReply(Message):
    items: tuple[CanaryRun, ...]
    next_cursor: str | None = None


class AssignRun(Message):
    """Decision asks which version of an agent or a model a run takes. The same run gets the same answer while the canary runs."""

    tenant_id: TenantId
    kind: CanaryKind
    target: Target
    run_id: UUID


class Assigned(Message):
    """`version` is empty where the usual one runs; `recorded` says that a canary is on and wants to hear how the run ended."""

    version: str = ""
    recorded: bool = False


class ReportRun(Message):
    """How such a run ended."""

    tenant_id: TenantId
    run_id: UUID
    outcome: RunOutcome
