"""Storage of bindings and numbers: a part of the gateway's unit of work. The in-memory twin is in `memory.py`."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from services.gateway.webhooks.domain import Binding, Number


class Webhooks(Protocol):
    """Within one transaction over one tenant."""

    async def add_binding(self, binding: Binding) -> None: ...

    async def bindings(self, after: UUID | None, limit: int) -> list[Binding]: ...

    async def end_binding(self, binding_id: UUID) -> bool:
        """False when there is none that works."""
        ...

    async def put_number(self, number: Number) -> bool:
        """A person's one number, over an earlier one; False when it is verified as another person's of this tenant."""
        ...

    async def number_of(self, user_id: UUID) -> Number | None: ...

    async def numbers(self, mac: bytes) -> list[Number]:
        """Everybody of the tenant who claims this number; at most one of them verified it."""
        ...

    async def heard(self, user_id: UUID) -> None:
        """A message came from this person's number just now."""
        ...

    async def drop_number(self, user_id: UUID) -> bool: ...


class SqlWebhooks:
    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def add_binding(self, binding: Binding) -> None:
        b = binding
        await self._c.execute(
            "insert into webhook_bindings (tenant_id, binding_id, connector, account, secret, verify, created_by) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            b.tenant_id, b.binding_id, b.connector, b.account, b.secret, b.verify, b.created_by,
        )  # fmt: skip

    async def bindings(self, after: UUID | None, limit: int) -> list[Binding]:
        rows = await self._c.fetch(
            "select * from webhook_bindings where tenant_id = $1 and ($2::uuid is null or binding_id > $2) order by binding_id limit $3",
            self._tenant, after, limit,
        )  # fmt: skip
        return [Binding(**dict(row)) for row in rows]

    async def end_binding(self, binding_id: UUID) -> bool:
        done = await self._c.execute(
            "update webhook_bindings set ended_at = now() where tenant_id = $1 and binding_id = $2 and ended_at is null",
            self._tenant, binding_id,
        )  # fmt: skip
        return bool(done == "UPDATE 1")

    async def put_number(self, number: Number) -> bool:
        n = number
        # One at a time for a number: two people can't both have verified it.
        await self._c.execute(
            "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 7))", n.mac
        )  # fmt: skip
        if any(other.verified_at and other.user_id != n.user_id for other in await self.numbers(n.mac)):
            return False
        await self._c.execute(
            "insert into numbers (tenant_id, user_id, number, mac, code, code_until, tries, verified_at, heard_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "on conflict (tenant_id, user_id) do update set number = excluded.number, mac = excluded.mac, code = excluded.code, "
            "code_until = excluded.code_until, tries = excluded.tries, verified_at = excluded.verified_at, "
            "heard_at = excluded.heard_at",
            n.tenant_id, n.user_id, n.number, n.mac, n.code, n.code_until, n.tries, n.verified_at, n.heard_at,
        )  # fmt: skip
        return True

    async def number_of(self, user_id: UUID) -> Number | None:
        row = await self._c.fetchrow(
            "select * from numbers where tenant_id = $1 and user_id = $2 for update", self._tenant, user_id
        )
        return Number(**dict(row)) if row else None

    async def numbers(self, mac: bytes) -> list[Number]:
        rows = await self._c.fetch(
            "select * from numbers where tenant_id = $1 and mac = $2 order by user_id for update", self._tenant, mac
        )
        return [Number(**dict(row)) for row in rows]

    async def heard(self, user_id: UUID) -> None:
        sql = "update numbers set heard_at = now() where tenant_id = $1 and user_id = $2"
        await self._c.execute(sql, self._tenant, user_id)

    async def drop_number(self, user_id: UUID) -> bool:
        done = await self._c.execute("delete from numbers where tenant_id = $1 and user_id = $2", self._tenant, user_id)
        return bool(done == "DELETE 1")
