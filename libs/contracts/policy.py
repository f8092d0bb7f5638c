"""Messages of policy work, owned by the trust plane: bundles, explanations, replays, violations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId
from libs.contracts.trust import Decision, Evaluation

Version = Annotated[str, Field(max_length=64)]
"""A bundle's version: hex SHA-256 of its text."""
MOST_TEXT = 200_000


class ActivationMode(StrEnum):
    """Whether a bundle takes over all decisions, or those of a share of actions first."""

    FULL = "full"
    CANARY = "canary"


class PolicyRule(Message):
    """One policy of a bundle. `origin` is `platform` or `tenant`; `text` is Cedar."""

    id: str
    origin: str
    effect: str
    mode: str
    en: str
    ar: str
    text: str


class PolicyBundle(Message):
    """A version of a tenant's policies.

    `state` is `proposed`, `shadow`, `canary`, `active`, `retired` or `rolled_back`. `settings` says how a canary or a shadow runs,
    `measured` what it has seen so far.
    """

    version: str
    state: str
    title: str
    platform_version: str
    proposed_by: str
    proposed_at: datetime | None
    changed_at: datetime | None
    settings: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    additions: str = ""
    rules: tuple[PolicyRule, ...] = ()


class BundlesRequest(Message):
    principal: Principal
    page: Page = Page()


class BundlesReply(Message):
    items: tuple[PolicyBundle, ...]
    next_cursor: str | None = None


class BundleRequest(Message):
    """`version` may be `active`."""

    principal: Principal
    version: str


class ProposeBundle(Message):
    """`text` is either a tenant's additions, which may only forbid, or a whole bundle with every platform policy unchanged."""

    principal: Principal
    text: Annotated[str, Field(max_length=MOST_TEXT)]
    title: Annotated[str, Field(max_length=200)] = ""


class BundleDiffRequest(Message):
    """`against` left out means the bundle in force."""

    principal: Principal
    version: str
    against: str | None = None


class BundleDiff(Message):
    """What changes from `before` to `after`, policy by policy and as a unified text diff."""

    before: str
    after: str
    added: tuple[PolicyRule, ...]
    removed: tuple[PolicyRule, ...]
    changed: tuple[PolicyRule, ...]
    text: str


class ShadowBundle(Message):
    """Compare live decisions with what this bundle would say; `on` false ends it."""

    principal: Principal
    version: Version
    on: bool = True


class Band(Message):
    """Where a canary has to stay. Rates are shares of the canary's own decisions, judged once it has made `min_decisions`."""

    max_deny_rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_approvals_per_hour: Annotated[float, Field(ge=0)] = 100.0
    min_decisions: Annotated[int, Field(ge=1, le=100_000)] = 20


class PrepareActivation(Message):
    """Asks for what an approver will be shown; nothing is activated by it."""

    principal: Principal
    version: Version
    replay_id: UUID
    mode: ActivationMode = ActivationMode.FULL
    percent: Annotated[int, Field(ge=1, le=99)] = 10
    band: Band = Band()


class PreparedActivation(Message):
    """The payload of the `policy_activate` action: what is approved is exactly this."""

    payload: dict[str, Any]


class ExplainRequest(Message):
    """`version` left out means the bundle in force for this evaluation."""

    principal: Principal
    evaluation: Evaluation
    version: str | None = None


class ExplainReply(Message):
    """`question` is the closed record of facts that policies looked at; `policies` are those that decided, with their text."""

    decision: Decision
    question: dict[str, Any]
    policies: tuple[PolicyRule, ...]


class ReplayRequest(Message):
    """Decide again, under `bundle`, what was decided from `since` until `until`."""

    principal: Principal
    bundle: Version
    since: datetime
    until: datetime


class ReplayGet(Message):
    principal: Principal
    replay_id: UUID


class ReplaysRequest(Message):
    principal: Principal
    bundle: str | None = None
    page: Page = Page()


class Replay(Message):
    """A replay and its progress. `report` and its `sha256` are there once `state` is `done`."""

    replay_id: UUID
    bundle: str
    base: str
    since: datetime
    until: datetime
    state: str
    done: int
    total: int
    requested_by: str
    requested_at: datetime
    report: dict[str, Any] = {}
    sha256: str = ""


class ReplaysReply(Message):
    items: tuple[Replay, ...]
    next_cursor: str | None = None


class ReplayChangesRequest(Message):
    """`kind` is `newly_allowed`, `newly_blocked`, `newly_parked` or nothing for all."""

    principal: Principal
    replay_id: UUID
    kind: str | None = None
    page: Page = Page()


class ReplayChange(Message):
    """One decision that would be another."""

    seq: int
    kind: str
    action_id: UUID
    attempt: int
    effect: str
    subject: str
    decided_at: datetime
    before: str
    after: str
    policies: tuple[str, ...]


class ReplayChangesReply(Message):
    items: tuple[ReplayChange, ...]
    next_cursor: str | None = None


class ViolationsRequest(Message):
    principal: Principal
    actor: str | None = None
    policy: str | None = None
    page: Page = Page()


class Violation(Message):
    """An attempt that policy refused."""

    violation_id: UUID
    tenant_id: TenantId
    action_id: UUID
    effect: str
    actor: str
    mode: str
    codes: tuple[str, ...]
    reasons_en: tuple[str, ...]
    reasons_ar: tuple[str, ...]
    policy_version: str
    at: datetime


class SuspendedAgent(Message):
    agent: str
    blocked: int
    until: datetime


class ViolationsReply(Message):
    """`suspended` are agents that are suspended now, for three blocked attempts within ten minutes."""

    items: tuple[Violation, ...]
    suspended: tuple[SuspendedAgent, ...] = ()
    next_cursor: str | None = None
