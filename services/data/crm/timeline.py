"""What happened with a record: changes to it and to what belongs to it, activities, and the imports that brought it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import Happening, TimelineReply, TimelineRequest
from libs.contracts.errors import NotFound
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.store import Store

_ACTIVITY_COLUMNS = {
    RecordKind.ACCOUNT: "account_id",
    RecordKind.CONTACT: "contact_id",
    RecordKind.LEAD: "lead_id",
    RecordKind.DEAL: "deal_id",
}


class Timelines:
    """Timelines as people read them, newest first."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def get(self, request: TimelineRequest) -> TimelineReply:
        """Raises NotFound."""
        tenant = request.principal.tenant_id
        before = datetime.fromisoformat(request.page.cursor) if request.page.cursor else None
        most = request.page.limit + 1
        async with self._database.batch(tenant) as work:
            record = await Store(work, tenant).get(request.kind, request.id)
            if record is None:
                raise NotFound
            ids = await _formerly(work, tenant, request.id)
            changes = await work.connection.fetch(
                "select at, what, kind, record_id, actor, actor_name, before, after, reason from data.changes where tenant_id = $1 "
                "and touches && $2::uuid[] and kind <> 'activity' and ($3::timestamptz is null or at < $3) order by at desc limit $4",
                tenant, ids, before, most,
            )  # fmt: skip
            happened = [_change(row) for row in changes]
            if column := _ACTIVITY_COLUMNS.get(request.kind):
                found = await work.connection.fetch(
                    f"select activity_id, type, direction, subject, body, at from data.activities where tenant_id = $1 and {column} = $2 "
                    "and deleted_at is null and ($3::timestamptz is null or at < $3) order by at desc limit $4",
                    tenant, request.id, before, most,
                )  # fmt: skip
                happened += [_activity(row) for row in found]
            contact = record.id if request.kind is RecordKind.CONTACT else record.values.get("contact_id")
            account = record.id if request.kind is RecordKind.ACCOUNT else None
            rows = await work.connection.fetch(
                "select i.started_at, i.import_id, i.request->>'file_name' file, i.request->>'source' source, r.row_number, r.outcome, r.contact_id "
                "from data.import_rows r join data.imports i on i.tenant_id = r.tenant_id and i.import_id = r.import_id "
                "where r.tenant_id = $1 and (r.contact_id = $2 or r.account_id = $3) and ($4::timestamptz is null or i.started_at < $4) "
                "order by i.started_at desc limit $5",
                tenant, UUID(str(contact)) if contact else None, account, before, most,
            )  # fmt: skip
            happened += [_import(row) for row in rows]
        happened.sort(key=lambda one: one.at, reverse=True)
        more = len(happened) > request.page.limit
        happened = happened[: request.page.limit]
        return TimelineReply(items=tuple(happened), next_cursor=happened[-1].at.isoformat() if more else None)


async def _formerly(work: BatchWork, tenant: UUID, id: UUID) -> list[UUID]:
    """The record and those that were merged into it: their history is its own."""
    rows = await work.connection.fetch(
        "with recursive were as (select $2::uuid as id union select m.gone_id from data.merges m join were on m.kept_id = were.id "
        "where m.tenant_id = $1 and m.undone_at is null) select id from were",
        tenant, id,
    )  # fmt: skip
    return [row["id"] for row in rows]


def _change(row: Any) -> Happening:
    before, after = json.loads(row["before"]), json.loads(row["after"])
    named = after if row["what"] != "deleted" else before
    title = next((str(named[name]) for name in ("title", "name_ar", "name", "full_name") if named.get(name)), "")
    return Happening(
        at=row["at"], what=row["what"], kind=row["kind"], record_id=row["record_id"], title=title, actor=row["actor_name"] or row["actor"],
        detail={"before": before, "after": after, **({"reason": row["reason"]} if row["reason"] else {})},
    )  # fmt: skip


def _activity(row: Any) -> Happening:
    detail = {name: row[name] for name in ("direction", "body") if row[name]}
    return Happening(
        at=row["at"],
        what=row["type"],
        kind="activity",
        record_id=row["activity_id"],
        title=row["subject"],
        detail=detail,
    )


def _import(row: Any) -> Happening:
    return Happening(
        at=row["started_at"], what="imported", kind="import", record_id=row["import_id"], title=row["file"] or "",
        detail={"row": row["row_number"], "source": row["source"], "outcome": row["outcome"]},
    )  # fmt: skip
