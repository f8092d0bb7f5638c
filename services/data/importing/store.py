"""Imports in PostgreSQL: a queue of ids, the rows and their outcomes, and a plan written in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.data import (
    ColumnMapping,
    ImportCounts,
    ImportRequest,
    ImportState,
    ImportStatus,
    RejectedRow,
)
from libs.contracts.message import Text, new_id
from libs.runtime.database import BatchWork
from services.data.crm.search import SearchText
from services.data.importing.codec import said, to_json
from services.data.importing.domain.mapping import fields, label
from services.data.importing.domain.records import MergePlan, ParsedFile
from services.data.importing.domain.text import fold
from services.data.matching.keys import KEYS_VERSION, MatchKeys

LEASE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Written:
    """What a plan's companies and people became: their stored ids by index, and the contacts that are not as trust knows them."""

    account_ids: tuple[UUID, ...]
    contact_ids: tuple[UUID, ...]
    changed_contacts: tuple[UUID, ...]

    @classmethod
    def of(cls, plan: MergePlan) -> Written:
        """The stored ids of those that are there, new ones for the others."""
        contact_ids = tuple(UUID(c.existing_id) if c.existing_id else new_id() for c in plan.contacts)
        return cls(
            tuple(UUID(a.existing_id) if a.existing_id else new_id() for a in plan.accounts),
            contact_ids,
            tuple(contact_ids[c.index] for c in plan.contacts if c.existing_id and not c.as_before),
        )


