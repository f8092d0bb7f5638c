"""The pages of policy work and of what effects left behind. They show trust's own messages as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from libs.contracts.policy import BundleDiff, PolicyBundle, Replay, ReplayChange, SuspendedAgent, Violation
from libs.contracts.receipts import OrphanEffect, ReconciliationRun, ToolReceipt


@dataclass(frozen=True)
class PolicyPage:
    template: ClassVar[str] = "policy.html"
    bundles: tuple[PolicyBundle, ...]
    may_propose: bool
    error: str = ""
    text: str = ""
    title: str = ""


@dataclass(frozen=True)
class ReplayShown:
    """A replay with the decisions that it would newly allow, one by one. `peak` is the busiest day, for the chart."""

    replay: Replay
    allowed: tuple[ReplayChange, ...]
    peak: int


@dataclass(frozen=True)
class PolicyBundlePage:
    template: ClassVar[str] = "policy_bundle.html"
    bundle: PolicyBundle
    diff: BundleDiff | None
    replays: tuple[ReplayShown, ...]
    may_propose: bool
    error: str = ""


@dataclass(frozen=True)
class ViolationsPage:
    template: ClassVar[str] = "violations.html"
    items: tuple[Violation, ...]
    suspended: tuple[SuspendedAgent, ...]
    policy: str = ""
    next_href: str = ""


@dataclass(frozen=True)
class ReceiptsPage:
    template: ClassVar[str] = "receipts.html"
    items: tuple[ToolReceipt, ...]
    runs: tuple[ReconciliationRun, ...]
    orphans: tuple[OrphanEffect, ...]
    next_href: str = ""


PolicyWork = PolicyPage | PolicyBundlePage | ViolationsPage | ReceiptsPage
