"""Keys of accounts in memory, while an import looks for what its rows may match: sorted numbers, searched for a whole chunk at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from services.data.importing.domain.keys import Keys
from services.data.importing.domain.pairs import flat, nth_of_each, ranges

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
"""Keys, one after the other."""
Owners: TypeAlias = "np.ndarray[Any, np.dtype[np.bytes_]]"
"""Ids of accounts, 16 bytes each."""
Counts: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
_Run: TypeAlias = tuple[Numbers, Owners]

MEMBERS, LOOSE_MEMBERS = 40, 12
"""As many accounts of one key are candidates, those filed last: more of those that share a word would not be compared anyway."""
RAREST = 3
"""Of the words of its names a row follows the rarest: "trading" would lead everywhere."""
COUNTED = 200
"""How far the accounts of one key are counted: beyond, it is only common."""
GROWTH = 2
"""Runs are joined until each is so many times as long as the next: looking through them stays a few searches."""


def owners_of(ids: list[UUID]) -> Owners:
    """Ids as they stand in the index."""
    return np.frombuffer(b"".join(one.bytes for one in ids), dtype="S16")


class KeyIndex:
    """Which accounts have which keys. About 24 bytes a key; `add` and `candidates` cost what sorting a chunk does."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return sum(len(keys) for keys, _ in self._runs)

    def add(self, keys: Numbers, owners: Owners) -> None:
        """File accounts (`owners`, one a key) under keys, later than all that are there."""
        if not len(keys):
            return
        self._runs.append(_sorted(keys, owners))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < GROWTH * len(self._runs[-1][0]):
            (old, its), (new, others) = self._runs[-2:]
            self._runs[-2:] = [_sorted(np.concatenate((old, new)), np.concatenate((its, others)))]

    def candidates(self, wanted: Sequence[Keys]) -> list[UUID]:
        """Accounts that share a telling key, or a rare word of their names, with some item of a chunk; by id."""
        if not self._runs:
            return []
        (tellers, telling), (namers, words) = flat([its.telling for its in wanted]), flat([its.words for its in wanted])
        items, keys = np.concatenate((tellers, namers)), np.concatenate((telling, words))
        loose = np.arange(len(keys)) >= len(telling)
        if not len(keys):
            return []
        unique, at = np.unique(keys, return_inverse=True)
        spans = [(np.searchsorted(run, unique, "left"), np.searchsorted(run, unique, "right")) for run, _ in self._runs]
        found = np.sum([right - left for left, right in spans], axis=0)
        common = np.minimum(found, COUNTED)[at]
        here = common > 0
        strict = np.unique(at[here & ~loose])
        named = here & loose
        rarest = _first_of_each(items[named], common[named], keys[named], at[named])
        most = np.zeros(len(unique), dtype=np.int64)
        most[rarest] = LOOSE_MEMBERS
        most[strict] = MEMBERS
        return sorted(UUID(bytes=owner.ljust(16, b"\0")) for owner in np.unique(self._newest(spans, most)).tolist())

    def _newest(self, spans: list[tuple[Any, Any]], most: Counts) -> Owners:
        """Of each key the owners filed last, as many as `most` has for it."""
        chosen: list[Owners] = []
        left_over = most.copy()
        for (_, owners), (left, right) in zip(reversed(self._runs), reversed(spans), strict=True):
            taken = np.minimum(right - left, left_over)
            left_over -= taken
            chosen.append(owners[ranges(right - taken, taken)])
        return np.concatenate(chosen)


def _sorted(keys: Numbers, owners: Owners) -> _Run:
    order = np.argsort(keys, kind="stable")
    return keys[order], owners[order]


def _first_of_each(items: Counts, common: Counts, keys: Numbers, at: Counts) -> Counts:
    """The places (`at`) of the few rarest keys of each item."""
    order = np.lexsort((keys, common, items))
    return np.unique(at[order][nth_of_each(items[order]) < RAREST])


def page_numbers(keys: Numbers, bucket_bits: int, most: int) -> Counts:
    """The number of the page of each of some sorted keys: a page lies in one bucket and holds at most so many."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    return np.cumsum(nth_of_each(keys >> bucket_bits) % most == 0) - 1
