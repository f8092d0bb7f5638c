"""Records of every kind in PostgreSQL, and what was done to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.crm import Record
from libs.contracts.message import Principal, new_id
from libs.runtime.database import BatchWork
from services.data.crm.domain.values import shown
from services.data.crm.search import SearchText
from services.data.crm.tables import TABLES, Table, references

NAMED = {"account_id": ("accounts", "coalesce(x.name_ar, x.name)"), "contact_id": ("contacts", "x.full_name"), "deal_id": ("deals", "x.title")}  # fmt: skip


class Store:
    """One transaction's view of a tenant's records; `work` names the tenant."""

    def __init__(self, work: BatchWork, tenant_id: UUID) -> None:
        self.work = work
        self.tenant_id = tenant_id
        self._c = work.connection
        self._search = SearchText(work, tenant_id)

    async def get(self, kind: RecordKind, id: UUID, *, lock: bool = False) -> Record | None:
        found = await self.many(kind, [id], lock=lock)
        return found[0] if found else None

    async def many(self, kind: RecordKind, ids: Sequence[UUID], *, lock: bool = False) -> list[Record]:
        table = TABLES[kind]
        rows = await self._c.fetch(
            f"select {table.select} from data.{table.name} t where t.tenant_id = $1 and t.{table.id} = any($2::uuid[]) and t.deleted_at is null "
            f"order by t.{table.id}" + (" for update" if lock else ""),
            self.tenant_id, list(ids),
        )  # fmt: skip
        return await self._records(table, rows)

    async def page(
        self, kind: RecordKind, where: Mapping[str, Any], ids: Sequence[UUID] | None, before: UUID | None, limit: int
    ) -> list[Record]:
        """The newest records of a kind whose fields equal `where`; of `ids` alone when they are given."""
        table = TABLES[kind]
        given: list[Any] = [self.tenant_id, before, None if ids is None else list(ids), limit]
        conditions = ""
        for name, value in where.items():
            given.append(value)
            expression = f't."{table.columns[name]}"' if name in table.columns else f"t.fields->>'{table.inside[name]}'"
            if name in table.columns:
                conditions += f" and {expression} = ${len(given)}"
            else:
                text = f"t.fields->>'{name}_text'" if name in ("city", "sector") else expression
                conditions += f" and (${len(given)} in ({expression}, {text}))"
        rows = await self._c.fetch(
            f"select {table.select} from data.{table.name} t where t.tenant_id = $1 and t.deleted_at is null "
            f"and ($2::uuid is null or t.{table.id} < $2) and ($3::uuid[] is null or t.{table.id} = any($3)){conditions} "
            f"order by t.{table.id} desc limit $4",
            *given,
        )  # fmt: skip
        return await self._records(table, rows)

    async def _records(self, table: Table, rows: Sequence[Any]) -> list[Record]:
        values = [table.values(row) for row in rows]
        names = await self._names(table, values)
        return [
            Record(
                kind=table.kind,
                id=row["id"],
                version=row["version"],
                values=value,
                custom=json.loads(row["custom"]),
                names={name: names[value[name]] for name in NAMED if value.get(name) in names},
                created_at=row["created_at"],
                updated_at=row["updated_at"],
            )
            for row, value in zip(rows, values, strict=True)
        ]

    async def _names(self, table: Table, values: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, (other, expression) in NAMED.items():
            ids = {value[name] for value in values if value.get(name)} if name in references(table.kind) else set()
            if ids:
                rows = await self._c.fetch(
                    f"select x.{name} id, {expression} as named from data.{other} x where x.tenant_id = $1 and x.{name} = any($2::uuid[])",
                    self.tenant_id, list(map(UUID, ids)),
                )  # fmt: skip
                found |= {str(row["id"]): row["named"] for row in rows if row["named"]}
        return found

    async def there(self, kind: RecordKind, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are records of this kind."""
        table = TABLES[kind]
        rows = await self._c.fetch(
            f"select {table.id} id from data.{table.name} where tenant_id = $1 and {table.id} = any($2::uuid[]) and deleted_at is null",
            self.tenant_id, list(ids),
        )  # fmt: skip
        return {row["id"] for row in rows}

    async def insert(self, kind: RecordKind, id: UUID, values: Mapping[str, Any], custom: Mapping[str, Any]) -> bool:
        """Store a new record; False where the id is taken."""
        table = TABLES[kind]
        columns: dict[str, Any] = {"tenant_id": self.tenant_id, table.id: id, "custom": _json(custom)}
        columns |= dict(table.defaults)
        columns |= {
            table.columns.get(name, name): value
            for name, value in values.items()
            if (name in table.columns or name not in table.inside) and (value is not None or name not in table.defaults)
        }
        if table.inside:
            columns["fields"] = json.dumps({**json.loads(table.blank), **table.patch(values)}, ensure_ascii=False)
        names = ", ".join(f'"{name}"' for name in columns)
        slots = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        done = await self._c.execute(
            f"insert into data.{table.name} ({names}) values ({slots}) on conflict do nothing", *columns.values()
        )
        await self._search.index(kind, [id])
        return bool(done.endswith(" 1"))

    async def update(
        self, kind: RecordKind, id: UUID, values: Mapping[str, Any], custom: Mapping[str, Any] | None = None
    ) -> None:
        """Set fields (and the tenant's own ones), and count the version up. Fixed fields may be set here as well."""
        table = TABLES[kind]
        given: list[Any] = [self.tenant_id, id]
        sets = ["version = version + 1", "updated_at = now()"]
        for name, value in values.items():
            if name in table.columns or name not in table.inside:
                given.append(table.defaults.get(name) if value is None else value)
                sets.append(f'"{table.columns.get(name, name)}" = ${len(given)}')
        if table.inside and (patch := table.patch(values)):
            given.append(_json(patch))
            sets.append(f"fields = fields || ${len(given)}::jsonb")
        if custom:
            given.append(_json(custom))
            sets.append(f"custom = custom || ${len(given)}::jsonb")
        await self._c.execute(
            f"update data.{table.name} set {', '.join(sets)} where tenant_id = $1 and {table.id} = $2", *given
        )
        await self._unfile(kind, [id])
        await self._search.index(kind, [id])

    async def delete(self, kind: RecordKind, ids: Sequence[UUID]) -> None:
        """Take records away; imports never meet them again."""
        table = TABLES[kind]
        await self._c.execute(
            f"update data.{table.name} set deleted_at = now(), version = version + 1 where tenant_id = $1 and {table.id} = any($2::uuid[])",
            self.tenant_id, list(ids),
        )  # fmt: skip
        await self._unfile(kind, ids)
        await self._search.drop(kind, ids)

    async def _unfile(self, kind: RecordKind, ids: Sequence[UUID]) -> None:
        """Accounts whose matching keys may have changed are filed anew before the next import."""
        if kind is RecordKind.ACCOUNT:
            chosen = "account_id = any($2::uuid[])"
        elif kind is RecordKind.CONTACT:
            chosen = "account_id in (select account_id from data.contacts where tenant_id = $1 and contact_id = any($2::uuid[]))"
        else:
            return
        await self._c.execute(
            f"update data.accounts set keys_version = 0 where tenant_id = $1 and {chosen}", self.tenant_id, list(ids)
        )

    async def note(
        self, who: Principal, at: datetime, what: str, record: Record, *, before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None, reason: str = "", batch_id: UUID | None = None, touches: Sequence[UUID] = (),
    ) -> None:  # fmt: skip
        """Remember what was done to a record. `record` is it as it is now."""
        referred = [UUID(record.values[name]) for name in references(record.kind) if record.values.get(name)]
        await self._c.execute(
            "insert into data.changes (tenant_id, change_id, kind, record_id, version, at, actor, actor_name, what, before, after, reason, batch_id, "
            "touches) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12, $13, $14::uuid[])",
            self.tenant_id, new_id(), record.kind.value, record.id, record.version, at, who.id, who.name, what, _json(before or {}),
            _json(after or {}), reason, batch_id, [record.id, *referred, *touches],
        )  # fmt: skip


def fields_changed(
    old: Record, values: Mapping[str, Any], custom: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after of the fields that really change, as JSON has them. A tenant's own field is `custom.<key>`."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in values.items():
        if name in records().kinds[old.kind].fields and old.values.get(name) != shown(value):
            before[name], after[name] = old.values.get(name), shown(value)
    for name, value in custom.items():
        if old.custom.get(name) != shown(value):
            before[f"custom.{name}"], after[f"custom.{name}"] = old.custom.get(name), shown(value)
    return before, after


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps({name: shown(value) for name, value in values.items()}, ensure_ascii=False)