class Imports:
    """One transaction's view of imports; `work` names the tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._work = work
        self._c = work.connection

    async def create(self, request: ImportRequest, trace_id: str) -> None:
        """Queue an import; the same import id again changes nothing."""
        tenant = request.principal.tenant_id
        await self._c.execute(
            "insert into data.imports (tenant_id, import_id, request, state, counts, trace_id) values ($1, $2, $3::jsonb, 'queued', $4::jsonb, $5) "
            "on conflict do nothing",
            tenant, request.import_id, request.model_dump_json(), ImportCounts().model_dump_json(), trace_id,
        )  # fmt: skip
        await self._c.execute(
            "insert into data.import_queue (import_id, tenant_id) select $1, $2 where exists (select 1 from data.imports "
            "where tenant_id = $2 and import_id = $1 and state = 'queued') on conflict do nothing",
            request.import_id, tenant,
        )  # fmt: skip

    async def request(self, tenant_id: UUID, import_id: UUID) -> ImportRequest | None:
        text = await self._c.fetchval(
            "select request from data.imports where tenant_id = $1 and import_id = $2", tenant_id, import_id
        )
        return ImportRequest.model_validate_json(text) if text else None

    async def status(self, tenant_id: UUID, import_id: UUID) -> ImportStatus | None:
        row = await self._c.fetchrow(
            "select * from data.imports where tenant_id = $1 and import_id = $2", tenant_id, import_id
        )
        return _status(row) if row else None

    async def newest(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[ImportStatus]:
        rows = await self._c.fetch(
            "select * from data.imports where tenant_id = $1 and ($2::uuid is null or import_id < $2) order by import_id desc limit $3",
            tenant_id, before, limit,
        )  # fmt: skip
        return [_status(row).evolve(sample=()) for row in rows]

    async def step(self, tenant_id: UUID, import_id: UUID, state: ImportState, progress: float) -> None:
        await self._c.execute(
            "update data.imports set state = $3, progress = $4 where tenant_id = $1 and import_id = $2",
            tenant_id,
            import_id,
            state.value,
            progress,
        )
        await self._c.execute(
            "update data.import_queue set lease_until = now() + make_interval(secs => $2) where import_id = $1",
            import_id,
            LEASE_SECONDS,
        )

    async def ask_to_cancel(self, tenant_id: UUID, import_id: UUID) -> bool:
        """Ask the import to stop; False when it is past stopping."""
        done = await self._c.fetchval(
            "update data.imports set cancel_requested = true where tenant_id = $1 and import_id = $2 "
            "and state in ('queued', 'reading', 'matching') returning true",
            tenant_id,
            import_id,
        )
        return bool(done)

    async def cancel_requested(self, tenant_id: UUID, import_id: UUID) -> bool:
        found = await self._c.fetchval(
            "select cancel_requested from data.imports where tenant_id = $1 and import_id = $2", tenant_id, import_id
        )
        return bool(found)

    async def refresh_statistics(self) -> None:
        """Let the planner know the tables as they are now. Never inside an import's own transaction: it would lock out others'."""
        await self._c.execute("select data.refresh_statistics()")

    async def remembered_mapping(self, tenant_id: UUID, source: str) -> dict[str, str]:
        """What people chose for columns of this source before: folded header to field, "" for none."""
        rows = await self._c.fetch(
            "select header_key, mapping->>'field' as field from data.import_mappings where tenant_id = $1 and source = $2",
            tenant_id, source,
        )  # fmt: skip
        return {row["header_key"]: row["field"] or "" for row in rows}

    async def remember_mapping(self, tenant_id: UUID, source: str, chosen: Mapping[str, str]) -> None:
        await self._c.execute(
            "insert into data.import_mappings (tenant_id, source, header_key, mapping) select $1, $2, h, jsonb_build_object('field', f) "
            "from unnest($3::text[], $4::text[]) as t(h, f) on conflict (tenant_id, source, header_key) do update set mapping = excluded.mapping, at = now()",
            tenant_id, source, [fold(header) for header in chosen], list(chosen.values()),
        )  # fmt: skip

    async def keep(self, import_id: UUID, seconds: float = LEASE_SECONDS) -> None:
        """Keep the lease for so long from now: while work on the import goes on, or until it is tried again."""
        await self._c.execute(
            "update data.import_queue set lease_until = now() + make_interval(secs => $2) where import_id = $1",
            import_id,
            seconds,
        )

    async def put_back(self, import_id: UUID, seconds: float) -> None:
        """Let the import wait; the attempt does not count."""
        await self._c.execute(
            "update data.import_queue set lease_until = now() + make_interval(secs => $2), tries = greatest(tries - 1, 0) where import_id = $1",
            import_id,
            seconds,
        )

    async def finish(
        self, tenant_id: UUID, import_id: UUID, state: ImportState, error: tuple[str, str, str] | None = None
    ) -> None:
        """The end of an import, one way or the other: off the queue."""
        code, en, ar = error or (None, None, None)
        await self._c.execute(
            "update data.imports set state = $3, progress = 1, finished_at = now(), error_code = $4, error_en = $5, error_ar = $6 "
            "where tenant_id = $1 and import_id = $2",
            tenant_id, import_id, state.value, code, en, ar,
        )  # fmt: skip
        await self.off_the_queue(import_id)

    async def off_the_queue(self, import_id: UUID) -> None:
        await self._c.execute("delete from data.import_queue where import_id = $1", import_id)

    async def describe(self, tenant_id: UUID, import_id: UUID, parsed: ParsedFile, counts: ImportCounts) -> None:
        mapping = [{"column": c.header, "field": c.field, "confidence": c.confidence} for c in parsed.columns]
        await self._c.execute(
            "update data.imports set mapping = $3::jsonb, counts = $4::jsonb, header = $5::jsonb where tenant_id = $1 and import_id = $2",
            tenant_id, import_id, json.dumps(mapping, ensure_ascii=False), counts.model_dump_json(), json.dumps(parsed.header, ensure_ascii=False),
        )  # fmt: skip

    async def seen(self, tenant_id: UUID, import_id: UUID, fingerprints: Sequence[str]) -> frozenset[str]:
        """Which of these rows an earlier import brought already."""
        rows = await self._c.fetch(
            "select distinct fingerprint from data.import_rows where tenant_id = $1 and fingerprint = any($2::text[]) and import_id <> $3",
            tenant_id,
            list(fingerprints),
            import_id,
        )
        return frozenset(row["fingerprint"] for row in rows)

    async def write_records(
        self,
        tenant_id: UUID,
        import_id: UUID,
        plan: MergePlan,
        written: Written,
        filing: Sequence[tuple[UUID, list[int]]],
    ) -> None:
        """Companies and people, under the ids that `written` gives them, with the keys by which later rows find the companies."""
        account_ids, contact_ids = written.account_ids, written.contact_ids
        await self._c.execute(
            "insert into data.accounts as x (tenant_id, account_id, name, name_ar, fields, aliases, import_id, keys_version) "
            "select $1, i, n, na, f::jsonb, string_to_array(al, chr(31)), $2, $8 from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) "
            "as t(i, n, na, f, al) on conflict (tenant_id, account_id) do update set name = excluded.name, name_ar = excluded.name_ar, "
            "fields = excluded.fields, aliases = excluded.aliases, version = x.version + 1, indexed = false, updated_at = now()",
            tenant_id, import_id, account_ids, [a.fields.name for a in plan.accounts], [a.fields.name_ar for a in plan.accounts],
            [to_json(a.fields) for a in plan.accounts], [chr(31).join(a.aliases) for a in plan.accounts], KEYS_VERSION,
        )  # fmt: skip
        await self._c.execute(
            "insert into data.contacts as x (tenant_id, contact_id, account_id, full_name, title, phone, email, opted_out, fields, import_id) "
            "select $1, i, a, n, ti, p, e, o, f::jsonb, $2 from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], "
            "$9::text[], $10::text[]) as t(i, a, n, ti, p, e, o, f) on conflict (tenant_id, contact_id) do update set full_name = excluded.full_name, "
            "title = excluded.title, phone = excluded.phone, email = excluded.email, opted_out = excluded.opted_out, fields = excluded.fields, "
            "version = x.version + 1, indexed = false, updated_at = now()",
            tenant_id, import_id, contact_ids, [account_ids[c.account] for c in plan.contacts], [c.fields.full_name for c in plan.contacts],
            [c.fields.title for c in plan.contacts], [c.fields.phone_e164 for c in plan.contacts], [c.fields.email for c in plan.contacts],
            [c.fields.opted_out.value for c in plan.contacts], [to_json(c.fields) for c in plan.contacts],
        )  # fmt: skip
        await MatchKeys(self._work).add(tenant_id, filing)

    async def write_rest(
        self, tenant_id: UUID, import_id: UUID, plan: MergePlan, written: Written, contactability: Sequence[str | None]
    ) -> None:
        """Leads, each with what trust said of it (`contactability`, None where that stays), the outcome of every row, pairs for review: what matching does
        not look at."""
        await self._write_leads(tenant_id, import_id, plan, written, contactability)
        await self._write_rows(tenant_id, import_id, plan, written.account_ids, written.contact_ids)
        await SearchText(self._work, tenant_id).enqueue()

    async def _write_leads(
        self,
        tenant_id: UUID,
        import_id: UUID,
        plan: MergePlan,
        written: Written,
        contactability: Sequence[str | None],
    ) -> None:
        """One lead a contact: a lead of a known contact is brought up to date, the strictest outcome stays."""
        account_ids, contact_ids = written.account_ids, written.contact_ids
        columns = (
            [new_id() for _ in plan.leads],
            [account_ids[lead.account] for lead in plan.leads],
            [contact_ids[lead.contact] for lead in plan.leads],
            [lead.fields.source for lead in plan.leads],
            [lead.fields.collected_directly for lead in plan.leads],
            [lead.fields.cold for lead in plan.leads],
            [lead.fields.obtained_at for lead in plan.leads],
            [lead.fields.last_activity for lead in plan.leads],
            [lead.fields.notes for lead in plan.leads],
            [lead.fields.interest for lead in plan.leads],
            [lead.fields.source_detail for lead in plan.leads],
            [lead.fields.estimated_value for lead in plan.leads],
            [lead.outcome.value for lead in plan.leads],
            [said(lead.reasons) for lead in plan.leads],
            [min(lead.rows) for lead in plan.leads],
            contactability,
        )
        table = (
            "unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bool[], $8::bool[], $9::date[], $10::date[], $11::text[], $12::text[], "
            "$13::text[], $14::numeric[], $15::text[], $16::text[], $17::int[], $18::text[]) as t(i, a, c, s, d, co, ob, la, no, it, sd, ev, oc, rs, rn, ct)"
        )
        await self._c.execute(
            "with t as (select * from " + table + "), changed as (update data.leads l set last_activity = greatest(l.last_activity, t.la), "
            "notes = coalesce(t.no, l.notes), interest = coalesce(t.it, l.interest), estimated_value = coalesce(t.ev, l.estimated_value), "
            "outcome = case when 'blocked' in (l.outcome, t.oc) then 'blocked' when 'needs_review' in (l.outcome, t.oc) then 'needs_review' "
            "else t.oc end, reasons = t.rs::jsonb, contactability = coalesce(t.ct::jsonb, l.contactability), updated_at = now() from t "
            "where l.tenant_id = $1 and l.contact_id = t.c and l.deleted_at is null returning t.i) "
            "insert into data.leads (tenant_id, import_id, lead_id, account_id, contact_id, source, collected_directly, cold, obtained_at, "
            "last_activity, notes, interest, source_detail, estimated_value, outcome, reasons, row_number, contactability) "
            "select $1, $2, i, a, c, s, d, co, ob, la, no, it, sd, ev, oc, rs::jsonb, rn, coalesce(ct, '{}')::jsonb from t "
            "where not exists (select 1 from changed where changed.i = t.i)",
            tenant_id, import_id, *columns,
        )  # fmt: skip

    async def _write_rows(
        self,
        tenant_id: UUID,
        import_id: UUID,
        plan: MergePlan,
        account_ids: Sequence[UUID],
        contact_ids: Sequence[UUID],
    ) -> None:
        await self._c.execute(
            "insert into data.import_rows (tenant_id, import_id, row_number, outcome, account_id, contact_id, fingerprint, reasons, notes) "
            "select $1, $2, n, o, a, c, f, r::jsonb, no::jsonb from unnest($3::int[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[]) "
            "as t(n, o, a, c, f, r, no) on conflict do nothing",
            tenant_id, import_id, [d.row_number for d in plan.decisions], [d.outcome.value for d in plan.decisions],
            [account_ids[d.account] for d in plan.decisions], [contact_ids[d.contact] for d in plan.decisions],
            [d.fingerprint for d in plan.decisions], [said(d.reasons) for d in plan.decisions],
            [said(d.notes) for d in plan.decisions],
        )  # fmt: skip
        await self.write_rejects(tenant_id, import_id, plan)
        ends = _ends(plan, account_ids, contact_ids)
        # A pair that waits already, or that a person said are two, is not asked about again.
        await self._c.execute(
            "insert into data.merge_reviews (tenant_id, review_id, import_id, kind, row_number, other_id, other_row, score, why, left_id, right_id) "
            "select $1, i, $2, k, n, oi, orow, s, w::jsonb, li, ri from unnest($3::uuid[], $4::text[], $5::int[], $6::uuid[], $7::int[], $8::real[], "
            "$9::text[], $10::uuid[], $11::uuid[]) as t(i, k, n, oi, orow, s, w, li, ri) where li <> ri and not exists (select 1 from data.merge_reviews m "
            "where m.tenant_id = $1 and m.state in ('waiting', 'apart') and (m.left_id, m.right_id) in ((t.li, t.ri), (t.ri, t.li)))",
            tenant_id, import_id, [new_id() for _ in plan.reviews], [r.kind for r in plan.reviews], [r.row_number for r in plan.reviews],
            [UUID(r.other_id) if r.other_id else None for r in plan.reviews], [r.other_row for r in plan.reviews],
            [r.score for r in plan.reviews], [said(r.why) for r in plan.reviews], [left for left, _ in ends], [right for _, right in ends],
        )  # fmt: skip

    async def write_rejects(self, tenant_id: UUID, import_id: UUID, plan: MergePlan) -> None:
        await self._c.execute(
            "insert into data.import_rejects (tenant_id, import_id, row_number, field, code, en, ar, raw) "
            "select $1, $2, n, f, c, e, a, r::jsonb from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as t(n, f, c, e, a, r) "
            "on conflict do nothing",
            tenant_id, import_id, [r.row_number for r in plan.rejected], [r.field for r in plan.rejected], [r.code for r in plan.rejected],
            [r.en for r in plan.rejected], [r.ar for r in plan.rejected], [json.dumps(r.raw, ensure_ascii=False) for r in plan.rejected],
        )  # fmt: skip

    async def rejects(self, tenant_id: UUID, import_id: UUID, after: int, limit: int) -> list[RejectedRow]:
        rows = await self._c.fetch(
            "select row_number, field, code, en, ar, raw from data.import_rejects where tenant_id = $1 and import_id = $2 and row_number > $3 "
            "order by row_number limit $4",
            tenant_id, import_id, after, limit,
        )  # fmt: skip
        return [RejectedRow(**{**dict(row), "raw": tuple(json.loads(row["raw"]))}) for row in rows]

    async def header(self, tenant_id: UUID, import_id: UUID) -> tuple[str, ...]:
        text = await self._c.fetchval(
            "select header from data.imports where tenant_id = $1 and import_id = $2", tenant_id, import_id
        )
        return tuple(json.loads(text or "[]"))

    async def blocked_by(self, tenant_id: UUID, import_id: UUID) -> dict[str, int]:
        """Leads of an import that may not be contacted, by why: `opted_out`, or the source's key."""
        rows = await self._c.fetch(
            "select case when reasons @> '[{\"code\": \"opted_out\"}]' then 'opted_out' else source end as why, count(*) n from data.leads "
            "where tenant_id = $1 and import_id = $2 and outcome = 'blocked' and deleted_at is null group by 1",
            tenant_id,
            import_id,
        )
        return {row["why"]: row["n"] for row in rows}


