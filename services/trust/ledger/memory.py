"""The ledger in memory: for tests and flows on the in-memory bus. Kept to the same promises by the same test suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.trust.ledger.domain.entry import SealedEntry
from services.trust.ledger.domain.tree import NodeId, ReadPlan, TreeHead
from services.trust.ledger.errors import HeadMoved
from services.trust.ledger.store import EntryFilter, Extension, Leaf, Pending, StoredCheckpoint, StoredEntry


class MemoryLedgerStore:
    """One process's ledger. A failed transaction puts everything back as it was."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._entries: dict[tuple[UUID, UUID], StoredEntry] = {}
        self._pending: list[Pending] = []
        self._leaves: dict[UUID, list[Leaf]] = {}
        self._places: dict[tuple[UUID, UUID], Leaf] = {}
        self._nodes: dict[tuple[UUID, NodeId], bytes] = {}
        self._heads: dict[UUID, TreeHead] = {}
        self._checkpoints: dict[UUID, list[StoredCheckpoint]] = {}

    @asynccontextmanager
    async def transaction(self, tenants: Collection[UUID] = ()) -> AsyncIterator[None]:
        del tenants  # there is no row security to tell
        before = self._snapshot()
        try:
            yield
        except BaseException:  # a rollback, cancelled or not
            self.__dict__.update(before)
            raise

    def _snapshot(self) -> dict[str, object]:
        copied: dict[str, object] = {
            name: value.copy() for name, value in self.__dict__.items() if isinstance(value, dict | list)
        }
        copied["_leaves"] = {log_id: leaves.copy() for log_id, leaves in self._leaves.items()}
        copied["_checkpoints"] = {log_id: kept.copy() for log_id, kept in self._checkpoints.items()}
        return copied

    async def append(self, entries: Sequence[SealedEntry]) -> None:
        for sealed in entries:
            entry = sealed.entry
            key = (entry.tenant_id, entry.entry_id)
            if key in self._entries:
                continue
            self._entries[key] = StoredEntry(
                tenant_id=entry.tenant_id,
                entry_id=entry.entry_id,
                kind=entry.kind,
                actor=entry.actor,
                target=entry.target,
                at=entry.at,
                trace_id=entry.trace_id,
                body=sealed.body,
                salt=sealed.salt,
                seq=None,
                leaf_hash=None,
            )
            self._pending.append(Pending(sealed.log_id, entry.entry_id, sealed.leaf_hash))

    async def try_lead(self) -> bool:
        return True

    async def take_pending(self, limit: int) -> list[Pending]:
        taken, self._pending = self._pending[:limit], self._pending[limit:]
        return taken

    async def heads(self, log_ids: Collection[UUID]) -> dict[UUID, TreeHead]:
        return {log_id: self._heads[log_id] for log_id in log_ids if log_id in self._heads}

    async def extend(self, extensions: Sequence[Extension]) -> None:
        if any(self._heads.get(each.log_id, TreeHead()).size != each.old.size for each in extensions):
            raise HeadMoved
        for each in extensions:
            self._heads[each.log_id] = each.new
            self._leaves.setdefault(each.log_id, []).extend(each.leaves)
            self._places.update({(each.log_id, leaf.entry_id): leaf for leaf in each.leaves})
            self._nodes.update({(each.log_id, NodeId(node.level, node.position)): node.hash for node in each.nodes})

    async def unsigned_heads(self, limit: int) -> dict[UUID, TreeHead]:
        unsigned = {
            log_id: head for log_id, head in sorted(self._heads.items()) if head.size > self._signed_size(log_id)
        }
        return dict(list(unsigned.items())[:limit])

    def _signed_size(self, log_id: UUID) -> int:
        kept = self._checkpoints.get(log_id)
        return kept[-1].size if kept else 0

    async def add_checkpoints(self, notes: Sequence[tuple[UUID, int, str]]) -> None:
        for log_id, size, note in notes:
            self._checkpoints.setdefault(log_id, []).append(StoredCheckpoint(log_id, size, note, self._now()))

    async def checkpoint(self, log_id: UUID, size: int | None = None) -> StoredCheckpoint | None:
        kept = [each for each in self._checkpoints.get(log_id, []) if size is None or each.size == size]
        return kept[-1] if kept else None

    async def leaves(self, log_id: UUID, entry_ids: Collection[UUID]) -> list[Leaf]:
        found = [self._places[log_id, entry_id] for entry_id in entry_ids if (log_id, entry_id) in self._places]
        return sorted(found, key=lambda leaf: leaf.seq)

    async def leaf(self, log_id: UUID, seq: int) -> Leaf | None:
        leaves = self._leaves.get(log_id, [])
        return leaves[seq] if 0 <= seq < len(leaves) else None

    async def read(self, log_id: UUID, plans: Sequence[ReadPlan]) -> tuple[dict[int, bytes], dict[NodeId, bytes]]:
        leaves = {
            leaf.seq: leaf.leaf_hash
            for plan in plans
            for run in plan.runs
            for leaf in self._leaves.get(log_id, [])[run.start : run.stop]
        }
        return leaves, {node: self._nodes[log_id, node] for plan in plans for node in plan.nodes}

    async def entry(self, tenant_id: UUID, entry_id: UUID) -> StoredEntry | None:
        stored = self._entries.get((tenant_id, entry_id))
        return self._placed(stored) if stored else None

    def _placed(self, stored: StoredEntry) -> StoredEntry:
        leaf = self._places.get((stored.tenant_id, stored.entry_id))
        return replace(stored, seq=leaf.seq, leaf_hash=leaf.leaf_hash) if leaf else stored

    async def entries(self, where: EntryFilter, limit: int) -> list[StoredEntry]:
        found = [stored for stored in self._entries.values() if _matches(stored, where)]
        newest = sorted(found, key=lambda stored: stored.entry_id, reverse=True)[:limit]
        return [self._placed(stored) for stored in newest]

    async def erase(self, tenant_id: UUID, entry_ids: Collection[UUID]) -> int:
        erased = 0
        for key in {(tenant_id, entry_id) for entry_id in entry_ids}:
            stored = self._entries.get(key)
            if stored is not None and stored.body is not None:
                self._entries[key] = replace(stored, body=None, salt=None)
                erased += 1
        return erased


def _matches(stored: StoredEntry, where: EntryFilter) -> bool:
    same = all(
        wanted is None or getattr(stored, name) == wanted
        for name in ("tenant_id", "kind", "actor", "target", "trace_id")
        for wanted in (getattr(where, name),)
    )
    return (
        same
        and (where.targets is None or stored.target in where.targets)
        and (where.since is None or stored.at >= where.since)
        and (where.until is None or stored.at < where.until)
        and (where.before is None or stored.entry_id < where.before)
    )
