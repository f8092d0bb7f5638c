"""Records of an export in PostgreSQL: what is there already, the new ones written many at a time, and how they are taken away again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.crm import CustomField, Record
from libs.contracts.data import ImportCounts
from libs.contracts.message import derived_id
from libs.runtime.database import BatchWork
from services.data.crm.domain.values import shown
from services.data.crm.search import SearchText
from services.data.crm.store import Store
from services.data.crm.tables import TABLES
from services.data.importing.codec import contact_fields, said, to_json
from services.data.importing.domain.merging import merge_contacts
from services.data.importing.domain.records import ContactFields, RowRejected, Said
from services.data.restoring.domain.archive import ORDER, Export
from services.data.restoring.domain.items import Item

_OF_IMPORTS = frozenset({RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD})
"""Kinds whose records say which import brought them."""


class Restored:
    """One transaction's view; `work` names the tenant."""

    def __init__(self, work: BatchWork, tenant_id: UUID, import_id: UUID) -> None:
        self._c = work.connection
        self._work = work
        self._tenant = tenant_id
        self._import = import_id
        self._store = Store(work, tenant_id)

    async def places(self, kind: RecordKind, wanted: Iterable[UUID]) -> dict[UUID, tuple[UUID, bool]]:
        """Under which id each record is or can be stored, and whether it is there. Where the one that it had belongs to a deleted record it gets
        another of the same time, each time the same, so that what was deleted stays so and importing again doubles nothing."""
        table = TABLES[kind]
        out: dict[UUID, tuple[UUID, bool]] = {}
        open_ = {id: id for id in wanted}
        while open_:
            rows = await self._c.fetch(
                f"select {table.id} id, deleted_at is null as alive from data.{table.name} where tenant_id = $1 and {table.id} = any($2::uuid[])",
                self._tenant, list(open_.values()),
            )  # fmt: skip
            alive = {row["id"]: row["alive"] for row in rows}
            out |= {id: (at, at in alive) for id, at in open_.items() if alive.get(at, True)}
            open_ = {id: derived_id(at, self._tenant) for id, at in open_.items() if not alive.get(at, True)}
        return out

    async def insert(self, kind: RecordKind, new: Sequence[tuple[UUID, Item]]) -> None:
        """Store new records as they were."""
        if not new:
            return
        table = TABLES[kind]
        rows = [self._row(kind, id, item) for id, item in new]
        names = ", ".join(f'"{name}"' for name in rows[0])
        await self._c.execute(
            f"insert into data.{table.name} ({names}) select {names} from jsonb_populate_recordset(null::data.{table.name}, $1::jsonb)",
            json.dumps(rows, ensure_ascii=False),
        )  # fmt: skip
        await SearchText(self._work, self._tenant).enqueue()

    def _row(self, kind: RecordKind, id: UUID, item: Item) -> dict[str, Any]:
        table = TABLES[kind]
        now = shown(self._now)
        row: dict[str, Any] = {
            "tenant_id": str(self._tenant), table.id: str(id), "custom": item.custom, "version": item.version,
            "created_at": shown(item.created_at) or now, "updated_at": shown(item.updated_at) or now,
        }  # fmt: skip
        for name, column in table.columns.items():
            value = item.values.get(name)
            row[column] = shown(table.defaults.get(name) if value is None else value)
        if table.inside:
            row["fields"] = json.loads(table.blank) | table.patch(item.values)
        if kind is RecordKind.CONTACT:
            row["fields"] |= {"opted_out": row["opted_out"], "consents": _claims(item)}
        elif item.beside:
            row |= item.beside
        if kind in _OF_IMPORTS:
            row["import_id"] = str(self._import)
        return row

    async def begin(self) -> None:
        self._now = await self._c.fetchval("select now()")

    async def fill(self, kind: RecordKind, pairs: Sequence[tuple[UUID, Item]]) -> set[UUID]:
        """Fill the blanks of records that are there; what is stricter of the two counts. Returns the ids of those that changed."""
        there = {record.id: record for record in await self._store.many(kind, [id for id, _ in pairs], lock=True)}
        changed: set[UUID] = set()
        for id, item in pairs:
            record = there[id]
            values, custom = _missing(kind, record, item)
            if kind is RecordKind.CONTACT and item.values.get("opted_out") == "yes" != record.values.get("opted_out"):
                values["opted_out"] = "yes"
            if values or custom:
                await self._store.update(kind, id, values, custom)
                changed.add(id)
            if (kind is RecordKind.CONTACT and await self._consents(id, item)) or (kind is RecordKind.LEAD and await self._standing(id, item)):  # fmt: skip
                changed.add(id)
        return changed

    async def _consents(self, id: UUID, item: Item) -> bool:
        claims = item.beside["consents"]
        if not claims:
            return False
        stored = contact_fields(
            await self._c.fetchval("select fields from data.contacts where tenant_id = $1 and contact_id = $2", self._tenant, id)
        )  # fmt: skip
        both = merge_contacts([stored, ContactFields(consents=claims)]).consents
        if set(both) == set(stored.consents):
            return False
        merged = json.loads(to_json(ContactFields(consents=both)))["consents"]
        await self._c.execute(
            "update data.contacts set fields = fields || jsonb_build_object('consents', $3::jsonb), version = version + 1, updated_at = now() "
            "where tenant_id = $1 and contact_id = $2",
            self._tenant, id, json.dumps(merged, ensure_ascii=False),
        )  # fmt: skip
        return True

    async def _standing(self, id: UUID, item: Item) -> bool:
        """Whether the lead's standing became stricter."""
        done = await self._c.fetchval(
            "update data.leads set cold = cold or $3, collected_directly = collected_directly and $4, reasons = case when reasons = '[]' then $6::jsonb "
            "else reasons end, outcome = case when 'blocked' in (outcome, $5) then 'blocked' when 'needs_review' in (outcome, $5) then 'needs_review' "
            "else outcome end, contactability = '{}', version = version + 1, updated_at = now() where tenant_id = $1 and lead_id = $2 and "
            "((not cold and $3) or (collected_directly and not $4) or (outcome <> 'blocked' and $5 = 'blocked') or "
            "(outcome = 'created' and $5 = 'needs_review')) returning true",
            self._tenant, id, item.beside["cold"], item.beside["collected_directly"], item.values["outcome"],
            json.dumps(item.beside["reasons"], ensure_ascii=False),
        )  # fmt: skip
        return bool(done)

    async def leads_of(self, contacts: Sequence[UUID]) -> dict[UUID, UUID]:
        """The lead of each of these contacts that has one; the oldest."""
        rows = await self._c.fetch(
            "select contact_id, lead_id from data.leads where tenant_id = $1 and contact_id = any($2::uuid[]) and deleted_at is null order by lead_id desc",
            self._tenant, list(contacts),
        )  # fmt: skip
        return {row["contact_id"]: row["lead_id"] for row in rows}

    async def own_fields(self, given: Sequence[CustomField]) -> None:
        """Add the tenant's own fields that are not there yet."""
        await self._c.executemany(
            "insert into data.custom_fields (tenant_id, kind, key, field) values ($1, $2, $3, $4::jsonb) on conflict do nothing",
            [(self._tenant, one.kind.value, one.key, one.model_dump_json()) for one in given],
        )

    async def note(self, ends: Sequence[tuple[Item, str, UUID | None, UUID | None, UUID]]) -> None:
        """The outcome of every row with its account, contact and record."""
        await self._c.execute(
            "insert into data.import_rows (tenant_id, import_id, row_number, outcome, account_id, contact_id, fingerprint, reasons, notes) "
            "select $1, $2, n, o, a, c, f, '[]', no::jsonb from unnest($3::int[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[]) "
            "as t(n, o, a, c, f, no) on conflict do nothing",
            self._tenant, self._import, [item.number for item, *_ in ends], [outcome for _, outcome, *_ in ends], [end[2] for end in ends],
            [end[3] for end in ends], [f"{end[0].kind.value}:{end[4]}" for end in ends], [said(end[0].notes) for end in ends],
        )  # fmt: skip

    async def reject(self, rejected: Sequence[RowRejected]) -> None:
        await self._c.executemany(
            "insert into data.import_rejects (tenant_id, import_id, row_number, field, code, en, ar, raw) values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) "
            "on conflict do nothing",
            [
                (self._tenant, self._import, r.row_number, r.field, r.code, r.en, r.ar, json.dumps([cell.replace("\x00", "\ufffd") for cell in r.raw], ensure_ascii=False))
                for r in rejected
            ],
        )  # fmt: skip

    async def describe(self, export: Export, counts: ImportCounts, notice: Said) -> None:
        await self._c.execute(
            "update data.imports set header = $3::jsonb, counts = $4::jsonb, encoding = 'utf-8', notices = $5::jsonb where tenant_id = $1 and import_id = $2",
            self._tenant, self._import, json.dumps(export.header, ensure_ascii=False), counts.model_dump_json(),
            json.dumps([{"en": notice.en, "ar": notice.ar}], ensure_ascii=False),
        )  # fmt: skip


