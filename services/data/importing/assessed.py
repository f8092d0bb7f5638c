"""What trust said of people whom imports brought: on each lead, and whom to ask about yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from libs.runtime.database import BatchWork


class Assessed:
    """One transaction's view of it; `work` names the tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def to_assess(self, tenant_id: UUID, import_id: UUID) -> tuple[list[UUID], int]:
        """Contacts of an import of whom trust has said nothing yet, or nothing since what it judges by has changed. In the order in which
        they were written, so that each page asks about neighbours. And how many contacts there are in all."""
        rows = await self._c.fetch(
            "select l.contact_id from (select distinct contact_id from data.import_rows where tenant_id = $1 and import_id = $2 and outcome = 'merged' "
            "and contact_id is not null) w cross join lateral (select contact_id from data.leads where tenant_id = $1 and contact_id = w.contact_id "
            "and contactability = '{}' and deleted_at is null offset 0) l union "
            "select contact_id from data.leads where tenant_id = $1 and import_id = $2 and contactability = '{}' and contact_id is not null order by 1",
            tenant_id, import_id,
        )  # fmt: skip
        brought = await self._c.fetchval(
            "select count(distinct contact_id) from data.import_rows where tenant_id = $1 and import_id = $2",
            tenant_id, import_id,
        )  # fmt: skip
        return [row["contact_id"] for row in rows], brought

    async def brought(self, tenant_id: UUID, import_id: UUID) -> list[UUID]:
        """All contacts of an import, in the order in which they were written."""
        rows = await self._c.fetch(
            "select distinct contact_id from data.import_rows where tenant_id = $1 and import_id = $2 and contact_id is not null order by 1",
            tenant_id, import_id,
        )  # fmt: skip
        return [row["contact_id"] for row in rows]

    async def set_contactability(self, tenant_id: UUID, rows: Sequence[tuple[UUID, dict[str, str]]]) -> list[UUID]:
        """Keep what trust said. Returns the contacts of whom something else was said before."""
        alike: dict[str, list[UUID]] = {}
        for contact, channels in rows:
            alike.setdefault(json.dumps(channels), []).append(contact)
        changed: list[UUID] = []
        for states, contacts in alike.items():
            found = await self._c.fetch(
                # One by one, by index: of a list that has just been imported the planner knows nothing, and would go through all of it.
                "update data.leads set contactability = $3::jsonb where tenant_id = $1 and ctid = any(array(select l.ctid from unnest($2::uuid[]) "
                "w(id) cross join lateral (select ctid, contactability from data.leads where tenant_id = $1 and contact_id = w.id offset 0) l "
                "where l.contactability <> $3::jsonb)) returning contact_id",
                tenant_id, contacts, states,
            )  # fmt: skip
            changed += [row["contact_id"] for row in found]
        return changed

    async def confirm_later(self, tenant_id: UUID, import_id: UUID, seconds: float) -> None:
        """Put a finished import on the queue again, behind all that wait, for what need not be done at once."""
        await self._c.execute(
            "insert into data.import_queue (import_id, tenant_id, created_at, lease_until) select $1, $2, due, due from "
            "(select now() + make_interval(secs => $3) due) d on conflict do nothing",
            import_id, tenant_id, seconds,
        )  # fmt: skip

    async def somebody_waits(self) -> bool:
        """Whether there is an import that nobody has in hand."""
        found = "select exists (select 1 from data.import_queue where lease_until is null or lease_until < now())"
        return bool(await self._c.fetchval(found))
