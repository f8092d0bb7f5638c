"""Making two records one, and taking that back. The strictest consent wins, and whoever is suppressed stays so."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import MergeRecords, MergeReply, UndoMerge, UndoMergeReply
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Principal, new_id
from libs.contracts.subjects import AUDITED, CONTACTABILITY
from libs.contracts.trust import AuditRecorded, ContactabilityReply, ContactabilityRequest
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.crm.errors import NotMergeable, NotUndoableMerge, SuppressionUnknown
from services.data.crm.store import Store
from services.data.crm.tables import TABLES, referring
from services.data.importing.carry import tell_changed
from services.data.importing.codec import account_fields, contact_fields, to_json
from services.data.importing.domain.merging import merge_accounts, merge_contacts
from services.data.importing.domain.records import OptOut
from services.data.importing.domain.source_policy import STRICTEST
from services.data.importing.telling import tell_leads

MERGEABLE = (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD)
_SUPPRESSED = frozenset({"suppressed", "opted_out"})
_MERGED = {
    RecordKind.ACCOUNT: ("name", "name_ar", "fields", "aliases"),
    RecordKind.CONTACT: ("full_name", "title", "phone", "email", "opted_out", "fields"),
    RecordKind.LEAD: ("contact_id", "outcome", "reasons", "cold", "last_activity", "notes", "interest", "source_detail", "estimated_value"),
}  # fmt: skip
"""The columns that a merge may change in the record that stays."""


class Merges:
    """Merges as people and the review queue ask for them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def merge(self, request: MergeRecords) -> MergeReply:
        """Raises NotMergeable, NotFound, SuppressionUnknown while trust is silent."""
        require_editor(request.principal)
        if request.kind not in MERGEABLE or request.keep_id == request.gone_id:
            raise NotMergeable
        tenant = request.principal.tenant_id
        suppressed = request.kind is RecordKind.CONTACT and await self._suppressed(
            tenant, request.keep_id, request.gone_id
        )
        async with self._database.batch(tenant) as work:
            return await self.within(work, request, suppressed=suppressed)

    async def suppression(self, principal: Principal, kind: RecordKind, *ids: UUID) -> bool:
        """Whether one of these contacts is suppressed, before a transaction is opened. Raises SuppressionUnknown."""
        return kind is RecordKind.CONTACT and await self._suppressed(principal.tenant_id, *ids)

    async def _suppressed(self, tenant: UUID, *contacts: UUID) -> bool:
        try:
            reply = await self._contactability(tenant, contacts)
        except DealixError as error:
            raise SuppressionUnknown from error
        return any(
            reason.code in _SUPPRESSED
            for item in reply.items
            for channel in item.channels
            for reason in channel.reasons
        )

    async def _contactability(self, tenant: UUID, contacts: tuple[UUID, ...]) -> ContactabilityReply:
        request = ContactabilityRequest(tenant_id=tenant, contact_ids=contacts)
        return await self._runtime.bus.call(CONTACTABILITY, request)

    async def within(self, work: BatchWork, request: MergeRecords, *, suppressed: bool) -> MergeReply:
        """The merge as part of a transaction; the same merge id again answers with what it did."""
        kind, who, tenant = request.kind, request.principal, request.principal.tenant_id
        store, table = Store(work, tenant), TABLES[kind]
        done = await work.connection.fetchrow(
            "select kept_id, moved from data.merges where tenant_id = $1 and merge_id = $2", tenant, request.merge_id
        )
        if done is not None:
            record = await store.get(kind, done["kept_id"])
            if record is None:
                raise NotFound
            return MergeReply(merge_id=request.merge_id, record=record, moved=_counts(json.loads(done["moved"])))
        rows = await work.connection.fetch(
            f"select t.{table.id} id, to_jsonb(t) as whole from data.{table.name} t where t.tenant_id = $1 and t.{table.id} = any($2::uuid[]) "
            f"and t.deleted_at is null order by t.{table.id} for update",
            tenant, [request.keep_id, request.gone_id],
        )  # fmt: skip
        whole = {row["id"]: json.loads(row["whole"]) for row in rows}
        if len(whole) != 2:
            raise NotFound
        kept, gone = whole[request.keep_id], whole[request.gone_id]
        after = _merged(kind, kept, gone, suppressed=suppressed)
        moved = await self._move(work, tenant, kind, request.keep_id, request.gone_id)
        if kind is RecordKind.CONTACT:
            await self._unsettle(work, tenant, request.keep_id, suppressed=suppressed)
        await _set(work, tenant, kind, request.keep_id, after)
        await store.delete(kind, [request.gone_id])
        await store.update(kind, request.keep_id, {})
        record = await store.get(kind, request.keep_id)
        if record is None:
            raise NotFound
        now = self._runtime.now()
        await work.connection.execute(
            "insert into data.merges (tenant_id, merge_id, kind, kept_id, gone_id, at, actor, before, after, moved) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb)",
            tenant, request.merge_id, kind.value, request.keep_id, request.gone_id, now, who.id,
            _json({"kept": {name: kept[name] for name in _MERGED[kind]}}), _json(after), _json(moved),
        )  # fmt: skip
        await work.connection.execute(
            "update data.merge_reviews set left_id = case when left_id = $3 then $2 else left_id end, "
            "right_id = case when right_id = $3 then $2 else right_id end where tenant_id = $1 and state = 'waiting' and $3 in (left_id, right_id)",
            tenant, request.keep_id, request.gone_id,
        )  # fmt: skip
        await work.connection.execute(
            "update data.merge_reviews set state = 'gone', decided_at = $2 where tenant_id = $1 and state = 'waiting' and left_id = right_id",
            tenant, now,
        )  # fmt: skip
        await store.note(who, now, "merged", record, after={"merge_id": request.merge_id}, touches=[request.gone_id])
        self._audit(
            work,
            who,
            f"{kind.value}.merged",
            request.merge_id,
            {"kept": str(request.keep_id), "gone": str(request.gone_id)},
        )
        _tell(work, tenant, kind, [request.keep_id, request.gone_id], now)
        return MergeReply(merge_id=request.merge_id, record=record, moved=_counts(moved))

    async def _move(
        self, work: BatchWork, tenant: UUID, kind: RecordKind, keep: UUID, gone: UUID
    ) -> dict[str, list[str]]:
        """Let what belonged to the one belong to the other. Returns the ids by table, for the way back."""
        moved: dict[str, list[str]] = {}
        for table, column in referring(kind):
            rows = await work.connection.fetch(
                f"update data.{table.name} set {column} = $3, updated_at = now() where tenant_id = $1 and {column} = $2 returning {table.id} id",
                tenant, gone, keep,
            )  # fmt: skip
            if rows:
                moved[table.name] = [str(row["id"]) for row in rows]
        return moved

    async def undo(self, request: UndoMerge) -> UndoMergeReply:
        """Make them two again. What was changed after the merge stays; an opt-out given since holds for both.

        Raises NotUndoableMerge.
        """
        require_editor(request.principal)
        who, tenant = request.principal, request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            row = await work.connection.fetchrow(
                "select * from data.merges where tenant_id = $1 and merge_id = $2 for update", tenant, request.merge_id
            )
            if row is None:
                raise NotFound
            kind = RecordKind(row["kind"])
            store, table = Store(work, tenant), TABLES[kind]
            current = await work.connection.fetchval(
                f"select to_jsonb(t) from data.{table.name} t where t.tenant_id = $1 and t.{table.id} = $2 and t.deleted_at is null for update",
                tenant, row["kept_id"],
            )  # fmt: skip
            if row["undone_at"] is not None or current is None:
                raise NotUndoableMerge
            now = self._runtime.now()
            current, after, before = (
                json.loads(current),
                json.loads(row["after"]),
                json.loads(row["before"]).get("kept"),
            )
            if before is None:  # erased with the person it was of
                raise NotUndoableMerge
            await _set(work, tenant, kind, row["kept_id"], _unmerged(kind, current, after, before))
            await work.connection.execute(
                f"update data.{table.name} set deleted_at = null where tenant_id = $1 and {table.id} = $2", tenant, row["gone_id"]
            )  # fmt: skip
            if kind is RecordKind.CONTACT and current["opted_out"] == "yes" and after["opted_out"] != "yes":
                await store.update(kind, row["gone_id"], {"opted_out": "yes"})
            await self._move_back(work, tenant, kind, row["kept_id"], row["gone_id"], json.loads(row["moved"]))
            for id in (row["kept_id"], row["gone_id"]):
                await store.update(kind, id, {})
            kept, restored = await store.get(kind, row["kept_id"]), await store.get(kind, row["gone_id"])
            if kept is None or restored is None:
                raise NotUndoableMerge
            await work.connection.execute(
                "update data.merges set undone_at = $3 where tenant_id = $1 and merge_id = $2",
                tenant,
                request.merge_id,
                now,
            )
            for one, other in ((kept, restored), (restored, kept)):
                await store.note(who, now, "unmerged", one, after={"merge_id": request.merge_id}, touches=[other.id])
            self._audit(
                work,
                who,
                f"{kind.value}.unmerged",
                request.merge_id,
                {"kept": str(kept.id), "restored": str(restored.id)},
            )
            _tell(work, tenant, kind, [kept.id, restored.id], now)
        return UndoMergeReply(merge_id=request.merge_id, kept=kept, restored=restored)

    async def _move_back(
        self, work: BatchWork, tenant: UUID, kind: RecordKind, kept: UUID, gone: UUID, moved: dict[str, list[str]]
    ) -> None:
        for table, column in referring(kind):
            if ids := moved.get(table.name):
                await work.connection.execute(
                    f"update data.{table.name} set {column} = $3 where tenant_id = $1 and {column} = $2 and {table.id} = any($4::uuid[])",
                    tenant, kept, gone, [UUID(one) for one in ids],
                )  # fmt: skip

    async def _unsettle(self, work: BatchWork, tenant: UUID, contact: UUID, *, suppressed: bool) -> None:
        """Of a person who was two of whom trust said different things, or of whom one is to be left alone, nothing is shown as known until trust,
        which the event has asked anew, has spoken: unknown permits nothing."""
        await work.connection.execute(
            "update data.leads set contactability = '{}' where tenant_id = $1 and contact_id = $2 and deleted_at is null and ($3 or "
            "(select count(distinct contactability) from data.leads where tenant_id = $1 and contact_id = $2 and deleted_at is null) > 1)",
            tenant, contact, suppressed,
        )  # fmt: skip

    def _audit(self, work: BatchWork, who: Principal, kind: str, merge_id: UUID, data: dict[str, Any]) -> None:
        entry = AuditRecorded(
            entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=f"merge:{merge_id}", at=self._runtime.now(),
            data=data, trace_id=telemetry.trace_id(),
        )  # fmt: skip
        work.emit(AUDITED[self._runtime.plane], entry)


