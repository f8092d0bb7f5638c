"""Incidents in PostgreSQL. The system's are the platform's rows; what people write is their tenant's, also about those."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.catalogue.words import word
from libs.contracts.incidents import Incident, IncidentEntry, IncidentKind, Severity
from libs.contracts.message import PLATFORM, Text, new_id
from services.operating.domain.incidents import Trouble

_COLUMNS = "incident_id, tenant_id, kind, severity, subject, title_en, title_ar, opened_at, ended_at"
_RELEASES = (
    "select version, array_agg(plane order by plane) as planes, min(first_seen_at) as at from operating.releases "
    "where first_seen_at between $1::timestamptz - interval '1 hour' and coalesce($2::timestamptz, now()) group by version order by at"
)


class IncidentRows:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def page(self, tenant: UUID, *, open: bool | None, before: UUID | None, limit: int) -> list[Incident]:
        rows = await self._c.fetch(
            f"select {_COLUMNS} from operating.incidents where tenant_id in ($1, $2) and ($3::boolean is null or (ended_at is null) = $3) "
            "and ($4::uuid is null or incident_id < $4) order by incident_id desc limit $5",
            tenant, PLATFORM, open, before, limit,
        )  # fmt: skip
        return [_incident(row, tenant) for row in rows]

    async def get(self, tenant: UUID, incident_id: UUID, *, lock: bool = False) -> Incident | None:
        row = await self._c.fetchrow(
            f"select {_COLUMNS} from operating.incidents where incident_id = $1 and tenant_id in ($2, $3){' for update' if lock else ''}",
            incident_id, tenant, PLATFORM,
        )  # fmt: skip
        return _incident(row, tenant) if row else None

    async def timeline(self, tenant: UUID, incident: Incident) -> list[IncidentEntry]:
        """What was seen, what the tenant's people wrote, and releases that were new shortly before or while it lasted."""
        rows = await self._c.fetch(
            "select at, kind, by, en, ar from operating.incident_entries where incident_id = $1 and tenant_id in ($2, $3) order by at, entry_id",
            incident.incident_id, tenant, PLATFORM,
        )  # fmt: skip
        entries = [IncidentEntry(**row) for row in rows]
        for row in await self._c.fetch(_RELEASES, incident.opened_at, incident.ended_at):
            named = [word("plane_name", plane) for plane in row["planes"]]
            en, ar = ", ".join(one.en for one in named), "، ".join(one.ar for one in named)
            entries.append(
                IncidentEntry(
                    at=row["at"],
                    kind="release",
                    by="system",
                    en=f"{row['version']} first seen: {en}",
                    ar=f"ظهر {row['version']} لأول مرة: {ar}",
                )
            )
        return sorted(entries, key=lambda one: one.at)

    async def open(self, tenant: UUID, trouble: Trouble, by: str) -> UUID:
        incident_id = new_id()
        await self._c.execute(
            "insert into operating.incidents (tenant_id, incident_id, kind, severity, subject, title_en, title_ar, opened_at, opened_by) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant, incident_id, trouble.kind.value, trouble.severity.value, trouble.subject, trouble.title.en, trouble.title.ar, trouble.since, by,
        )  # fmt: skip
        return incident_id

    async def add(self, tenant: UUID, incident_id: UUID, kind: str, by: str, said: Text, at: Any = None) -> None:
        await self._c.execute(
            "insert into operating.incident_entries (tenant_id, entry_id, incident_id, at, kind, by, en, ar) "
            "values ($1, $2, $3, coalesce($4, now()), $5, $6, $7, $8)",
            tenant, new_id(), incident_id, at, kind, by, said.en, said.ar,
        )  # fmt: skip

    async def end(self, incident_id: UUID, at: Any = None) -> None:
        await self._c.execute(
            "update operating.incidents set ended_at = greatest(opened_at, coalesce($2, now())) where incident_id = $1",
            incident_id,
            at,
        )

    async def seen(self) -> dict[tuple[str, str], tuple[UUID, str]]:
        """Open incidents that the system opened: by kind and subject, with the severity that they have."""
        rows = await self._c.fetch(
            "select incident_id, kind, subject, severity from operating.incidents where tenant_id = $1 and ended_at is null",
            PLATFORM,
        )
        return {(row["kind"], row["subject"]): (row["incident_id"], row["severity"]) for row in rows}

    async def worsen(self, incident_id: UUID, severity: Severity) -> None:
        await self._c.execute(
            "update operating.incidents set severity = $2 where incident_id = $1", incident_id, severity.value
        )


def _incident(row: Any, tenant: UUID) -> Incident:
    return Incident(
        incident_id=row["incident_id"], kind=IncidentKind(row["kind"]), severity=Severity(row["severity"]), subject=row["subject"],
        title=Text(en=row["title_en"], ar=row["title_ar"]), opened_at=row["opened_at"], ended_at=row["ended_at"],
        own=row["tenant_id"] == tenant,
    )  # fmt: skip
