"""Transfers on record, in memory."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID


class MemoryTransfers:
    def __init__(self, rows: set[tuple[UUID, str]]) -> None:
        self._rows = rows

    async def safeguarded(self, asked: Set[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
        return self._rows & set(asked)

    def record(self, tenant_id: UUID, connector: str) -> None:
        """A transfer is entered in the registers, which are not in memory."""
        self._rows.add((tenant_id, connector))