def _tell(work: BatchWork, tenant: UUID, kind: RecordKind, ids: list[UUID], now: datetime) -> None:
    if kind is RecordKind.CONTACT:
        tell_changed(work, tenant, ids, now)
        tell_leads(work, tenant, now, contacts=ids)
    elif kind is RecordKind.ACCOUNT:
        tell_leads(work, tenant, now, accounts=ids)


def _merged(kind: RecordKind, kept: dict[str, Any], gone: dict[str, Any], *, suppressed: bool) -> dict[str, Any]:
    """The columns of the record that stays, after the merge."""
    if kind is RecordKind.ACCOUNT:
        fields, aliases = merge_accounts([account_fields(json.dumps(one["fields"])) for one in (kept, gone)])
        names = dict.fromkeys((*kept["aliases"], *gone["aliases"], *aliases))
        return {
            "name": fields.name,
            "name_ar": fields.name_ar,
            "fields": json.loads(to_json(fields)),
            "aliases": list(names),
        }
    if kind is RecordKind.CONTACT:
        both = [contact_fields(json.dumps(one["fields"])) for one in (kept, gone)]
        person = merge_contacts(both)
        opted_out = OptOut.YES if suppressed or "yes" in (kept["opted_out"], gone["opted_out"]) else person.opted_out
        return {
            "full_name": person.full_name, "title": person.title, "phone": person.phone_e164, "email": person.email,
            "opted_out": opted_out.value,
            "fields": json.loads(to_json(person._replace(opted_out=opted_out))),
        }  # fmt: skip
    values = {name: kept[name] if kept[name] is not None else gone[name] for name in _MERGED[kind]}
    values["outcome"] = next(one for one in STRICTEST if one in (kept["outcome"], gone["outcome"]))
    values["reasons"] = [*kept["reasons"], *(reason for reason in gone["reasons"] if reason not in kept["reasons"])]
    values["cold"] = kept["cold"] or gone["cold"]
    values["last_activity"] = max((one["last_activity"] for one in (kept, gone) if one["last_activity"]), default=None)
    return values


