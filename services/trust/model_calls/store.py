"""Which transfers abroad are on record with what the law asks: a part of the unit of work. The twin is in `memory.py`."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Protocol
from uuid import UUID

# The same reading as control PDPL-29: the processor that a connector is entered with, and a transfer to it that holds today.
_SAFEGUARDED = """
select x.t, x.c from unnest($1::uuid[], $2::text[]) as x(t, c) where exists (
  select 1 from trust.registers p join trust.registers r on r.tenant_id = p.tenant_id and r.kind = 'transfers' and r.deleted_at is null
    and r.document->>'recipient' = p.document->>'name' and coalesce(r.document->>'safeguard', '') <> ''
    and coalesce(r.document->>'risk_assessment_ref', '') <> '' and coalesce((r.document->>'ends_on')::date, 'infinity') >= (now() at time zone 'Asia/Riyadh')::date
  where p.tenant_id = x.t and p.kind = 'processors' and p.deleted_at is null and p.document->'connectors' ? x.c)
"""


class Transfers(Protocol):
    """Within one transaction."""

    async def safeguarded(self, asked: Set[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
        """Of tenants' connectors those with a transfer on record: recipient, safeguard, risk assessment, not ended."""
        ...


class SqlTransfers:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def safeguarded(self, asked: Set[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
        lines = sorted(asked)
        rows = await self._c.fetch(_SAFEGUARDED, [tenant for tenant, _ in lines], [connector for _, connector in lines])
        return {(row["t"], row["c"]) for row in rows}
