"""Which group a run is in, and when a canary has to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from libs.contracts.canaries import CanaryKind, Counts, Guardrails

ERRORS = frozenset({"failed", "unknown"})
DENIED = "refused"
ENDED = ERRORS | {DENIED, "succeeded", "not_sent", "compensated"}
"""Outcomes that count as a run: what waits for people or was cancelled says nothing about a version."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A canary that takes runs now."""

    canary_id: UUID
    kind: CanaryKind
    target: str
    version: str
    percent: int
    promoted: bool = False

    def takes(self, run_id: UUID) -> bool:
        """By the run's id and the canary's, so that every attempt of a run is in one group and two canaries draw different runs."""
        if self.promoted:
            return True
        drawn = int.from_bytes(sha256(self.canary_id.bytes + run_id.bytes).digest()[:4])
        return drawn % 100 < self.percent


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every tenant's canaries at one moment; replaced as a whole."""

    of: Mapping[UUID, Sequence[Taking]] = field(default_factory=dict)

    def find(self, tenant_id: UUID, kind: CanaryKind, target: str) -> Taking | None:
        return next((one for one in self.of.get(tenant_id, ()) if (one.kind, one.target) == (kind, target)), None)


def left_guardrails(rails: Guardrails, canary: Counts, baseline: Counts) -> str:
    """Why a canary has to end: `error_rate`, `deny_rate`, or nothing while it is inside, or has run too seldom to tell.

    Without baseline runs (a canary that takes everything) its own rates stand against zero.
    """
    if canary.runs < rails.min_runs:
        return ""
    if _points(canary.errors, canary) - _points(baseline.errors, baseline) > rails.max_error_points:
        return "error_rate"
    if _points(canary.denied, canary) - _points(baseline.denied, baseline) > rails.max_deny_points:
        return "deny_rate"
    return ""


def _points(count: int, counts: Counts) -> float:
    return 100 * count / counts.runs if counts.runs else 0.0
