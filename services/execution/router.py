"""Which handler answers a task type, and what effect it has. Plugins register here too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import core_effects, effects, normalise

Handler = Callable[[UUID, dict[str, Any]], Awaitable[dict[str, Any]]]


class TaskRouter:
    """Task types and their handlers. A request's label picks a handler; the handler's registered effect decides everything else."""

    def __init__(self) -> None:
        self._effects: dict[str, str] = {}
        self._handlers: dict[str, Handler] = {}
        self._versions: dict[str, dict[str, Handler]] = {}

    def register(self, task_type: str, handler: Handler | None = None, *, effect: str | None = None) -> None:
        """Register a task type. Without a handler the effect's connector does the work.

        Raises ValueError for an unknown effect or a task type that is taken.
        """
        name = normalise(task_type)
        effect = effect or name
        if effect not in effects():
            raise ValueError(f"{task_type} has an unknown effect {effect}")
        if name in self._effects:
            raise ValueError(f"{task_type} is registered twice")
        self._effects[name] = effect
        if handler is not None:
            self._handlers[name] = handler

    def register_version(self, task_type: str, version: str, handler: Handler) -> None:
        """Another version of an internal task's handler, for canaries; the registered one stays the usual.

        Raises ValueError for a task type without a handler, and for a version that is taken.
        """
        name = normalise(task_type)
        if name not in self._handlers:
            raise ValueError(f"{task_type} has no handler that could have versions")
        if version in self._versions.setdefault(name, {}):
            raise ValueError(f"{task_type} has two handlers of version {version}")
        self._versions[name][version] = handler

    @property
    def versions(self) -> dict[str, dict[str, Handler]]:
        """Handlers beside the usual ones, by task type and version."""
        return self._versions

    @property
    def registered(self) -> dict[str, str]:
        """Task types to effects."""
        return self._effects

    def internal(self) -> dict[str, Handler]:
        """Handlers of effects that stay inside, by task type: two tasks may have the same effect."""
        return {
            name: handler
            for name, handler in self._handlers.items()
            if effects()[self._effects[name]].connector == "internal"
        }


async def record_only(_: UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """An internal effect whose whole effect is its own record: the ledger's entry and the receipt."""
    return {"recorded": True, "fields": sorted(payload)}


def catalogue_router() -> TaskRouter:
    """Every effect of the catalogue under its own name. Blocked ones too: trust refuses them and says why. Plugins register theirs."""
    router = TaskRouter()
    for name, effect in core_effects().items():
        router.register(name, record_only if effect.connector == "internal" else None)
    return router
