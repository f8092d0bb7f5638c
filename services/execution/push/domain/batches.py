"""Entries put together for one message to a SIEM. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.trust import LedgerEntry

MOST_ENTRIES = 100
MOST_BYTES = 120 * 1024
"""Of the entries as JSON: an action's payload may have 256 KiB, and a form may need more room than another."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that go together, in the log's order; never empty."""

    entries: tuple[LedgerEntry, ...]

    @property
    def first(self) -> int:
        return self.entries[0].seq or 0

    @property
    def last(self) -> int:
        return self.entries[-1].seq or 0


def batches(entries: Sequence[LedgerEntry]) -> list[Batch]:
    """All of them, in order, in as few messages as fit. An entry too large for any is one of its own."""
    out: list[Batch] = []
    group: list[LedgerEntry] = []
    size = 0
    for entry in entries:
        own = len(entry.model_dump_json())
        if group and (len(group) >= MOST_ENTRIES or size + own > MOST_BYTES):
            out.append(Batch(tuple(group)))
            group, size = [], 0
        group.append(entry)
        size += own
    if group:
        out.append(Batch(tuple(group)))
    return out
