"""What data holds about a person: shown on request, and taken out on order, once the other planes need it no more."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from libs.contracts.errors import Forbidden
from libs.contracts.message import Plane
from libs.contracts.rights import ErasureOrdered, ErasurePerformed, PersonReply, PersonRequest
from libs.contracts.subjects import ERASED
from libs.runtime.database import SessionWork
from libs.runtime.erasure import ERASED as ERASED_TEXT
from libs.runtime.erasure import spellings, sweep
from libs.runtime.plane import Runtime
from services.data.importing.carry import tell_changed
from services.data.importing.telling import tell_leads

MAY_SEE = frozenset({"owner", "compliance_officer", "api_client"})
PHASE = 2


class People:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def person(self, request: PersonRequest) -> PersonReply:
        """Every row about a contact, whole."""
        if not MAY_SEE & set(request.principal.roles):
            raise Forbidden
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            c = work.connection
            sections = {
                "contact": await _rows(c, "contacts", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id),
                "leads": await _rows(c, "leads", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id),
                "activities": await _rows(
                    c, "activities", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id
                ),
                "tasks": await _rows(c, "tasks", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id),
                "tickets": await _rows(c, "tickets", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id),
                "enriched_facts": await _rows(
                    c, "enriched_facts", "tenant_id = $1 and record_id = $2", tenant, request.contact_id
                ),
                "consents": await _rows(
                    c, "consents", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id
                ),
                "changes": await _rows(c, "changes", "tenant_id = $1 and record_id = $2", tenant, request.contact_id),
                "imported_rows": await _rows(
                    c, "import_rows", "tenant_id = $1 and contact_id = $2", tenant, request.contact_id
                ),
            }
        return PersonReply(sections=sections)

    async def erase(self, work: SessionWork, order: ErasureOrdered) -> None:
        """Take a contact out of every table. What it did to the tenant's figures stays; who it was does not."""
        if order.phase != PHASE:
            return
        batch = await work.batch()
        c, tenant, contact = batch.connection, order.tenant_id, order.contact_id
        known = await c.fetchrow(
            "select full_name, email, phone from data.contacts where tenant_id = $1 and contact_id = $2",
            tenant,
            contact,
        )
        texts = spellings(known["email"], known["phone"], known["full_name"]) if known else []
        counts = {"rejected_rows": await _rejects(c, tenant, texts)}
        for name, sql in _STATEMENTS.items():
            status = await c.execute(sql, tenant, contact)
            counts[name] = int(status.rpartition(" ")[2])
        await c.execute("insert into data.search_queue (tenant_id) values ($1) on conflict do nothing", tenant)
        counts |= await sweep(c, Plane.DATA, tenant, texts)
        tell_changed(batch, tenant, [contact], self._runtime.now())
        # A ranking that read the person before may have written since decision erased its own: it looks once more, and finds nobody.
        tell_leads(batch, tenant, self._runtime.now(), contacts=[contact])
        work.emit(
            ERASED[Plane.DATA],
            ErasurePerformed(
                tenant_id=tenant, request_id=order.request_id, plane=Plane.DATA,
                counts={name: count for name, count in counts.items() if count}, at=self._runtime.now(),
            ),
        )  # fmt: skip


