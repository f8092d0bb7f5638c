"""What witnesses have cosigned, and what follows from it: a checkpoint that does not extend the last cosigned one is not shown."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts import merkle
from services.trust.ledger.domain.checkpoint import parse_checkpoint
from services.trust.ledger.domain.cosignature import Cosignature
from services.trust.ledger.errors import LogForked, NoSuchTree
from services.trust.ledger.proofs import consistency
from services.trust.ledger.store import LedgerStore, SqlLedgerStore, StoredCheckpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A tree that a witness has seen."""

    size: int
    root: bytes


class WitnessRows:
    """A tenant's witnesses and their cosignatures, in the caller's unit of work."""

    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def key(self, name: str) -> bytes | None:
        """The key that a name is bound to since its first cosignature."""
        found: bytes | None = await self._c.fetchval(
            "select public_key from trust.witnesses where tenant_id = $1 and name = $2", self._tenant, name
        )
        return found

    async def bind(self, name: str, public_key: bytes, actor: str) -> None:
        await self._c.execute(
            "insert into trust.witnesses (tenant_id, name, public_key, added_by) values ($1, $2, $3, $4) on conflict do nothing",
            self._tenant, name, public_key, actor,
        )  # fmt: skip

    async def add(self, cosigned: Cosigned, cosignature: Cosignature) -> bool:
        """Keep a cosignature. Returns whether it was new."""
        fresh = await self._c.fetchval(
            "insert into trust.cosignatures (tenant_id, size, root, name, line, signed_at) "
            "values ($1, $2, $3, $4, $5, to_timestamp($6)) on conflict do nothing returning true",
            self._tenant, cosigned.size, cosigned.root, cosignature.witness.name, cosignature.line, cosignature.time,
        )  # fmt: skip
        return bool(fresh)

    async def newest(self) -> Cosigned | None:
        row = await self._c.fetchrow(
            "select size, root from trust.cosignatures where tenant_id = $1 order by size desc limit 1", self._tenant
        )
        return Cosigned(row["size"], row["root"]) if row else None

    async def lines(self, size: int) -> list[tuple[str, str]]:
        """Names and signature lines of everyone who cosigned the tree of `size`."""
        rows = await self._c.fetch(
            "select name, line from trust.cosignatures where tenant_id = $1 and size = $2 order by name",
            self._tenant,
            size,
        )
        return [(row["name"], row["line"]) for row in rows]

    async def signers(self, size: int) -> list[tuple[str, bytes, str]]:
        """Names, keys and signature lines of everyone who cosigned the tree of `size`."""
        rows = await self._c.fetch(
            "select c.name, w.public_key, c.line from trust.cosignatures c join trust.witnesses w using (tenant_id, name) "
            "where c.tenant_id = $1 and c.size = $2 order by c.name",
            self._tenant, size,
        )  # fmt: skip
        return [(row["name"], bytes(row["public_key"]), row["line"]) for row in rows]

    async def page(self, before: int | None, limit: int) -> Sequence[Any]:
        rows: Sequence[Any] = await self._c.fetch(
            "select c.size, c.root, c.name, c.line, c.signed_at, w.public_key from trust.cosignatures c "
            "join trust.witnesses w using (tenant_id, name) where c.tenant_id = $1 and ($2::bigint is null or c.size < $2) "
            "order by c.size desc, c.name limit $3",
            self._tenant, before, limit,
        )  # fmt: skip
        return rows


async def presentable(connection: Any, tenant_id: UUID, checkpoint: StoredCheckpoint | None) -> StoredCheckpoint | None:
    """The checkpoint, once it is seen to extend the last cosigned one. Raises LogForked."""
    return await extending(connection, tenant_id, checkpoint, await WitnessRows(connection, tenant_id).newest())


async def extending(
    connection: Any, tenant_id: UUID, checkpoint: StoredCheckpoint | None, cosigned: Cosigned | None
) -> StoredCheckpoint | None:
    """The checkpoint of a log, once it is seen to extend what was cosigned of it. Raises LogForked."""
    if cosigned is not None and not await _extends(SqlLedgerStore(connection), tenant_id, cosigned, checkpoint):
        log.critical(
            "a log does not extend its last cosigned checkpoint and is not shown",
            extra={"ids": {"tenant": str(tenant_id)}},
        )
        raise LogForked
    return checkpoint


async def _extends(
    store: LedgerStore, tenant_id: UUID, cosigned: Cosigned, checkpoint: StoredCheckpoint | None
) -> bool:
    if checkpoint is None or checkpoint.size < cosigned.size:
        return False
    root = parse_checkpoint(checkpoint.note).root
    try:
        path = await consistency(store, tenant_id, cosigned.size, checkpoint.size)
    except (NoSuchTree, LookupError):
        return False
    if cosigned.size == checkpoint.size:
        return cosigned.root == root
    return merkle.verify_consistency(cosigned.size, checkpoint.size, cosigned.root, root, path)
