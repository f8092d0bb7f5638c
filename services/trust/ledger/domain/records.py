"""What a ledger's store takes and gives: plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trust.ledger.domain.tree import Node, TreeHead


@dataclass(frozen=True, slots=True)
class Pending:
    """A recorded entry that has no place in its log yet."""

    log_id: UUID
    entry_id: UUID
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry's place in its log."""

    log_id: UUID
    seq: int
    entry_id: UUID
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    log_id: UUID
    size: int
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A recorded entry; `body` and `salt` are None once erased, `seq` is None until it is sequenced."""

    tenant_id: UUID
    entry_id: UUID
    kind: str
    actor: str
    target: str
    at: datetime
    trace_id: str
    body: bytes | None
    salt: bytes | None
    seq: int | None
    leaf_hash: bytes | None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries of one tenant: every field that is set must match, `targets` by any of them; `before` is an entry id to go on from."""

    tenant_id: UUID
    kind: str | None = None
    actor: str | None = None
    target: str | None = None
    targets: tuple[str, ...] | None = None
    trace_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """What a batch adds to one log: its leaves, in order, and the nodes that they completed."""

    log_id: UUID
    old: TreeHead
    new: TreeHead
    leaves: Sequence[Leaf]
    nodes: Sequence[Node]
