"""What the ledger records: an entry, sealed under its own salt before it may become a leaf."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.merkle import leaf_hash
from libs.contracts.message import new_id

SALT_SIZE = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. `data` is JSON about at most one data subject, so that erasing a person erases whole entries."""

    tenant_id: UUID
    kind: str
    actor: str
    target: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    entry_id: UUID = field(default_factory=new_id)

    @property
    def run(self) -> str | None:
        """The flow that a decision's action is of, as its data says (`commitments.belonging`)."""
        return self._says("run")

    @property
    def about(self) -> str | None:
        """The record that a decision's action is about, as its data says."""
        return self._says("about")

    def _says(self, name: str) -> str | None:
        said = self.data.get(name) if self.kind == "decision" else None
        return said if isinstance(said, str) else None


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry with its canonical bytes and salt (both erasable) and the leaf hash that commits to them (kept for ever)."""

    entry: Entry
    body: bytes
    salt: bytes
    leaf_hash: bytes

    @property
    def log_id(self) -> UUID:
        """A tenant's entries go into the tenant's own log; the platform's log bears the platform's id."""
        return self.entry.tenant_id


def seal(entries: Iterable[Entry], *, random: Callable[[int], bytes] = secrets.token_bytes) -> list[SealedEntry]:
    """Salt and hash entries.

    Raises libs.contracts.canonical.CanonicalizationError when an entry's data is not JSON, and ValueError for a time
    without a zone.
    """
    listed = list(entries)
    salts = random(SALT_SIZE * len(listed))
    sealed = []
    for number, entry in enumerate(listed):
        salt = salts[number * SALT_SIZE : (number + 1) * SALT_SIZE]
        body = canonical_entry(entry)
        sealed.append(SealedEntry(entry, body, salt, leaf(salt, body)))
    return sealed


def leaf(salt: bytes, body: bytes) -> bytes:
    """The leaf hash of an entry: SHA-256(0x00 ‖ salt ‖ canonical entry)."""
    return leaf_hash(salt + body)


def canonical_entry(entry: Entry) -> bytes:
    """The RFC 8785 bytes of an entry: what its leaf commits to and what an evidence pack contains."""
    return canonical(
        {
            "entry_id": str(entry.entry_id),
            "tenant_id": str(entry.tenant_id),
            "kind": entry.kind,
            "actor": entry.actor,
            "target": entry.target,
            "at": timestamp(entry.at),
            "data": entry.data if type(entry.data) is dict else dict(entry.data),
            "trace_id": entry.trace_id,
        }
    )


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one form per instant. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a ledger time needs a zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
