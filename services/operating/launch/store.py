"""People's word on gates, in PostgreSQL: nothing is changed, the newest one counts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.launch import GateAttestation

_FIELDS = "attestation_id, gate, environment, holds, statement, role, attested_by, attested_at, expires_on"


class Words:
    """One tenant's, of one environment, within one transaction."""

    def __init__(self, connection: Any, tenant_id: UUID, environment: str) -> None:
        self._c = connection
        self._where = (tenant_id, environment)

    async def newest(self) -> dict[str, GateAttestation]:
        """The word that counts, by gate."""
        rows = await self._c.fetch(
            f"select distinct on (gate) {_FIELDS} from operating.gate_attestations where tenant_id = $1 and environment = $2 "
            "order by gate, attested_at desc, attestation_id desc",
            *self._where,
        )
        return {row["gate"]: GateAttestation(**row) for row in rows}

    async def of(self, gate: str, limit: int) -> tuple[GateAttestation, ...]:
        rows = await self._c.fetch(
            f"select {_FIELDS} from operating.gate_attestations where tenant_id = $1 and environment = $2 and gate = $3 "
            "order by attested_at desc, attestation_id desc limit $4",
            *self._where, gate, limit,
        )  # fmt: skip
        return tuple(GateAttestation(**row) for row in rows)

    async def keep(self, one: GateAttestation) -> bool:
        """Keep a word; False when this id is kept already."""
        made = await self._c.fetchval(
            f"insert into operating.gate_attestations (tenant_id, {_FIELDS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
            "on conflict do nothing returning 1",
            self._where[0], one.attestation_id, one.gate, one.environment, one.holds, one.statement, one.role, one.attested_by,
            one.attested_at, one.expires_on,
        )  # fmt: skip
        return made is not None
