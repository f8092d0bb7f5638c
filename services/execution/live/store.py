"""What is on record of connectors, in PostgreSQL. A credential itself is read by the vault alone."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from libs.contracts.execution import ConnectorStatus
from libs.contracts.message import Reason
from services.execution.live.domain import Probed, Standing

_STANDING = """
select k.connector, c.changed_at as credential_at, s.per_minute, p.status, p.code, p.detail_en, p.detail_ar, p.at as probed_at,
  case when b.open_until is not null then greatest(0, extract(epoch from b.open_until - now()))::float8 end as held
from unnest($2::text[]) as k(connector)
left join execution.credentials c on c.tenant_id = $1 and c.connector = k.connector
left join execution.connector_settings s on s.tenant_id = $1 and s.connector = k.connector
left join execution.probes p on p.tenant_id = $1 and p.connector = k.connector
left join execution.breakers b on b.tenant_id = $1 and b.connector = k.connector and b.open_until is not null
"""


class LiveRows:
    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def standing(self, connectors: list[str]) -> dict[str, Standing]:
        rows = await self._c.fetch(_STANDING, self._tenant, connectors)
        found = {row["connector"]: _standing(row) for row in rows}
        return defaultdict(Standing, found)

    async def set_rate(self, connector: str, per_minute: int, by: str) -> None:
        await self._c.execute(
            "insert into execution.connector_settings (tenant_id, connector, per_minute, changed_by) values ($1, $2, $3, $4) on conflict "
            "(tenant_id, connector) do update set per_minute = excluded.per_minute, changed_by = excluded.changed_by, changed_at = now()",
            self._tenant, connector, per_minute, by,
        )  # fmt: skip

    async def keep_probe(self, connector: str, status: ConnectorStatus, found: Reason) -> None:
        await self._c.execute(
            "insert into execution.probes (tenant_id, connector, status, code, detail_en, detail_ar) values ($1, $2, $3, $4, $5, $6) "
            "on conflict (tenant_id, connector) do update set status = excluded.status, code = excluded.code, "
            "detail_en = excluded.detail_en, detail_ar = excluded.detail_ar, at = clock_timestamp()",
            self._tenant, connector, status.value, found.code, found.en, found.ar,
        )  # fmt: skip


def _standing(row: Any) -> Standing:
    probed = None
    if row["status"] is not None:
        found = Reason(code=row["code"], en=row["detail_en"], ar=row["detail_ar"])
        probed = Probed(ConnectorStatus(row["status"]), found, row["probed_at"])
    return Standing(row["credential_at"], probed, row["per_minute"], row["held"])
