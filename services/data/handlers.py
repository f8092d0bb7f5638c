"""Data's answers: tenants, imports, facts for trust, leads for decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.data import (
    ConsentClaim,
    ContactFacts,
    EnsureTenant,
    FactsReply,
    FactsRequest,
    ImportGet,
    ImportRequest,
    ImportsReply,
    ImportsRequest,
    ImportState,
    ImportStatus,
    Lead,
    LeadPagesReply,
    LeadPagesRequest,
    LeadsReply,
    LeadsRequest,
    RejectsReply,
    RejectsRequest,
    TenantProfile,
    TenantRequest,
    UndoReply,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Principal, new_id
from libs.contracts.observed import ImportFact
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.data.errors import NotCancellable, NotUndoable, SlugTaken, SourceRefused, UnknownSource
from services.data.importing.carry import tell_changed
from services.data.importing.codec import consent_claims
from services.data.importing.look import forget_rows
from services.data.importing.store import Imports
from services.data.importing.telling import tell_leads
from services.data.importing.undo import undo
from services.data.importing.worker import ImportWorker
from services.data.restoring.store import undo_records
from services.data.telling import tell_facts

IMPORTERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
_COMPLETENESS = (
    "contact_name",
    "title",
    "email",
    "phone",
    "sector",
    "city",
    "employees",
    "last_activity_at",
    "notes",
    "estimated_value",
)


def _looked_at(request: ImportRequest) -> UUID | None:
    """The dry run whose file is imported now: objects are named after the import that brought them."""
    named = request.object_name.rpartition("/")[2]
    try:
        return UUID(named) if named != str(request.import_id) else None
    except ValueError:
        return None


class Tenants:
    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def ensure(self, request: EnsureTenant) -> TenantProfile:
        """Create a tenant, or answer with the one that has the slug.

        Raises SlugTaken when the id belongs to another slug.
        """
        wanted = request.profile
        async with self._database.batch() as work:
            await work.connection.execute(
                "insert into data.slugs (slug, tenant_id) values ($1, $2) on conflict do nothing",
                wanted.slug,
                wanted.tenant_id,
            )
            tenant_id = await work.connection.fetchval("select tenant_id from data.slugs where slug = $1", wanted.slug)
        async with self._database.batch(tenant_id) as work:
            await work.connection.execute(
                "insert into data.tenants (tenant_id, slug, profile) values ($1, $2, $3::jsonb) on conflict do nothing",
                tenant_id, wanted.slug, wanted.evolve(tenant_id=tenant_id).model_dump_json(),
            )  # fmt: skip
            stored = await work.connection.fetchval("select profile from data.tenants where tenant_id = $1", tenant_id)
        profile = TenantProfile.model_validate_json(stored)
        if profile.slug != wanted.slug:
            raise SlugTaken
        return profile

    async def get(self, request: TenantRequest) -> TenantProfile:
        async with self._database.batch(request.tenant_id) as work:
            stored = await work.connection.fetchval(
                "select profile from data.tenants where tenant_id = $1", request.tenant_id
            )
        if stored is None:
            raise NotFound
        return TenantProfile.model_validate_json(stored)


class ImportDesk:
    """Imports as users see them."""

    def __init__(self, runtime: Runtime, worker: ImportWorker) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._worker = worker

    async def start(self, request: ImportRequest) -> ImportStatus:
        """Queue an import; committed before the answer.

        Raises UnknownSource, or SourceRefused for a source that is never taken in.
        """
        _require(request.principal, IMPORTERS)
        rule = sources().get(request.source)
        if rule is None:
            raise UnknownSource(request.source)
        if rule.handling is Handling.REFUSE:
            raise SourceRefused
        async with self._database.batch(request.principal.tenant_id) as work:
            await Imports(work).create(request, telemetry.trace_id())
            await forget_rows(work, request.principal.tenant_id, _looked_at(request))
        self._worker.wake.set()
        return await self.status(ImportGet(principal=request.principal, import_id=request.import_id))

    async def status(self, request: ImportGet) -> ImportStatus:
        async with self._database.batch(request.principal.tenant_id) as work:
            found = await Imports(work).status(request.principal.tenant_id, request.import_id)
        if found is None:
            raise NotFound
        return found

    async def list(self, request: ImportsRequest) -> ImportsReply:
        async with self._database.batch(request.principal.tenant_id) as work:
            items = await Imports(work).newest(
                request.principal.tenant_id, before(request.page), request.page.limit + 1
            )
        page, more = page_of(items, request.page.limit, lambda one: one.import_id)
        return ImportsReply(items=page, next_cursor=more)

    async def rejects(self, request: RejectsRequest) -> RejectsReply:
        tenant = request.principal.tenant_id
        after = int(request.page.cursor) if request.page.cursor and request.page.cursor.isdigit() else -1
        async with self._database.batch(tenant) as work:
            imports = Imports(work)
            if await imports.status(tenant, request.import_id) is None:
                raise NotFound
            rows = await imports.rejects(tenant, request.import_id, after, request.page.limit + 1)
            header = await imports.header(tenant, request.import_id)
        more = len(rows) > request.page.limit
        rows = rows[: request.page.limit]
        return RejectsReply(header=header, rows=tuple(rows), next_cursor=str(rows[-1].row_number) if more else None)

    async def cancel(self, request: ImportGet) -> ImportStatus:
        """Stop an import that has not been written yet: nothing of it is kept.

        Raises NotCancellable once it is written; undo takes it back then.
        """
        _require(request.principal, IMPORTERS)
        tenant = request.principal.tenant_id
        status = await self.status(request)
        async with self._database.batch(tenant) as work:
            imports = Imports(work)
            if not await imports.ask_to_cancel(tenant, request.import_id):
                raise NotCancellable(status.state.value)
            work.emit(
                AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=tenant,
                    kind="import.cancelled",
                    actor=request.principal.id,
                    target=f"import:{request.import_id}",
                    at=self._runtime.now(),
                    data={},
                    trace_id=telemetry.trace_id(),
                ),
            )
        self._worker.wake.set()
        return status

    async def undo(self, request: ImportGet) -> UndoReply:
        """Take an import back as a whole. What other imports also brought, and what people have worked on since, stays.

        Raises NotUndoable unless the import is completed.
        """
        _require(request.principal, IMPORTERS - {"api_client"})
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            imports = Imports(work)
            status = await imports.status(tenant, request.import_id)
            if status is None:
                raise NotFound
            if status.state is not ImportState.COMPLETED or status.dry_run:
                raise NotUndoable(status.state.value)
            others = await undo_records(work, tenant, request.import_id)
            taken = await undo(work, tenant, request.import_id)
            await imports.finish(tenant, request.import_id, ImportState.UNDONE)
            tell_changed(work, tenant, taken.gone, self._runtime.now())
            tell_leads(work, tenant, self._runtime.now(), contacts=taken.gone)
            taken_back = ImportFact(subject=request.import_id, source=status.source, fields=(), dropped=0)
            tell_facts(work, tenant, [taken_back], self._runtime.now())
            work.emit(
                AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=tenant,
                    kind="import.undone",
                    actor=request.principal.id,
                    target=f"import:{request.import_id}",
                    at=self._runtime.now(),
                    data={"removed": len(taken.gone) + others, "kept": taken.kept},
                    trace_id=telemetry.trace_id(),
                ),
            )
        return UndoReply(import_id=request.import_id, removed=len(taken.gone) + others, kept=taken.kept)


_LEADS = (
    "select l.lead_id, l.account_id, l.contact_id, l.source, l.source_detail, l.obtained_at, l.last_activity, l.interest, l.notes, "
    "l.estimated_value, l.contactability, l.import_id, l.row_number, l.updated_at from data.leads l "
    "where l.tenant_id = $1 and l.deleted_at is null and l.lead_id > $2 and l.lead_id <= $4 and {picked} order by l.lead_id limit $3"
)


_BEFORE_ALL, _AFTER_ALL = str(UUID(int=0)), UUID(int=(1 << 128) - 1)


class Truth:
    """What other planes may know of contacts and leads."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def facts(self, request: FactsRequest) -> FactsReply:
        """Facts for trust. A contact's source is the riskiest of its leads'; the strictest opt-out holds."""
        async with self._database.batch(request.tenant_id, plans="anew") as work:
            # One by one: asked for all at once, the planner goes through the whole tenant where it knows little of it, after an import for one.
            contacts = await work.connection.fetch(
                "select c.* from unnest($2::uuid[]) w(id) cross join lateral (select contact_id, account_id, email, phone, opted_out, fields, "
                "version, updated_at from data.contacts where tenant_id = $1 and contact_id = w.id and deleted_at is null offset 0) c",
                request.tenant_id, request.contact_ids,
            )  # fmt: skip
            found = await work.connection.fetch(
                "select l.* from unnest($2::uuid[]) w(id) cross join lateral (select contact_id, source, collected_directly, cold, obtained_at, "
                "import_id, row_number from data.leads where tenant_id = $1 and contact_id = w.id and deleted_at is null offset 0) l",
                request.tenant_id, request.contact_ids,
            )  # fmt: skip
        leads: dict[UUID, list[Any]] = {}
        for lead in found:
            leads.setdefault(lead["contact_id"], []).append(lead)
        return FactsReply(items=tuple(_facts(row, leads.get(row["contact_id"], ())) for row in contacts))

    async def leads(self, request: LeadsRequest) -> LeadsReply:
        after = UUID(request.cursor or _BEFORE_ALL)
        picked = (request.lead_ids, request.account_ids, request.contact_ids)
        # Two statements: one that asks whether anything was picked would read all leads to find one.
        some = "(l.lead_id = any($5::uuid[]) or l.account_id = any($6::uuid[]) or l.contact_id = any($7::uuid[]))"
        async with self._database.batch(request.tenant_id, plans="anew") as work:
            # By id, whatever the planner knows: of a list that has just been imported it knows nothing, and would sort it all for each page.
            await work.connection.execute("set local enable_sort = off")
            rows = await work.connection.fetch(
                _LEADS.format(picked=some if any(picked) else "true"),
                request.tenant_id, after, request.limit + 1, request.until or _AFTER_ALL, *(map(list, picked) if any(picked) else ()),
            )  # fmt: skip
            more, rows = len(rows) > request.limit, rows[: request.limit]
            # One by one, as above.
            accounts = await work.connection.fetch(
                "select a.* from unnest($2::uuid[]) w(id) cross join lateral (select account_id, name, name_ar, fields from data.accounts "
                "where tenant_id = $1 and account_id = w.id offset 0) a",
                request.tenant_id, list({row["account_id"] for row in rows}),
            )  # fmt: skip
            contacts = await work.connection.fetch(
                "select c.* from unnest($2::uuid[]) w(id) cross join lateral (select contact_id, full_name, title, email, phone from data.contacts "
                "where tenant_id = $1 and contact_id = w.id and deleted_at is null offset 0) c",
                request.tenant_id, [row["contact_id"] for row in rows if row["contact_id"]],
            )  # fmt: skip
        account_of = {row["account_id"]: row for row in accounts}
        contact_of = {row["contact_id"]: row for row in contacts}
        items = [
            _lead(row, account, contact_of.get(row["contact_id"]))
            for row in rows
            if (account := account_of.get(row["account_id"])) is not None
        ]
        return LeadsReply(items=tuple(items), next_cursor=str(rows[-1]["lead_id"]) if more else None)

    async def lead_pages(self, request: LeadPagesRequest) -> LeadPagesReply:
        """Where the pages of a tenant's leads end, so that several can be asked for at once."""
        async with self._database.batch(request.tenant_id, plans="anew") as work:
            await work.connection.execute("set local enable_sort = off")
            rows = await work.connection.fetch(
                "select lead_id from (select lead_id, row_number() over (order by lead_id) nth from data.leads where tenant_id = $1 and deleted_at is null) l "
                "where nth % $2 = 0 order by nth",
                request.tenant_id, request.size,
            )  # fmt: skip
        return LeadPagesReply(ends=tuple(row["lead_id"] for row in rows))


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


