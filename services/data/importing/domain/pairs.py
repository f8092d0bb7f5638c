"""Pairs worth comparing, found for all items of a batch at once: a list of thousands has hundreds of thousands of them, and of most of them
the names alone show that they are two."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from services.data.importing.domain.keys import Keys
from services.data.importing.domain.names import NameForm

Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Flags: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"

CROWDED = 40
WINDOW, CROWDED_WINDOW, RAREST = 12, 4, 2

MOST_HELD = 32
"""As many words, people or identifiers of an item are compared one by one; who holds more is looked at with everybody."""


def candidates(keys: Sequence[Keys], stored: int) -> tuple[Ints, Ints, int]:
    """Pairs (earlier, later) of two rows or of a stored item and a row, each once: all that share an identifier, as many as the third
    value says, come before those whose names share words. Items below `stored` are stored ones; `keys` are those of each item.

    Of its words an item follows only the rarest: names that are alike meet there, and "trading" would lead everywhere. In
    a long block only the first, the stored ones and the nearest before are tried.
    """
    identified = _identified(*flat([its.telling for its in keys]), stored)
    pairs = (identified, _named(*flat([its.words for its in keys]), stored))
    code = np.concatenate([earlier * len(keys) + later for earlier, later in pairs])
    _, first = np.unique(code, return_index=True)
    first.sort()
    code = code[first]
    return code // len(keys), code % len(keys), int(np.searchsorted(first, len(identified[0])))


def flat(of: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """The numbers of all items one after the other, and beside each of which item it is."""
    counts = np.fromiter(map(len, of), dtype=np.int64, count=len(of))
    numbers = np.fromiter(chain.from_iterable(of), dtype=np.int64, count=int(counts.sum()))
    return np.repeat(np.arange(len(of)), counts), numbers


class _Blocks:
    """Items that share a key stand together, in their order; blocks in the order in which their keys come first."""

    def __init__(self, items: Ints, hashes: Ints, stored: int) -> None:
        _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        block = first[inverse]
        self.order = np.lexsort((items, block))
        self.members = items[self.order]
        block = block[self.order]
        begins = starts_of_runs(block)
        sizes = np.diff(np.r_[begins, len(block)])
        known = np.add.reduceat(self.members < stored, begins) if len(begins) else begins
        self.begin, self.size, self.stored = (np.repeat(of, sizes) for of in (begins, sizes, known))

    def before(self, at: Ints, window: Ints) -> tuple[Ints, Ints]:
        """Each member at one of these places with those of its block before it that are to be tried: all, or in a long one the first,
        the stored ones and the nearest, as many as `window` has for the place."""
        begin, place = self.begin[at], at - self.begin[at]
        first = np.where(place <= window, 0, np.minimum(np.clip(self.stored[at], 1, window), place - window))
        nearest = np.minimum(place, window)
        starts = np.column_stack((begin, at - nearest)).ravel()
        lengths = np.column_stack((first, nearest)).ravel()
        later = np.repeat(self.members[at], first + nearest)
        return self.members[ranges(starts, lengths)], later


def _identified(items: Ints, hashes: Ints, stored: int) -> tuple[Ints, Ints]:
    blocks = _Blocks(items, hashes, stored)
    at = np.flatnonzero((blocks.size > 1) & (blocks.members >= stored))
    return blocks.before(at, np.full(len(at), WINDOW))


def _named(items: Ints, hashes: Ints, stored: int) -> tuple[Ints, Ints]:
    blocks = _Blocks(items, hashes, stored)
    at = np.flatnonzero((blocks.size > 1) & (blocks.members >= stored))
    # By row, its rarest words first; of equally rare ones the one that its keys name first.
    at = at[np.lexsort((blocks.order[at], blocks.size[at], blocks.members[at]))]
    at = at[nth_of_each(blocks.members[at]) < RAREST]
    return blocks.before(at, np.where(blocks.size[at] > CROWDED, CROWDED_WINDOW, WINDOW))


class Held:
    """What each item holds, for asking of many at once whether they hold something: a line of hashes an item, as long as the longest. An
    item with more than `MOST_HELD` is taken to hold anything, so that one endless name does not make all lines long."""

    def __init__(self, of: Sequence[Collection[Hashable]]) -> None:
        self._counts = np.fromiter(map(len, of), dtype=np.int64, count=len(of))
        self._starts = np.cumsum(self._counts) - self._counts
        self._hashes = np.fromiter(map(hash, chain.from_iterable(of)), dtype=np.int64, count=int(self._counts.sum()))
        self._anything = self._counts > MOST_HELD
        kept = np.where(self._anything, 0, self._counts)
        items = np.repeat(np.arange(len(of)), kept)
        self._lines = np.zeros((len(of), int(kept.max(initial=0))), dtype=np.int64)
        self._lines[items, nth_of_each(items)] = self._hashes[ranges(self._starts, kept)]

    def holds(self, items: Ints, hashes: Ints) -> Flags:
        """Whether each of the items holds the thing beside it."""
        found: Flags = (self._lines[items] == hashes[:, None]).any(axis=1) | self._anything[items]
        return found

    def share(self, left: Ints, right: Ints) -> Flags:
        """Whether the two items of each pair hold something in common."""
        counts = self._counts[left]
        held = self.holds(np.repeat(right, counts), self._hashes[ranges(self._starts[left], counts)])
        shared: Flags = np.bincount(np.repeat(np.arange(len(left)), counts), weights=held, minlength=len(left)) > 0
        return shared


class NameReach:
    """Which items may have names so alike: `may_reach` of names, for many pairs at once. Of an item with several names it does not know."""

    def __init__(self, forms: Sequence[Sequence[NameForm]], least: float) -> None:
        one = [its[0] if len(its) == 1 else None for its in forms]
        self._single = np.fromiter((form is not None for form in one), dtype=bool, count=len(one))
        weights = np.fromiter((form.weight if form else 0.0 for form in one), dtype=float, count=len(one))
        self._bearable = (100 - least) * weights
        self._touch = Held([form.touch if form else () for form in one])
        rigid = [form.rigid if form else () for form in one]
        words = list(chain.from_iterable(rigid))
        self._counts = np.fromiter(map(len, rigid), dtype=np.int64, count=len(one))
        self._starts = np.cumsum(self._counts) - self._counts
        self._weight = np.fromiter((weight for _, weight in words), dtype=float, count=len(words))
        self._text = np.fromiter((hash(min(parts)) for parts, _ in words), dtype=np.int64, count=len(words))
        self._bones = np.fromiter((hash(max(parts)) for parts, _ in words), dtype=np.int64, count=len(words))

    def may(self, left: Ints, right: Ints) -> Flags:
        """For each pair whether its names may be as alike as that, or whether it is not known."""
        lost = self._lost(left, right) + self._lost(right, left)
        within: Flags = 100 * lost <= self._bearable[left] + self._bearable[right]
        known: Flags = self._single[left] & self._single[right]
        return np.logical_or(within, ~known)

    def _lost(self, of: Ints, beside: Ints) -> Any:
        """The weight of the rigid words of the one for which the other has no counterpart."""
        counts = self._counts[of]
        words = ranges(self._starts[of], counts)
        other = np.repeat(beside, counts)
        missing = ~(self._touch.holds(other, self._text[words]) | self._touch.holds(other, self._bones[words]))
        return np.bincount(
            np.repeat(np.arange(len(of)), counts), weights=self._weight[words] * missing, minlength=len(of)
        )


def starts_of_runs(ordered: Ints) -> Ints:
    """Where each run of equal values begins."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else ordered


def nth_of_each(ordered: Ints) -> Ints:
    """How many equal values stand before each in its run."""
    begins = starts_of_runs(ordered)
    return np.arange(len(ordered)) - np.repeat(begins, np.diff(np.r_[begins, len(ordered)]))


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, … of each range, one after the other."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