_RECORDS = "(select $2::uuid union select lead_id from data.leads where tenant_id = $1 and contact_id = $2)"
"""The contact and the leads it is the person of. Read before the leads forget it."""
_STATEMENTS = {
    "changes": "update data.changes set before = '{}', after = '{}', reason = '' where tenant_id = $1 and record_id in "
    + _RECORDS,
    "enriched_facts": "delete from data.enriched_facts where tenant_id = $1 and record_id in " + _RECORDS,
    "merges": "update data.merges set before = '{}', after = '{}' where tenant_id = $1 and $2 in (kept_id, gone_id)",
    "merge_reviews": "update data.merge_reviews set why = '{}' where tenant_id = $1 and $2 in (left_id, right_id)",
    "search": "delete from data.search_text where tenant_id = $1 and (record_id in " + _RECORDS + " or record_id in "
    "(select account_id from data.contacts where tenant_id = $1 and contact_id = $2 union "
    "select activity_id from data.activities where tenant_id = $1 and contact_id = $2 union "
    "select task_id from data.tasks where tenant_id = $1 and contact_id = $2 union "
    "select ticket_id from data.tickets where tenant_id = $1 and contact_id = $2))",
    "match_keys": "delete from data.match_keys where tenant_id = $1 and account_id in "
    "(select account_id from data.contacts where tenant_id = $1 and contact_id = $2)",
    "key_pages": "update data.key_pages p set keys = n.keys, accounts = n.accounts from (select o.bucket, o.batch_id, o.page, "
    "coalesce(array_agg(u.k order by u.nth) filter (where u.a <> w.account_id), '{}') keys, "
    "coalesce(array_agg(u.a order by u.nth) filter (where u.a <> w.account_id), '{}') accounts "
    "from (select account_id from data.contacts where tenant_id = $1 and contact_id = $2 and account_id is not null) w "
    "join data.key_pages o on o.tenant_id = $1 and w.account_id = any(o.accounts), "
    "unnest(o.keys, o.accounts) with ordinality u(k, a, nth) group by 1, 2, 3) n "
    "where p.tenant_id = $1 and (p.bucket, p.batch_id, p.page) = (n.bucket, n.batch_id, n.page)",
    # The account is filed for the search and for matching anew, without this person.
    "accounts": "update data.accounts set indexed = false, keys_version = 0 where tenant_id = $1 and account_id = "
    "(select account_id from data.contacts where tenant_id = $1 and contact_id = $2)",
    "activities": f"update data.activities set subject = '{ERASED_TEXT}', body = null, contact_id = null where tenant_id = $1 and contact_id = $2",
    "tasks": f"update data.tasks set title = '{ERASED_TEXT}', body = null, contact_id = null where tenant_id = $1 and contact_id = $2",
    "tickets": f"update data.tickets set title = '{ERASED_TEXT}', body = null, resolution = null, contact_id = null "
    "where tenant_id = $1 and contact_id = $2",
    "deals": "update data.deals set contact_id = null where tenant_id = $1 and contact_id = $2",
    "leads": "update data.leads set contact_id = null, notes = null, interest = null, source_detail = null, "
    "deleted_at = coalesce(deleted_at, now()) where tenant_id = $1 and contact_id = $2",
    "looked_at": "update data.imports set sample = '[]' where tenant_id = $1 and sample <> '[]'::jsonb and $2::uuid is not null",
    "imported_rows": "update data.import_rows set contact_id = null, fingerprint = '', notes = '[]' where tenant_id = $1 and contact_id = $2",
    "consents": "delete from data.consents where tenant_id = $1 and contact_id = $2",
    "memories": "delete from data.memories where tenant_id = $1 and subject = 'contact:' || $2::uuid::text",
    "contact": "delete from data.contacts where tenant_id = $1 and contact_id = $2",
}


async def _rejects(connection: Any, tenant_id: UUID, texts: list[str]) -> int:
    """Rejected rows as they stood in a file, where they hold the address, or the digits of the number in whatever form."""
    cores = [t for t in texts if t.isdigit() and len(t) == 9]
    status = await connection.execute(
        "delete from data.import_rejects where tenant_id = $1 and (exists (select 1 from unnest($2::text[]) t where "
        "position(lower(t) in lower(raw::text)) > 0) or exists (select 1 from unnest($3::text[]) d where "
        r"position(d in regexp_replace(raw::text, '\D', '', 'g')) > 0))",
        tenant_id, texts, cores,
    )  # fmt: skip
    return int(status.rpartition(" ")[2])


async def _rows(connection: Any, table: str, where: str, *values: Any) -> tuple[dict[str, Any], ...]:
    rows = await connection.fetch(f"select to_jsonb(t) - 'tenant_id' as row from data.{table} t where {where}", *values)
    return tuple(json.loads(row["row"]) for row in rows)
