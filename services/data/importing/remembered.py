"""Columns that people have assigned before: shown, and forgotten when they were assigned wrongly."""

from __future__ import annotations

from libs.contracts.mappings import ForgetMapping, Forgotten, MappingsReply, MappingsRequest, RememberedColumn
from libs.contracts.message import Plane, Text, new_id
from libs.contracts.subjects import AUDITED, FORGET_MAPPING, MAPPINGS
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.importing.domain.mapping import fields, label

MOST = 1000


def serve_remembered(runtime: Runtime) -> None:
    """Answer for remembered columns."""
    desk = Remembered(runtime)
    runtime.bus.serve(MAPPINGS, desk.list)
    runtime.bus.serve(FORGET_MAPPING, desk.forget)


class Remembered:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def list(self, request: MappingsRequest) -> MappingsReply:
        """By source and heading."""
        tenant, known = request.principal.tenant_id, fields()
        async with self._runtime.database.batch(tenant) as work:
            rows = await work.connection.fetch(
                "select source, header_key, mapping->>'field' as field, at from data.import_mappings where tenant_id = $1 "
                "order by source, header_key limit $2",
                tenant, MOST,
            )  # fmt: skip
        return MappingsReply(
            items=tuple(
                RememberedColumn(
                    source=row["source"], header=row["header_key"], field=row["field"] or "", at=row["at"],
                    named=Text(en=label(row["field"], "en"), ar=label(row["field"], "ar")) if row["field"] in known else None,
                )
                for row in rows
            )
        )  # fmt: skip

    async def forget(self, request: ForgetMapping) -> Forgotten:
        """The next list of that source is read by its headings alone. Forgetting twice is once. Raises Forbidden."""
        require_editor(request.principal)
        who, tenant = request.principal, request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            gone = await work.connection.fetch(
                "delete from data.import_mappings where tenant_id = $1 and source = $2 and ($3::text is null or header_key = $3) returning 1",
                tenant, request.source, request.header,
            )  # fmt: skip
            if gone:
                entry = AuditRecorded(
                    entry_id=new_id(), tenant_id=tenant, kind="import.mapping_forgotten", actor=who.id, target=f"source:{request.source}",
                    at=self._runtime.now(), data={"columns": len(gone)}, trace_id=telemetry.trace_id(),
                )  # fmt: skip
                work.emit(AUDITED[Plane.DATA], entry)
        return Forgotten(columns=len(gone))
