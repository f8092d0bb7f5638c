"""Collects the ledger's part of an evidence pack from a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.trust.ledger import limits
from services.trust.ledger.errors import NoSuchEntry, NotYetProvable, PackTooLarge
from services.trust.ledger.pack import PackEntry
from services.trust.ledger.proofs import prove_all
from services.trust.ledger.store import EntryFilter, Leaf, LedgerStore, StoredEntry

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """Entries with their proofs against the checkpoint `note`; `erased` are the places of entries erased since."""

    note: str
    entries: tuple[PackEntry, ...]
    erased: tuple[int, ...]


async def gather(
    store: LedgerStore, filters: Sequence[EntryFilter], *, complete: bool = True, cosigned: int | None = None
) -> Gathered:
    """The entries of one tenant that match any of `filters`, and all others about the same actions: a receipt without its grant,
    or a grant without its approval, would prove nothing. Call it inside a transaction that may see the tenant.

    `complete` asks for every match; otherwise those that no checkpoint covers yet are left out, as a period that is still
    going on needs. Leaving the newest out never separates a receipt from its grant: what it rests on was recorded before it.

    `cosigned` is the size of the largest tree that a witness has cosigned: the proofs are against that one where it covers all.

    Raises NoSuchEntry when nothing matches, NotYetProvable when a match that is asked for is not under a checkpoint yet, and
    PackTooLarge.
    """
    found: dict[UUID, StoredEntry] = {}
    for where in filters:
        await _collect(store, where, found)
    if not found:
        raise NoSuchEntry
    asked = set(found)
    actions = tuple({entry.target for entry in found.values() if entry.target.startswith("action:")})
    if actions:
        await _collect(store, EntryFilter(filters[0].tenant_id, targets=actions), found)
    leaves = [
        Leaf(entry.tenant_id, entry.seq, entry.entry_id, entry.leaf_hash)
        for entry in found.values()
        if entry.seq is not None and entry.leaf_hash is not None
    ]
    if complete and len(leaves) < len(found):
        raise NotYetProvable
    newest = await store.checkpoint(filters[0].tenant_id)
    if not complete and newest is not None:
        leaves = [leaf for leaf in leaves if leaf.seq < newest.size]
        # An older entry is here for its action's sake; without any that was asked for itself, it would be of no period at all.
        there = {found[leaf.entry_id].target for leaf in leaves if leaf.entry_id in asked}
        leaves = [leaf for leaf in leaves if leaf.entry_id in asked or found[leaf.entry_id].target in there]
    if not leaves:
        raise NotYetProvable
    leaves.sort(key=lambda leaf: leaf.seq)
    proofs, checkpoint = await prove_all(
        store, leaves[0].log_id, leaves, cosigned if cosigned is not None and cosigned > leaves[-1].seq else None
    )
    entries, erased = [], []
    for proof in proofs:
        entry = found[proof.leaf.entry_id]
        if entry.body is None or entry.salt is None:
            erased.append(proof.leaf.seq)
        else:
            entries.append(PackEntry(entry.body, entry.salt, proof))
    return Gathered(checkpoint.note, tuple(entries), tuple(erased))


async def _collect(store: LedgerStore, where: EntryFilter, found: dict[UUID, StoredEntry]) -> None:
    while True:
        page = await store.entries(where, PAGE)
        found |= {entry.entry_id: entry for entry in page}
        if len(found) > limits.MAX_ENTRIES:
            raise PackTooLarge
        if len(page) < PAGE:
            return
        where = replace(where, before=page[-1].entry_id)
