"""What an import says of rows that it took in: nothing is left out of a row without a word to whoever imported it."""

from __future__ import annotations

import json
from typing import Any

from libs.contracts.errors import NotFound
from libs.contracts.import_rows import Remark, RemarkedRow, RemarksReply, RemarksRequest
from libs.contracts.subjects import IMPORT_REMARKS
from libs.runtime.plane import Runtime
from services.data.importing.store import Imports


def serve_remarks(runtime: Runtime) -> None:
    runtime.bus.serve(IMPORT_REMARKS, Remarks(runtime).remarks)


class Remarks:
    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def remarks(self, request: RemarksRequest) -> RemarksReply:
        """Rows about which there is something to say, in the order of the file. Raises NotFound."""
        tenant, cursor = request.principal.tenant_id, request.page.cursor
        async with self._database.batch(tenant) as work:
            if await Imports(work).status(tenant, request.import_id) is None:
                raise NotFound
            rows = await work.connection.fetch(
                "select r.row_number, r.outcome, r.notes, r.reasons, a.account_id, c.contact_id, coalesce(a.name, '') company, "
                "coalesce(c.full_name, '') person from data.import_rows r "
                "left join data.accounts a on a.tenant_id = r.tenant_id and a.account_id = r.account_id and a.deleted_at is null "
                "left join data.contacts c on c.tenant_id = r.tenant_id and c.contact_id = r.contact_id and c.deleted_at is null "
                "where r.tenant_id = $1 and r.import_id = $2 and r.row_number > $3 and ($4::text is null or r.outcome = $4) "
                "and (r.notes <> '[]'::jsonb or r.reasons <> '[]'::jsonb) order by r.row_number limit $5",
                tenant, request.import_id, int(cursor) if cursor and cursor.isdigit() else -1, request.outcome, request.page.limit + 1,
            )  # fmt: skip
        more = len(rows) > request.page.limit
        shown = tuple(_row(row) for row in rows[: request.page.limit])
        return RemarksReply(rows=shown, next_cursor=str(shown[-1].row_number) if more else None)


def _row(row: Any) -> RemarkedRow:
    return RemarkedRow(
        row_number=row["row_number"], outcome=row["outcome"], company=row["company"], person=row["person"],
        account_id=row["account_id"], contact_id=row["contact_id"], left_out=_remarks(row["notes"]), reasons=_remarks(row["reasons"]),
    )  # fmt: skip


def _remarks(text: str) -> tuple[Remark, ...]:
    return tuple(
        Remark(field=one.get("field", ""), code=one["code"], en=one["en"], ar=one["ar"]) for one in json.loads(text)
    )
