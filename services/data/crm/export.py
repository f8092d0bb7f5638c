"""Everything a tenant keeps, page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.errors import Forbidden
from libs.contracts.message import new_id
from libs.contracts.outreach import EXPORTED_BESIDE, ExportReply, ExportRequest
from libs.contracts.paging import before
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.store import NAMED, Store
from services.data.crm.tables import TABLES

EXPORTERS = frozenset({"owner", "admin"})


class ExportDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def page(self, request: ExportRequest) -> ExportReply:
        """A page in the order of ids. Raises Forbidden."""
        who, table = request.principal, TABLES[request.kind]
        if not EXPORTERS & set(who.roles):
            raise Forbidden
        start = before(request)
        async with self._database.batch(who.tenant_id) as work:
            rows = await work.connection.fetch(
                f"select {table.id} id from data.{table.name} where tenant_id = $1 and deleted_at is null "
                f"and ($2::uuid is null or {table.id} > $2) order by {table.id} limit $3",
                who.tenant_id, start, request.limit + 1,
            )  # fmt: skip
            more = len(rows) > request.limit
            ids = [row["id"] for row in rows[: request.limit]]
            found = await Store(work, who.tenant_id).many(request.kind, ids)
            beside = await _beside(work, who.tenant_id, request.kind, ids)
            if start is None:
                work.emit(
                    AUDITED[self._runtime.plane],
                    AuditRecorded(
                        entry_id=new_id(), tenant_id=who.tenant_id, kind="records.exported", actor=who.id, target=f"export:{request.kind.value}",
                        at=self._runtime.now(), data={}, trace_id=telemetry.trace_id(),
                    ),
                )  # fmt: skip
        items = tuple(
            {
                "id": str(one.id), "version": one.version, **one.values,
                **{f"{name.removesuffix('_id')}_name": one.names.get(name) for name in NAMED if name in one.values}, "custom": one.custom,
                **beside.get(one.id, {}), "created_at": one.created_at.isoformat(), "updated_at": one.updated_at.isoformat(),
            }
            for one in found
        )  # fmt: skip
        return ExportReply(items=items, next_cursor=str(found[-1].id) if more else None)


_BESIDE = {"consents": "fields->'consents'"}
"""What is not a column of its own name."""


async def _beside(work: BatchWork, tenant: UUID, kind: RecordKind, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What else is exported of these records, by id."""
    names = EXPORTED_BESIDE.get(kind, ())
    if not names:
        return {}
    pairs = ", ".join(f"'{name}', {_BESIDE.get(name, name)}" for name in names)
    rows = await work.connection.fetch(
        f"select {TABLES[kind].id} id, jsonb_build_object({pairs}) held from data.{TABLES[kind].name} where tenant_id = $1 and {TABLES[kind].id} = any($2)",
        tenant, list(ids),
    )  # fmt: skip
    return {row["id"]: json.loads(row["held"]) for row in rows}
