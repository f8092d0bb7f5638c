"""Enforces canaries when an action runs: chooses the version that carries it out, and records the assignment before anything is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.canaries import Assigned, AssignRun, CanaryKind
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.agent_versions import agent_versions
from libs.contracts.trust import Decision, Outcome
from services.execution.canaries.domain import Snapshot, Taking
from services.execution.canaries.store import Run
from services.execution.connectors.base import Connector
from services.execution.domain.actions import Job

Versions = Mapping[tuple[CanaryKind, str], Mapping[str, Connector]]
"""What can carry out a task type or a connector's operations beside the usual, by version."""

Recorder = Callable[[Sequence[Run]], Awaitable[None]]
SHOWS = frozenset({Outcome.GRANTED, Outcome.REFUSED})
"""Decisions that say something about a version; what is parked or drafted has not run."""


async def unrecorded(_: Sequence[Run]) -> None:
    """Without a database there are no canaries, and nothing to record."""


class Canaries:
    """`snapshot` is what takes runs now; the watch replaces it as a whole."""

    def __init__(self, versions: Versions | None = None, recorder: Recorder = unrecorded) -> None:
        self._versions: Versions = versions or {}
        self.recorder = recorder
        self.snapshot = Snapshot()

    def known(self, kind: CanaryKind, target: str) -> list[str]:
        """Versions beside the usual one: of handlers and connectors those that run here, of agents those that were approved.

        Of models it is each tenant's own that count: `services/execution/models` says which.
        """
        if kind is CanaryKind.AGENT:
            return list(agent_versions().beside(target))
        return sorted(self._versions.get((kind, target), {}))

    async def assign(self, decided: Sequence[tuple[Job, Decision]]) -> None:
        """Give each action of a decided batch its version, and keep which group it was in.

        A version that this replica does not have runs as the baseline, and is recorded so.
        """
        runs = []
        for job, decision in decided:
            job.version = ""
            effect = effects().get(job.effect)
            if job.tenant_id not in self.snapshot.of or decision.outcome not in SHOWS or effect is None:
                continue
            kind, target = where(job.action_type, effect.connector)
            canary = self.snapshot.find(job.tenant_id, kind, target)
            if canary is None:
                continue
            if canary.takes(job.action_id) and canary.version in self._versions.get((kind, target), {}):
                job.version = canary.version
            runs.append(_run(job.tenant_id, job.action_id, job.attempt, canary, job.version))
        if runs:
            await self.recorder(runs)

    def chosen(self, job: Job, connector: str) -> Connector | None:
        """What carries out an action instead of the usual; None for the usual."""
        return self._versions[where(job.action_type, connector)][job.version] if job.version else None

    async def assign_run(self, asked: AssignRun) -> Assigned:
        """The version that a run of an agent or a model takes, on record before it is told."""
        canary = self.snapshot.find(asked.tenant_id, asked.kind, asked.target)
        if canary is None:
            return Assigned()
        version = canary.version if canary.takes(asked.run_id) else ""
        await self.recorder([_run(asked.tenant_id, asked.run_id, 1, canary, version)])
        return Assigned(version=version, recorded=True)


def where(task_type: str, connector: str) -> tuple[CanaryKind, str]:
    """What has versions for an action: inside it is the task's handler, outside the connector."""
    return (CanaryKind.HANDLER, task_type) if connector == "internal" else (CanaryKind.CONNECTOR, connector)


def versions_of(tasks: Mapping[str, Mapping[str, Connector]], vendors: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Every version beside the usual: of handlers as they were registered, of connectors after the first of one key."""
    out: dict[Any, dict[str, Any]] = {(CanaryKind.HANDLER, task): dict(found) for task, found in tasks.items()}
    usual: set[str] = set()
    for one in vendors:
        if one.profile.key in usual:
            out.setdefault((CanaryKind.CONNECTOR, one.profile.key), {})[one.profile.version] = one
        usual.add(one.profile.key)
    return out


def _run(tenant: UUID, run_id: UUID, attempt: int, canary: Taking, version: str) -> Run:
    return Run(tenant, canary.canary_id, run_id, attempt, "canary" if version else "baseline", version)
