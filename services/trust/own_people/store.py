"""Storage of the tenant's own numbers: a part of the unit of work. The twin is in `memory.py`."""

from __future__ import annotations

import json
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.briefs import BriefHours


class OwnPeople(Protocol):
    """Within one transaction."""

    async def put(self, tenant_id: UUID, person: str, mac: str, hours: BriefHours | None) -> None:
        """A person's one number, over an earlier one."""
        ...

    async def drop(self, tenant_id: UUID, person: str) -> None: ...

    async def hours_of(self, tenant_id: UUID, mac: str) -> list[BriefHours | None]:
        """The hours of whoever has this number; none for a number that nobody has."""
        ...


class SqlOwnPeople:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def put(self, tenant_id: UUID, person: str, mac: str, hours: BriefHours | None) -> None:
        await self._c.execute(
            "insert into trust.own_numbers (tenant_id, person, mac, hours) values ($1, $2, $3, $4) on conflict (tenant_id, person) "
            "do update set mac = excluded.mac, hours = excluded.hours, changed_at = now()",
            tenant_id, person, mac, hours.model_dump_json() if hours else None,
        )  # fmt: skip

    async def drop(self, tenant_id: UUID, person: str) -> None:
        await self._c.execute("delete from trust.own_numbers where tenant_id = $1 and person = $2", tenant_id, person)

    async def hours_of(self, tenant_id: UUID, mac: str) -> list[BriefHours | None]:
        rows = await self._c.fetch(
            "select hours from trust.own_numbers where tenant_id = $1 and mac = $2", tenant_id, mac
        )
        return [_hours(row["hours"]) for row in rows]


def _hours(value: Any) -> BriefHours | None:
    if value is None:
        return None
    return BriefHours.model_validate(json.loads(value) if isinstance(value, str) else value)
