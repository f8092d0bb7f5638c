"""Takes an import back: what it alone brought and nobody has worked on since goes, with its place in the search."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.runtime.database import BatchWork
from services.data.crm.search import SearchText

# Whatever a person did (an edit, a deal, a call, a task, a merge) is a row of data.changes that names every record it concerns.
_WORKED_ON = "worked_on as (select distinct unnest(touches) as id from data.changes where tenant_id = $1)"
# Made by this import, or by one that was taken back before while this one still held it.
_OURS = "(x.import_id = $2 or exists (select 1 from data.imports i where i.tenant_id = $1 and i.import_id = x.import_id and i.state = 'undone'))"
_GONE = (
    f"with {_WORKED_ON}, stays as (select l.contact_id as id from data.leads l join worked_on w on w.id = l.lead_id where l.tenant_id = $1 "
    "and l.contact_id is not null union select id from worked_on) "
    f"update data.contacts x set deleted_at = now() where tenant_id = $1 and deleted_at is null and {_OURS} "
    "and contact_id in (select r.contact_id from data.import_rows r where r.tenant_id = $1 and r.import_id = $2) "
    "and not exists (select 1 from stays s where s.id = x.contact_id) "
    "and not exists (select 1 from data.import_rows o join data.imports i on i.tenant_id = o.tenant_id and i.import_id = o.import_id "
    "where o.tenant_id = $1 and o.import_id <> $2 and o.contact_id = x.contact_id and i.state <> 'undone') returning contact_id"
)
_ACCOUNTS_GONE = (
    f"with {_WORKED_ON} update data.accounts x set deleted_at = now() where tenant_id = $1 and deleted_at is null and {_OURS} "
    "and account_id in (select r.account_id from data.import_rows r where r.tenant_id = $1 and r.import_id = $2) "
    "and not exists (select 1 from worked_on w where w.id = x.account_id) "
    "and not exists (select 1 from data.contacts c where c.tenant_id = $1 and c.account_id = x.account_id and c.deleted_at is null) "
    "returning account_id"
)


@dataclass(frozen=True)
class Undone:
    """The contacts that went, and how many contacts of the import stay."""

    gone: list[UUID]
    kept: int


async def undo(work: BatchWork, tenant_id: UUID, import_id: UUID) -> Undone:
    """Take back what this import made and nobody else brought or touched. What stays keeps the row that it came from."""
    connection = work.connection
    gone = [row["contact_id"] for row in await connection.fetch(_GONE, tenant_id, import_id)]
    kept = await connection.fetchval(
        "select count(*) from data.contacts where tenant_id = $1 and deleted_at is null and contact_id in "
        "(select contact_id from data.import_rows where tenant_id = $1 and import_id = $2)",
        tenant_id, import_id,
    )  # fmt: skip
    await connection.execute(
        "update data.leads set deleted_at = now() where tenant_id = $1 and contact_id = any($2::uuid[]) and deleted_at is null",
        tenant_id, gone,
    )  # fmt: skip
    accounts = [row["account_id"] for row in await connection.fetch(_ACCOUNTS_GONE, tenant_id, import_id)]
    search = SearchText(work, tenant_id)
    await search.drop(RecordKind.CONTACT, gone)
    await search.drop(RecordKind.ACCOUNT, accounts)
    await connection.execute(
        "delete from data.import_rows where tenant_id = $1 and import_id = $2 and (contact_id is null or contact_id = any($3::uuid[]))",
        tenant_id, import_id, gone,
    )  # fmt: skip
    return Undone(gone, int(kept or 0))
