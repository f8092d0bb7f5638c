"""Storage of the matrix: readings, the failures that somebody owns, and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.controls import Control
from libs.contracts.compliance import Attestation, Reading
from libs.contracts.message import Text
from services.trust.compliance.domain.judge import Failure

SYSTEM = "system:trust"

_NEWEST = """
select l.control_id, l.checked_at as looked_at, r.* from trust.control_looks l
join trust.control_readings r on r.tenant_id = l.tenant_id and r.control_id = l.control_id and r.checked_at = l.reading_at
where l.tenant_id = $1 and ($2::text is null or l.control_id = $2)
"""
_ATTESTATIONS = """
select attestation_id, control_id, applies, statement, file_name, media_type, sha256, length(body) as bytes, valid_until, attested_by, attested_at
from trust.control_attestations where tenant_id = $1 and ($2::text is null or control_id = $2) order by attested_at desc, attestation_id desc
"""

RIYADH_DAYS = "select set_config('timezone', 'Asia/Riyadh', true)"
"""In a check's transaction: `current_date`, and the day of a moment, are those of Riyadh, where what is due today was entered. Sessions keep UTC."""


class ControlRows:
    """One tenant's rows, within one transaction."""

    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def now(self) -> datetime:
        at: datetime = await self._c.fetchval("select now()")
        return at

    async def newest(self) -> dict[str, Reading]:
        """The newest reading of each control, with the time of the newest look."""
        rows = await self._c.fetch(_NEWEST, self._tenant, None)
        return {row["control_id"]: _reading(row, row["looked_at"]) for row in rows}

    async def last(self, control_id: str) -> Reading | None:
        """One control's newest reading: a sweep looks at each of a tenant's controls in turn, and reads no other's for it."""
        row = await self._c.fetchrow(_NEWEST, self._tenant, control_id)
        return _reading(row, row["looked_at"]) if row is not None else None

    async def history(self, control_id: str, limit: int) -> list[Reading]:
        rows = await self._c.fetch(
            "select * from trust.control_readings where tenant_id = $1 and control_id = $2 order by checked_at desc limit $3",
            self._tenant, control_id, limit,
        )  # fmt: skip
        return [_reading(row, row["checked_at"]) for row in rows]

    async def keep(self, reading: Reading, before: Reading | None) -> None:
        """Keep a look. History gets a row only where it says something else than the one before."""
        changed = before is None or before.evolve(checked_at=reading.checked_at) != reading
        if changed:
            await self._c.execute(
                "insert into trust.control_readings (tenant_id, control_id, checked_at, result, rows, failing, unclear, sample, why_en, why_ar, "
                "catalogue_version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
                self._tenant, reading.control_id, reading.checked_at, reading.result.value, reading.rows, reading.failing, reading.unclear,
                list(reading.sample), reading.why.en, reading.why.ar, reading.catalogue_version,
            )  # fmt: skip
        await self._c.execute(
            "insert into trust.control_looks (tenant_id, control_id, checked_at, reading_at) values ($1, $2, $3, $3) "
            "on conflict (tenant_id, control_id) do update set checked_at = excluded.checked_at, "
            "reading_at = case when $4 then excluded.reading_at else control_looks.reading_at end",
            self._tenant, reading.control_id, reading.checked_at, changed,
        )  # fmt: skip

    async def failures(self) -> dict[str, Failure]:
        rows = await self._c.fetch(
            "select control_id, owner, since, due_at from trust.control_failures where tenant_id = $1", self._tenant
        )
        return {row["control_id"]: Failure(row["owner"], row["since"], row["due_at"]) for row in rows}

    async def begin_failure(self, control: Control, owner: str, due_at: datetime) -> bool:
        """Open a failure; False when it is open already."""
        made = await self._c.fetchval(
            "insert into trust.control_failures (tenant_id, control_id, owner, due_at) values ($1, $2, $3, $4) on conflict do nothing returning 1",
            self._tenant, control.control_id, owner, due_at,
        )  # fmt: skip
        return made is not None

    async def end_failure(self, control_id: str) -> bool:
        """Close a failure; False when there was none."""
        gone = await self._c.fetchval(
            "delete from trust.control_failures where tenant_id = $1 and control_id = $2 returning 1",
            self._tenant,
            control_id,
        )
        return gone is not None

    async def assign(self, control_id: str, owner: str, due_at: datetime) -> bool:
        found = await self._c.fetchval(
            "update trust.control_failures set owner = $3, due_at = $4 where tenant_id = $1 and control_id = $2 returning 1",
            self._tenant, control_id, owner, due_at,
        )  # fmt: skip
        return found is not None

    async def attestations(self, control_id: str | None = None) -> dict[str, list[Attestation]]:
        """Evidence by control, the newest first."""
        found: dict[str, list[Attestation]] = {}
        for row in await self._c.fetch(_ATTESTATIONS, self._tenant, control_id):
            found.setdefault(row["control_id"], []).append(Attestation(**row))
        return found

    async def attest(self, one: Attestation, body: bytes) -> bool:
        """Keep evidence; False when this id is kept already."""
        made = await self._c.fetchval(
            "insert into trust.control_attestations (tenant_id, attestation_id, control_id, applies, statement, file_name, media_type, sha256, "
            "body, valid_until, attested_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning 1",
            self._tenant, one.attestation_id, one.control_id, one.applies, one.statement, one.file_name, one.media_type, one.sha256, body,
            one.valid_until, one.attested_by,
        )  # fmt: skip
        return made is not None

    async def count(self, statement: str, parameters: Sequence[Any]) -> Mapping[str, Any]:
        """Run a check's statement. The row it answers with: rows, failing, unclear, sample. For the rest of the transaction days are Riyadh's."""
        await self._c.execute(RIYADH_DAYS)
        found: Mapping[str, Any] = await self._c.fetchrow(statement, self._tenant, *parameters)
        return found


def _reading(row: Any, checked_at: datetime) -> Reading:
    return Reading(
        control_id=row["control_id"], result=row["result"], checked_at=checked_at, rows=row["rows"], failing=row["failing"],
        unclear=row["unclear"], sample=tuple(row["sample"]), why=Text(en=row["why_en"], ar=row["why_ar"]),
        catalogue_version=row["catalogue_version"],
    )  # fmt: skip
