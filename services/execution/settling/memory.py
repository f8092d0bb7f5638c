"""Which action undoes which, in memory, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from libs.contracts.execution import ActionState
from services.execution.settling.store import Key

Become = Callable[[UUID, UUID, ActionState, ActionState, str], UUID | None]


class MemoryCompensations:
    """`become(tenant, action, from, to, detail)` moves a row and returns its grant; None where it was in another state."""

    def __init__(self, kept: dict[Key, UUID], become: Become) -> None:
        self._kept = kept
        self._become = become

    async def of(self, tenant_id: UUID, action_id: UUID) -> UUID | None:
        return self._kept.get((tenant_id, action_id))

    async def keep(self, tenant_id: UUID, action_id: UUID, by: UUID) -> None:
        self._kept[tenant_id, action_id] = by

    async def done(self, undoing: Sequence[Key]) -> list[Key]:
        undone = [(tenant, action, by) for (tenant, action), by in self._kept.items() if (tenant, by) in undoing]
        return [
            (tenant, action)
            for tenant, action, by in undone
            if self._become(tenant, action, ActionState.SUCCEEDED, ActionState.COMPENSATED, f"by {by}") is not None
        ]

    async def settle(self, tenant_id: UUID, action_id: UUID, state: str, detail: str) -> UUID | None:
        return self._become(tenant_id, action_id, ActionState.UNKNOWN, ActionState(state), detail)
