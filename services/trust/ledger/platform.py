"""Witnesses of the platform's log. Anybody's witness may cosign it, and everybody sees who has: that they all saw one log is its worth.

A name is a tenant's own word, so here a witness is its name together with its key; how many a tenant may bring has an end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.errors import Conflict
from libs.contracts.message import PLATFORM
from services.trust.ledger.domain.cosignature import Cosignature, WitnessKey
from services.trust.ledger.errors import NotCosigned
from services.trust.ledger.store import SqlLedgerStore, StoredCheckpoint
from services.trust.ledger.witnesses import Cosigned, extending

MOST_WITNESSES = 5
"""Witnesses that one tenant may bring to the platform's log."""


class TooManyWitnesses(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "too_many_witnesses",
            f"A tenant brings at most {MOST_WITNESSES} witnesses to the platform's log.",
            f"الحد الأقصى لشهود كل منشأة في دفتر المنصة {MOST_WITNESSES}.",
        )


class PlatformWitnesses:
    """The platform's cosignatures, in the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def bind(self, tenant_id: UUID, witness: WitnessKey, actor: str) -> None:
        """Let a tenant's witness in. Raises NotCosigned for a name that this tenant gave to another key, TooManyWitnesses."""
        # One at a time for a tenant, so that two that come together do not pass the limit.
        await self._c.execute("select pg_advisory_xact_lock(hashtextextended($1, 72013))", str(tenant_id))
        known = await self._c.fetch(
            "select name, public_key from trust.platform_witnesses where tenant_id = $1", tenant_id
        )
        keys = {row["name"]: bytes(row["public_key"]) for row in known}
        if witness.name in keys:
            if keys[witness.name] != witness.public_key:
                raise NotCosigned("this name belongs to another key")
            return
        if len(keys) >= MOST_WITNESSES:
            raise TooManyWitnesses
        await self._c.execute(
            "insert into trust.platform_witnesses (tenant_id, name, public_key, added_by) values ($1, $2, $3, $4)",
            tenant_id, witness.name, witness.public_key, actor,
        )  # fmt: skip

    async def add(self, cosigned: Cosigned, made: Cosignature) -> bool:
        """Keep a cosignature. Returns whether it was new."""
        fresh = await self._c.fetchval(
            "insert into trust.platform_cosignatures (size, root, name, public_key, line, signed_at) "
            "values ($1, $2, $3, $4, $5, to_timestamp($6)) on conflict do nothing returning true",
            cosigned.size, cosigned.root, made.witness.name, made.witness.public_key, made.line, made.time,
        )  # fmt: skip
        return bool(fresh)

    async def newest(self) -> Cosigned | None:
        row = await self._c.fetchrow("select size, root from trust.platform_cosignatures order by size desc limit 1")
        return Cosigned(row["size"], bytes(row["root"])) if row else None

    async def covering(self, seq: int) -> int | None:
        """The size of the newest cosigned tree that holds leaf `seq`."""
        found: int | None = await self._c.fetchval(
            "select max(size) from trust.platform_cosignatures where size > $1", seq
        )
        return found

    async def lines(self, size: int) -> list[str]:
        """The signature lines of everyone who cosigned the tree of `size`."""
        rows = await self._c.fetch(
            "select line from trust.platform_cosignatures where size = $1 order by name, public_key limit 100", size
        )
        return [row["line"] for row in rows]

    async def page(self, before: tuple[int, str] | None, limit: int) -> Sequence[Any]:
        size, after = before or (None, "")
        rows: Sequence[Any] = await self._c.fetch(
            "select size, root, name, line, signed_at, public_key from trust.platform_cosignatures "
            "where $1::bigint is null or size < $1 or (size = $1 and line > $2) order by size desc, line limit $3",
            size, after, limit,
        )  # fmt: skip
        return rows


async def platform_checkpoint(connection: Any) -> StoredCheckpoint | None:
    """The newest checkpoint of the platform's log, which the unit of work has to name. Raises LogForked."""
    newest = await SqlLedgerStore(connection).checkpoint(PLATFORM)
    return await extending(connection, PLATFORM, newest, await PlatformWitnesses(connection).newest())