def _unmerged(
    kind: RecordKind, current: dict[str, Any], after: dict[str, Any], before: dict[str, Any]
) -> dict[str, Any]:
    """The columns as they were before the merge, except what has changed since."""
    values: dict[str, Any] = {}
    for name in _MERGED[kind]:
        if name == "fields":
            was, then, now = before["fields"], after["fields"], current["fields"]
            values[name] = {key: was.get(key) if _same(now[key], then.get(key)) else now[key] for key in now}
        else:
            values[name] = before[name] if _same(current[name], after[name]) else current[name]
    return values


def _same(a: Any, b: Any) -> bool:
    return json.dumps(a, sort_keys=True, default=str) == json.dumps(b, sort_keys=True, default=str)


async def _set(work: BatchWork, tenant: UUID, kind: RecordKind, id: UUID, values: dict[str, Any]) -> None:
    """Write columns from their JSON form: PostgreSQL knows their types."""
    table = TABLES[kind]
    names = list(values)
    sets = ", ".join(f"{name} = x.{name}" for name in names)
    await work.connection.execute(
        f"update data.{table.name} t set {sets} from (select * from jsonb_populate_record(null::data.{table.name}, $3::jsonb)) x "
        f"where t.tenant_id = $1 and t.{table.id} = $2",
        tenant, id, _json(values),
    )  # fmt: skip


def _json(value: Any) -> str:
    def plain(one: Any) -> str:
        return one.isoformat() if isinstance(one, date | datetime) else str(one)

    return json.dumps(value, ensure_ascii=False, default=plain)


def _counts(moved: dict[str, list[str]]) -> dict[str, int]:
    return {name: len(ids) for name, ids in moved.items()}
