"""Proofs read from a store: that an entry is in a log, and that a log only grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.trust.ledger.domain.tree import plan_consistency, plan_inclusion
from services.trust.ledger.errors import NoSuchEntry, NoSuchTree, NotYetProvable
from services.trust.ledger.store import Leaf, LedgerStore, StoredCheckpoint


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That `leaf` is number `leaf.seq` under the root of a checkpoint; `path` is that of RFC 9162 §2.1.3."""

    leaf: Leaf
    path: tuple[bytes, ...]


async def prove(
    store: LedgerStore, log_id: UUID, seq: int, size: int | None = None
) -> tuple[InclusionProof, StoredCheckpoint]:
    """The inclusion of leaf `seq` under the newest checkpoint, or the one of `size`. Raises NoSuchEntry or NotYetProvable."""
    leaf = await store.leaf(log_id, seq)
    if leaf is None:
        raise NoSuchEntry
    proofs, checkpoint = await prove_all(store, log_id, [leaf], size)
    return proofs[0], checkpoint


async def prove_all(
    store: LedgerStore, log_id: UUID, leaves: Sequence[Leaf], size: int | None = None
) -> tuple[list[InclusionProof], StoredCheckpoint]:
    """The inclusion of several leaves under the newest checkpoint, or the one of `size`, read together. Raises NotYetProvable."""
    checkpoint = await store.checkpoint(log_id, size)
    if checkpoint is None or any(leaf.seq >= checkpoint.size for leaf in leaves):
        raise NotYetProvable
    plans = [plan_inclusion(leaf.seq, checkpoint.size) for leaf in leaves]
    hashes, nodes = await store.read(log_id, plans)
    proofs = [InclusionProof(leaf, plan.path(hashes, nodes)) for leaf, plan in zip(leaves, plans, strict=True)]
    return proofs, checkpoint


async def consistency(store: LedgerStore, log_id: UUID, first: int, second: int) -> tuple[bytes, ...]:
    """That the log's tree of `second` leaves extends its tree of `first`.

    Raises NoSuchTree unless 0 <= first <= second <= signed size. From size 0 the proof is empty: everything extends nothing.
    """
    checkpoint = await store.checkpoint(log_id)
    if not 0 <= first <= second <= (checkpoint.size if checkpoint else 0):
        raise NoSuchTree
    if first in {0, second}:
        return ()
    plan = plan_consistency(first, second)
    hashes, nodes = await store.read(log_id, [plan])
    return plan.path(hashes, nodes)
