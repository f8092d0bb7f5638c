"""Which bundle decides what, at this moment: one immutable snapshot, replaced as a whole.

Deciding a batch asks without waiting in between, so that no batch sees two snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.trust.bundles.domain import in_canary
from services.trust.domain.policy import Answer, Bundle, Question

Whose = tuple[UUID, UUID]
"""A tenant and an action of it."""


@dataclass(frozen=True, slots=True)
class Canary:
    bundle: Bundle
    percent: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Tenants that are not named are under the platform's policies alone."""

    active: Mapping[UUID, Bundle] = field(default_factory=dict)
    canary: Mapping[UUID, Canary] = field(default_factory=dict)


class Bundles:
    """What decides. `switch` is the only change."""

    def __init__(self, platform: Bundle) -> None:
        self.platform = platform
        self._snapshot = Snapshot()

    def switch(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def of(self, whose: Whose) -> Bundle:
        """The bundle for an action."""
        tenant, action = whose
        canary = self._snapshot.canary.get(tenant)
        if canary is not None and in_canary(action, canary.percent):
            return canary.bundle
        return self._snapshot.active.get(tenant, self.platform)

    def ask(self, whose: Sequence[Whose], questions: Sequence[Question]) -> list[Answer]:
        """Decide each question under its own bundle."""
        groups: dict[str, tuple[Bundle, list[int]]] = {}
        for at, one in enumerate(whose):
            bundle = self.of(one)
            groups.setdefault(bundle.version, (bundle, []))[1].append(at)
        answers: dict[int, Answer] = {}
        for bundle, places in groups.values():
            answers |= zip(places, bundle.ask([questions[at] for at in places]), strict=True)
        return [answers[at] for at in range(len(questions))]
