"""The CRM as people use it: records created, changed, moved and deleted, each change remembered with who made it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, records
from libs.contracts.catalogue.sources import Collection, Handling, sources
from libs.contracts.crm import (
    BulkChange,
    BulkChanged,
    ChangeRecord,
    CreateRecord,
    DeleteRecord,
    GetRecord,
    ListRecords,
    MoveDeal,
    Record,
    RecordsReply,
    SearchReply,
    SearchRequest,
    UndoBulk,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Ok, Principal, new_id
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.claims.telling import of_activity, suggest
from services.data.crm.arrange import Arrangements
from services.data.crm.domain.values import check, shown
from services.data.crm.errors import BadFields, Changed, ReasonNeeded, StillReferred
from services.data.crm.search import SearchText
from services.data.crm.store import Store, fields_changed
from services.data.crm.tables import references, referring
from services.data.crm.telling import tell_moved, tell_reply
from services.data.errors import SourceRefused, UnknownSource
from services.data.importing.carry import tell_changed
from services.data.importing.domain.source_policy import OUTCOMES
from services.data.importing.telling import tell_leads
from services.data.screening.domain.texts import of_values
from services.data.screening.telling import of_record, tell

EDITORS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
SEARCHED_FOR_LIST = 500


_STANDING = ("stage", "status")
"""Fields whose new value the ledger says: closed words, and no data about anybody."""
_RANKED_BY = {RecordKind.LEAD: "leads", RecordKind.ACCOUNT: "accounts", RecordKind.CONTACT: "contacts"}


def require_editor(principal: Principal) -> None:
    """Raises Forbidden."""
    if not EDITORS & set(principal.roles):
        raise Forbidden


class Desk:
    """Records of every kind."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def list(self, request: ListRecords) -> RecordsReply:
        """Raises BadFields for a filter on a field that is not there."""
        tenant, kind = request.principal.tenant_id, request.kind
        where = self._where(kind, request.where)
        async with self._database.batch(tenant) as work:
            ids = None
            if request.q:
                hits = await SearchText(work, tenant).find(request.q, [kind], SEARCHED_FOR_LIST)
                ids = [hit.id for hit in hits]
            found = await Store(work, tenant).page(kind, where, ids, before(request.page), request.page.limit + 1)
        items, more = page_of(found, request.page.limit, lambda one: one.id)
        return RecordsReply(items=items, next_cursor=more)

    def _where(self, kind: RecordKind, given: Mapping[str, str]) -> dict[str, Any]:
        fields = records().kinds[kind].fields
        long = {name for name, field in fields.items() if field.type is FieldType.LONG_TEXT}
        unfixed = {name: field.evolve(fixed=False) for name, field in fields.items() if name not in long}
        where, wrong = check(unfixed, given, whole=False)
        if wrong:
            raise BadFields(wrong)
        return {name: value for name, value in where.items() if value is not None}

    async def get(self, request: GetRecord) -> Record:
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            return await self._found(Store(work, tenant), request.kind, request.id)

    async def search(self, request: SearchRequest) -> SearchReply:
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            hits = await SearchText(work, tenant).find(request.q, request.kinds, request.limit)
        return SearchReply(items=tuple(hits))

    async def create(self, request: CreateRecord) -> Record:
        """Raises BadFields, UnknownSource, SourceRefused."""
        require_editor(request.principal)
        tenant, kind = request.principal.tenant_id, request.kind
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            values, custom = await self._checked(store, kind, request.values, request.custom, whole=True)
            if kind is RecordKind.LEAD:
                values |= _standing(values["source"])
            fresh = await store.insert(kind, request.id, values, custom)
            record = await self._found(store, kind, request.id)
            if fresh:
                after = {name: value for name, value in record.values.items() if value is not None}
                await store.note(request.principal, self._runtime.now(), "created", record, after=after)
                self._audit(work, request.principal, f"{kind.value}.created", record, {"fields": sorted(after)})
                self._tell(work, kind, [record])
                held = self._screen(work, record, {**request.values, **request.custom})
                if kind is RecordKind.ACTIVITY and not held and (said := of_activity(record.values)) is not None:
                    suggest(work, tenant, f"activity:{record.id}", *said, self._runtime.now())
                await tell_reply(work, self._runtime, record)
        return record

    async def change(self, request: ChangeRecord) -> Record:
        """Raises Changed when `version` is no longer the record's, BadFields."""
        require_editor(request.principal)
        tenant, kind = request.principal.tenant_id, request.kind
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            record = await self._found(store, kind, request.id, version=request.version, lock=True)
            values, custom = await self._checked(store, kind, request.values, request.custom, whole=False)
            self._screen(work, record, {**request.values, **request.custom})
            return await self._apply(store, request.principal, record, values, custom)

    async def _apply(
        self, store: Store, who: Principal, record: Record, values: dict[str, Any], custom: dict[str, Any], *,
        what: str = "changed", reason: str = "", batch_id: UUID | None = None,
    ) -> Record:  # fmt: skip
        before, after = fields_changed(record, values, custom)
        if not after:
            return record
        await store.update(record.kind, record.id, values, custom)
        changed = await self._found(store, record.kind, record.id)
        await store.note(
            who, self._runtime.now(), what, changed, before=before, after=after, reason=reason, batch_id=batch_id
        )
        if batch_id is None:
            standing = {name: after[name] for name in _STANDING if name in after}
            self._audit(store.work, who, f"{record.kind.value}.{what}", changed, {"fields": sorted(after), **standing})
        self._tell(store.work, record.kind, [changed])
        return changed

    async def move(self, request: MoveDeal) -> Record:
        """Move a deal to another stage. Raises ReasonNeeded, Changed."""
        require_editor(request.principal)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            deal = await self._found(store, RecordKind.DEAL, request.id, version=request.version, lock=True)
            stages = records().stages
            order = list(stages)
            now, wanted = next(s for s in order if s.value == deal.values["stage"]), request.stage
            if now is wanted:
                return deal
            back = stages[now].closed or order.index(wanted) < order.index(now)
            if (stages[wanted].needs_reason or back) and not request.reason.strip():
                raise ReasonNeeded
            closed = stages[wanted].closed
            values = {
                "stage": wanted.value,
                "closed_at": self._runtime.now() if closed else None,
                "closed_reason": request.reason.strip() or None if closed else None,
            }
            moved = await self._apply(
                store, request.principal, deal, values, {}, what="moved", reason=request.reason.strip()
            )
            tell_moved(work, self._runtime, moved)
            return moved

    async def delete(self, request: DeleteRecord) -> Ok:
        """Raises StillReferred while contacts, leads or deals belong to it, Changed."""
        require_editor(request.principal)
        tenant, kind = request.principal.tenant_id, request.kind
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            record = await self._found(store, kind, request.id, version=request.version, lock=True)
            count = await self._referring(work, tenant, kind, request.id)
            if count:
                raise StillReferred(count)
            await store.delete(kind, [request.id])
            await store.note(request.principal, self._runtime.now(), "deleted", record, before=record.values)
            self._audit(work, request.principal, f"{kind.value}.deleted", record, {})
            self._tell(work, kind, [record])
        return Ok()

    async def _referring(self, work: BatchWork, tenant: UUID, kind: RecordKind, id: UUID) -> int:
        """How many records of weight belong to it; a finished call or a task does not hold an account."""
        count = 0
        for table, column in referring(kind):
            if table.kind not in (RecordKind.ACTIVITY, RecordKind.TASK):
                count += await work.connection.fetchval(
                    f"select count(*) from data.{table.name} where tenant_id = $1 and {column} = $2 and deleted_at is null", tenant, id
                )  # fmt: skip
        return count

    async def bulk(self, request: BulkChange) -> BulkChanged:
        """The same change to many; the same batch id again changes nothing more. Raises BadFields."""
        require_editor(request.principal)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            values, custom = await self._checked(store, request.kind, request.values, request.custom, whole=False)
            found = await store.many(request.kind, request.ids, lock=True)
            changed = 0
            for record in found:
                self._screen(work, record, {**request.values, **request.custom})
                after = await self._apply(store, request.principal, record, values, custom, batch_id=request.batch_id)
                changed += after.version != record.version
            self._audit_batch(work, request.principal, "records.bulk_changed", request.batch_id, changed)
        there = {record.id for record in found}
        return BulkChanged(
            batch_id=request.batch_id, changed=changed, skipped=tuple(i for i in request.ids if i not in there)
        )

    async def undo_bulk(self, request: UndoBulk) -> BulkChanged:
        """Put the old values back where nobody has changed the record since. Raises NotFound."""
        require_editor(request.principal)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            store = Store(work, tenant)
            rows = await work.connection.fetch(
                "select kind, record_id, version, before from data.changes where tenant_id = $1 and batch_id = $2 and what = 'changed'",
                tenant, request.batch_id,
            )  # fmt: skip
            if not rows:
                raise NotFound
            changed, skipped = 0, []
            for row in rows:
                kind = RecordKind(row["kind"])
                record = await store.get(kind, row["record_id"], lock=True)
                if record is None or record.version != row["version"]:
                    skipped.append(row["record_id"])
                    continue
                stored = json.loads(row["before"])
                plain = {name: value for name, value in stored.items() if not name.startswith("custom.")}
                values, _ = check(records().kinds[kind].fields, plain, whole=False)
                custom = {name[7:]: value for name, value in stored.items() if name.startswith("custom.")}
                await self._apply(
                    store, request.principal, record, values, custom, what="restored", batch_id=request.batch_id
                )
                changed += 1
            self._audit_batch(work, request.principal, "records.bulk_undone", request.batch_id, changed)
        return BulkChanged(batch_id=request.batch_id, changed=changed, skipped=tuple(skipped))

    # -- what all of them need -----------------------------------------------------------------------------------------------

    async def _found(
        self, store: Store, kind: RecordKind, id: UUID, *, version: int | None = None, lock: bool = False
    ) -> Record:
        record = await store.get(kind, id, lock=lock)
        if record is None:
            raise NotFound
        if version is not None and record.version != version:
            raise Changed
        return record

    async def _checked(
        self, store: Store, kind: RecordKind, values: Mapping[str, Any], custom: Mapping[str, Any], *, whole: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values normalised, and every reference there for this tenant. Raises BadFields, UnknownSource, SourceRefused."""
        fields = records().kinds[kind].fields
        out, wrong = check(fields, values, whole=whole)
        own: dict[str, RecordField] = await Arrangements(store.work, store.tenant_id).fields(kind) if custom else {}
        extra, more = check(own, custom, whole=False)
        wrong += more
        for name in references(kind):
            target = fields[name].to
            if out.get(name) is not None and target and not await store.there(target, [out[name]]):
                wrong.append((name, "There is no such record.", "لا يوجد سجل بهذا المعرّف."))
        if wrong:
            raise BadFields(wrong)
        if kind is RecordKind.LEAD and "source" in out:
            rule = sources().get(out["source"] or "")
            if rule is None:
                raise UnknownSource(str(out["source"]))
            if rule.handling is Handling.REFUSE:
                raise SourceRefused
        return out, {name: shown(value) for name, value in extra.items()}

    def _tell(self, work: BatchWork, kind: RecordKind, changed: Sequence[Record]) -> None:
        """Trust's facts of a contact are no longer fresh once the contact or one of its leads has changed; and what decision ranked of
        a lead is not, once it, its company or its person has."""
        if (named := _RANKED_BY.get(kind)) is not None:
            tell_leads(work, self._tenant(work), self._runtime.now(), **{named: [record.id for record in changed]})
        ids = [record.id for record in changed] if kind is RecordKind.CONTACT else []
        if kind is RecordKind.LEAD:
            ids = [UUID(record.values["contact_id"]) for record in changed if record.values.get("contact_id")]
        if ids:
            tell_changed(work, self._tenant(work), ids, self._runtime.now())

    def _screen(self, work: BatchWork, record: Record, given: Mapping[str, Any]) -> bool:
        """Tell trust what the given texts show, read as they were written; whether they show anything."""
        found = of_values(given, ours=record.kind is RecordKind.TASK)
        items = of_record(record.kind.value, record.id, record.values, found)
        tell(work, self._tenant(work), "record", items, self._runtime.now())
        return bool(found)

    @staticmethod
    def _tenant(work: BatchWork) -> UUID:
        return work.tenants[0]

    def _audit(self, work: BatchWork, who: Principal, kind: str, record: Record, data: dict[str, Any]) -> None:
        self._emit(work, who, kind, f"{record.kind.value}:{record.id}", {**data, "version": record.version})

    def _audit_batch(self, work: BatchWork, who: Principal, kind: str, batch_id: UUID, count: int) -> None:
        self._emit(work, who, kind, f"batch:{batch_id}", {"records": count})

    def _emit(self, work: BatchWork, who: Principal, kind: str, target: str, data: dict[str, Any]) -> None:
        entry = AuditRecorded(
            entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=self._runtime.now(), data=data,
            trace_id=telemetry.trace_id(),
        )  # fmt: skip
        work.emit(AUDITED[self._runtime.plane], entry)


def _standing(source: str) -> dict[str, Any]:
    """What a lead's source alone makes of it."""
    rule = sources()[source]
    return {
        "outcome": OUTCOMES[rule.handling],
        "collected_directly": rule.collection is Collection.DIRECT,
    }
