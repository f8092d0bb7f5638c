"""Storage of suppressions as a list, of what waits for a contact, and of when a sender began. The twin is in `memory.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.consent import Suppression
from libs.contracts.trust import ConsentRecord

SHOWN = 16
"""Characters of a keyed hash that name an entry of the list."""


class Consents(Protocol):
    """Within one transaction."""

    async def suppressions(self, tenant_id: UUID, after: str | None, limit: int) -> list[tuple[str, Suppression]]: ...

    async def contacts_of(self, tenant_id: UUID, mac: str) -> list[UUID]: ...

    async def waiting_about(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
        """Pending approvals of messages to these contacts: (contact, approval)."""
        ...

    async def first_day(self, tenant_id: UUID, channel: str) -> date | None: ...

    async def one(self, tenant_id: UUID, consent_id: UUID) -> ConsentRecord | None: ...

    async def macs(self, tenant_id: UUID, contact_id: UUID) -> tuple[str | None, str | None]:
        """Keyed hashes of a contact's e-mail address and number, as the projection holds them."""
        ...


class SqlConsents:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def suppressions(self, tenant_id: UUID, after: str | None, limit: int) -> list[tuple[str, Suppression]]:
        rows = await self._c.fetch(
            "select * from trust.suppressions where tenant_id = $1 and ($2::text is null or mac > $2) order by mac limit $3",
            tenant_id, after, limit,
        )  # fmt: skip
        return [
            (r["mac"], Suppression(name=r["mac"][:SHOWN], reason=r["reason"], actor=r["actor"], at=r["at"]))
            for r in rows
        ]

    async def contacts_of(self, tenant_id: UUID, mac: str) -> list[UUID]:
        rows = await self._c.fetch(
            "select contact_id from trust.contact_facts where tenant_id = $1 and (email_mac = $2 or phone_mac = $2)",
            tenant_id, mac,
        )  # fmt: skip
        return [row["contact_id"] for row in rows]

    async def waiting_about(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
        rows = await self._c.fetch(
            "select document->'view'->'resource'->>'id' as contact, approval_id from trust.approvals where tenant_id = $1 and state = 'pending' "
            "and document->'view'->'resource'->>'type' = 'contact' and document->'view'->'resource'->>'id' = any($2::text[]) "
            "order by approval_id",
            tenant_id, [str(one) for one in contact_ids],
        )  # fmt: skip
        return [(UUID(row["contact"]), row["approval_id"]) for row in rows]

    async def first_day(self, tenant_id: UUID, channel: str) -> date | None:
        found: date | None = await self._c.fetchval(
            "select min(day) from trust.caps where tenant_id = $1 and channel = $2 and used > 0", tenant_id, channel
        )
        return found

    async def one(self, tenant_id: UUID, consent_id: UUID) -> ConsentRecord | None:
        row = await self._c.fetchrow(
            "select consent_id, contact_id, purpose, channel, method, captured_at, evidence, notice_version, expires_at, withdrawn_at "
            "from trust.consents where tenant_id = $1 and consent_id = $2",
            tenant_id, consent_id,
        )  # fmt: skip
        return ConsentRecord(**dict(row)) if row else None

    async def macs(self, tenant_id: UUID, contact_id: UUID) -> tuple[str | None, str | None]:
        row = await self._c.fetchrow(
            "select email_mac, phone_mac from trust.contact_facts where tenant_id = $1 and contact_id = $2",
            tenant_id, contact_id,
        )  # fmt: skip
        return (row["email_mac"], row["phone_mac"]) if row else (None, None)