@cache
def _risks() -> dict[str, tuple[int, int]]:
    """How risky each source is: how strictly it is handled, then its own risk."""
    return {key: (rule.strictness, rule.risk or 0) for key, rule in sources().items()}


def _facts(row: Any, leads: Sequence[Any]) -> ContactFacts:
    riskiest = max(leads, key=lambda lead: _risks().get(lead["source"], (9, 100)), default=None)
    evidence = f"import:{riskiest['import_id']} row:{riskiest['row_number']}" if riskiest else ""
    return ContactFacts(
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        email=row["email"],
        phone=row["phone"],
        source=riskiest["source"] if riskiest else "unknown",
        obtained_at=riskiest["obtained_at"] if riskiest else None,
        collected_directly=bool(leads) and all(lead["collected_directly"] for lead in leads),
        opted_out=row["opted_out"],
        cold=any(lead["cold"] for lead in leads),
        email_valid=None if row["email"] is None else True,
        last_verified_at=row["updated_at"],
        # A consent without its date is no consent: when it was given must be documented (PDPL IR art. 11).
        consents=tuple(
            ConsentClaim(
                channel=claim.channel,
                purpose="marketing",
                captured_at=datetime.combine(claim.at, time(), UTC),
                method=claim.how or "import",
                evidence=evidence,
            )
            for claim in consent_claims(row["fields"])
            if claim.given and claim.at is not None and evidence
        ),
        version=row["version"],
    )


def _lead(row: Any, of: Any, contact: Any | None) -> Lead:
    account = orjson.loads(of["fields"])
    values: dict[str, Any] = {
        "contact_name": contact and contact["full_name"],
        "title": contact and contact["title"],
        "email": contact and contact["email"],
        "phone": contact and contact["phone"],
        "sector": account.get("sector") or account.get("sector_text"),
        "city": account.get("city") or account.get("city_text"),
        "employees": account.get("employees"),
        "last_activity_at": row["last_activity"],
        "notes": " · ".join(part for part in (row["interest"], row["notes"]) if part) or None,
        "estimated_value": row["estimated_value"],
    }
    known = sum(values[name] is not None for name in _COMPLETENESS)
    return Lead(
        lead_id=row["lead_id"],
        account_id=row["account_id"],
        contact_id=row["contact_id"],
        account_name=of["name"],
        account_name_ar=of["name_ar"],
        region=account.get("region"),
        source=row["source"],
        source_detail=row["source_detail"],
        obtained_at=row["obtained_at"],
        contactability=orjson.loads(row["contactability"]),
        import_id=row["import_id"],
        row_number=row["row_number"],
        completeness=known / len(_COMPLETENESS),
        updated_at=row["updated_at"],
        **values,
    )