def _ends(
    plan: MergePlan, account_ids: Sequence[UUID], contact_ids: Sequence[UUID]
) -> list[tuple[UUID | None, UUID | None]]:
    """The stored records of each pair for review: the one that was there or earlier, and the one that waits."""
    at = {decision.row_number: decision for decision in plan.decisions}

    def stored(kind: str, row_number: int | None) -> UUID | None:
        decision = at.get(row_number) if row_number is not None else None
        if decision is None:
            return None
        return account_ids[decision.account] if kind == "account" else contact_ids[decision.contact]

    return [
        (UUID(r.other_id) if r.other_id else stored(r.kind, r.other_row), stored(r.kind, r.row_number))
        for r in plan.reviews
    ]


def _status(row: Any) -> ImportStatus:
    request = ImportRequest.model_validate_json(row["request"])
    return ImportStatus(
        import_id=row["import_id"],
        tenant_id=row["tenant_id"],
        file_name=request.file_name,
        source=request.source,
        state=ImportState(row["state"]),
        counts=ImportCounts.model_validate_json(row["counts"]),
        progress=row["progress"],
        dry_run=request.dry_run,
        mapping=tuple(ColumnMapping(**m) for m in json.loads(row["mapping"])),
        fields={key: Text(en=label(key, "en"), ar=label(key, "ar")) for key in sorted(fields())}
        if request.dry_run
        else {},
        encoding=row["encoding"],
        notices=tuple(Text(**one) for one in json.loads(row["notices"])),
        sample=tuple(tuple(cells) for cells in json.loads(row["sample"])),
        error_code=row["error_code"],
        error_en=row["error_en"],
        error_ar=row["error_ar"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        trace_id=row["trace_id"],
    )
