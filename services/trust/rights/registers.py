"""The registers: entries by kind, every version kept, a clock where the law sets one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.registers import Register, registers
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Ok, Principal
from libs.contracts.paging import before
from libs.contracts.rights import RegisterDelete, RegisterEntry, RegisterGet, RegisterList, RegisterPut, RegisterReply
from libs.runtime.database import Database
from services.trust.errors import BadEntry, EntryChanged, EntryKept
from services.trust.ledger.domain.entry import Entry
from services.trust.store import SqlUnit

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer"})
KEEPERS = frozenset({"owner", "compliance_officer", "api_client"})


class Registers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, request: RegisterList) -> RegisterReply:
        _require(request.principal, READERS | KEEPERS)
        register, limit = register_of(request.kind), request.page.limit
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = await work.connection.fetch(
                "select *, now() as now from trust.registers where tenant_id = $1 and kind = $2 and deleted_at is null "
                "and ($3::uuid is null or entry_id < $3) order by entry_id desc limit $4",
                request.principal.tenant_id, request.kind, before(request.page), limit + 1,
            )  # fmt: skip
        more, rows = len(rows) > limit, rows[:limit]
        return RegisterReply(
            items=tuple(_entry(register, row) for row in rows), next_cursor=str(rows[-1]["entry_id"]) if more else None
        )

    async def get(self, request: RegisterGet) -> RegisterEntry:
        _require(request.principal, READERS | KEEPERS)
        register = register_of(request.kind)
        async with self._database.batch(request.principal.tenant_id) as work:
            return _entry(register, await _row(work.connection, request.principal, request.kind, request.entry_id))

    async def put(self, request: RegisterPut) -> RegisterEntry:
        """Raises BadEntry naming the field, EntryChanged when another version was edited."""
        _require(request.principal, KEEPERS)
        register, tenant = register_of(request.kind), request.principal.tenant_id
        problem = register.problem(request.values)
        if problem is not None:
            raise BadEntry(*problem)
        version = request.expected_version + 1
        async with self._database.batch(tenant) as work:
            c = work.connection
            saved = await c.fetchval(
                "insert into trust.registers (tenant_id, kind, entry_id, version, document, changed_by) values ($1, $2, $3, $4, $5::jsonb, $6) "
                "on conflict (tenant_id, entry_id) do update set version = excluded.version, document = excluded.document, "
                "changed_by = excluded.changed_by, changed_at = now() where registers.version = excluded.version - 1 "
                "and registers.kind = excluded.kind and registers.deleted_at is null returning version",
                tenant, request.kind, request.entry_id, version, json.dumps(request.values), request.principal.id,
            )  # fmt: skip
            if saved != version or (saved == 1) != (request.expected_version == 0):
                raise EntryChanged
            await self._keep(c, request.principal, request.entry_id, version, request.values)
            await c.execute("delete from trust.duty_clocks where subject_id = $1", request.entry_id)
            due = register.due_at(request.values)
            if due is not None and register.met_at(request.values) is None:
                await c.execute(
                    "insert into trust.duty_clocks (subject_id, tenant_id, kind, due_at) values ($1, $2, $3, $4)",
                    request.entry_id, tenant, f"register:{request.kind}", due,
                )  # fmt: skip
            row = await _row(c, request.principal, request.kind, request.entry_id)
            step = "added" if version == 1 else "changed"
            await _record(
                SqlUnit(work),
                request.principal,
                f"register.{step}",
                request.kind,
                request.entry_id,
                row["now"],
                version,
            )
        return _entry(register, row)

    async def delete(self, request: RegisterDelete) -> Ok:
        """Take an entry off the register. Its versions stay. Raises EntryKept where the law keeps it still."""
        _require(request.principal, KEEPERS)
        register, tenant = register_of(request.kind), request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            row = await _row(work.connection, request.principal, request.kind, request.entry_id)
            if row["version"] != request.expected_version:
                raise EntryChanged
            if register.keep is not None and register.kept(json.loads(row["document"]), row["created_at"], row["now"]):
                field = register.fields[register.keep.after]
                raise EntryKept(register.keep.years, field.en, field.ar)
            await work.connection.execute(
                "update trust.registers set deleted_at = now(), changed_by = $3 where tenant_id = $1 and entry_id = $2",
                tenant, request.entry_id, request.principal.id,
            )  # fmt: skip
            await work.connection.execute("delete from trust.duty_clocks where subject_id = $1", request.entry_id)
            await _record(
                SqlUnit(work),
                request.principal,
                "register.removed",
                request.kind,
                request.entry_id,
                row["now"],
                row["version"],
            )
        return Ok()

    async def _keep(self, c: Any, who: Principal, entry_id: UUID, version: int, values: dict[str, Any]) -> None:
        await c.execute(
            "insert into trust.register_versions (tenant_id, entry_id, version, document, changed_by) values ($1, $2, $3, $4::jsonb, $5)",
            who.tenant_id, entry_id, version, json.dumps(values), who.id,
        )  # fmt: skip


def register_of(kind: str) -> Register:
    """Raises NotFound."""
    found = registers().get(kind)
    if found is None:
        names = ", ".join(registers())
        raise NotFound("unknown_register", f"A register is one of {names}.", f"السجل واحد من: {names}.")
    return found


async def _row(connection: Any, who: Principal, kind: str, entry_id: UUID) -> Any:
    row = await connection.fetchrow(
        "select *, now() as now from trust.registers where tenant_id = $1 and kind = $2 and entry_id = $3 and deleted_at is null",
        who.tenant_id, kind, entry_id,
    )  # fmt: skip
    if row is None:
        raise NotFound
    return row


def _entry(register: Register, row: Any) -> RegisterEntry:
    values = json.loads(row["document"])
    due = register.due_at(values)
    return RegisterEntry(
        entry_id=row["entry_id"], tenant_id=row["tenant_id"], kind=row["kind"], version=row["version"], values=values,
        changed_by=row["changed_by"], changed_at=row["changed_at"], created_at=row["created_at"], due_at=due,
        late=due is not None and (register.met_at(values) or row["now"]) > due,
    )  # fmt: skip


async def _record(
    unit: SqlUnit, who: Principal, kind: str, register: str, entry_id: UUID, at: datetime, version: int
) -> None:
    entry = Entry(
        tenant_id=who.tenant_id, kind=kind, actor=who.id, target=f"register:{entry_id}", at=at,
        data={"register": register, "version": version},
    )  # fmt: skip
    await unit.append([entry])


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden
