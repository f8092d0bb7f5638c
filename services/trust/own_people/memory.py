"""The tenant's own numbers in memory."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.briefs import BriefHours


class MemoryOwnPeople:
    def __init__(self, rows: dict[tuple[UUID, str], tuple[str, BriefHours | None]]) -> None:
        self._rows = rows

    async def put(self, tenant_id: UUID, person: str, mac: str, hours: BriefHours | None) -> None:
        self._rows[tenant_id, person] = (mac, hours)

    async def drop(self, tenant_id: UUID, person: str) -> None:
        self._rows.pop((tenant_id, person), None)

    async def hours_of(self, tenant_id: UUID, mac: str) -> list[BriefHours | None]:
        return [hours for (tenant, _), (own, hours) in self._rows.items() if (tenant, own) == (tenant_id, mac)]