async def undo_records(work: BatchWork, tenant_id: UUID, import_id: UUID) -> int:
    """Take away what an export brought beside people and companies, and leads of nobody, unless somebody has worked on it. Returns how many."""
    done = 0
    for kind in reversed(ORDER):
        if kind in (RecordKind.ACCOUNT, RecordKind.CONTACT):
            continue
        table = TABLES[kind]
        rows = await work.connection.fetch(
            f"update data.{table.name} x set deleted_at = now() where tenant_id = $1 and deleted_at is null"
            + (" and contact_id is null" if kind is RecordKind.LEAD else "")
            + f" and {table.id} in (select split_part(r.fingerprint, ':', 2)::uuid from data.import_rows r where r.tenant_id = $1 and r.import_id = $2 "
            "and r.fingerprint like $3 and r.outcome <> 'merged') "
            f"and not exists (select 1 from data.changes c where c.tenant_id = $1 and x.{table.id} = any(c.touches)) returning {table.id} id",
            tenant_id, import_id, f"{kind.value}:%",
        )  # fmt: skip
        await SearchText(work, tenant_id).drop(kind, [row["id"] for row in rows])
        done += len(rows)
    return done


def _claims(item: Item) -> list[dict[str, Any]]:
    return [asdict(claim) | {"at": shown(claim.at)} for claim in item.beside["consents"]]


def _missing(kind: RecordKind, record: Record, item: Item) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the export knows and the record does not."""
    fields: Mapping[str, Any] = records().kinds[kind].fields
    values = {
        name: value
        for name, value in item.values.items()
        if value is not None and record.values.get(name) is None and not fields[name].fixed
    }
    return values, {name: value for name, value in item.custom.items() if record.custom.get(name) is None}
