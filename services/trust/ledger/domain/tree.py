"""A growing RFC 6962 tree that remembers only its right edge, and what to read from storage to prove something about it.

Stored are the leaf hashes and the complete subtrees of 256 leaves and more (level >= 8). Everything below level 8 is hashed
again from one aligned run of 256 leaf hashes when a proof needs it: that keeps an append to about two hashes and one row,
whatever the size, and the nodes to 0.4 % of the leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from libs.contracts import merkle

STORED_LEVEL = 8
RUN = 1 << STORED_LEVEL
"""Leaves of one run: the unit in which proofs read leaf hashes."""


class NodeId(NamedTuple):
    """A complete subtree: it covers the leaves from `position << level` up to `(position + 1) << level`."""

    level: int
    position: int


class Node(NamedTuple):
    """A complete subtree with its hash, as it is stored."""

    level: int
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree of `size` leaves. `frontier` holds the roots of its complete subtrees from left to right, one per bit of `size`."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.frontier) != self.size.bit_count():
            raise ValueError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} subtrees, not {len(self.frontier)}"
            )

    @property
    def root(self) -> bytes:
        return _fold(self.frontier)


def append(head: TreeHead, leaves: Iterable[bytes]) -> tuple[TreeHead, list[Node]]:
    """The tree after `leaves` (leaf hashes) and the nodes that became complete at `STORED_LEVEL` or above."""
    frontier, size, completed = list(head.frontier), head.size, []
    for leaf in leaves:
        computed, index, level = leaf, size, 0
        while index & 1:
            computed = merkle.node_hash(frontier.pop(), computed)
            index >>= 1
            level += 1
            if level >= STORED_LEVEL:
                completed.append(Node(level, index, computed))
        frontier.append(computed)
        size += 1
    return TreeHead(size, tuple(frontier)), completed


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A proof as the leaf ranges whose hashes it consists of, each a subtree of the tree in question."""

    ranges: tuple[range, ...]

    @property
    def runs(self) -> frozenset[range]:
        """The leaf hashes to read: at most two ranges, each inside one aligned run of `RUN` leaves."""
        starts: dict[int, int] = {}
        for part in self._parts():
            if len(part) < RUN:
                start = part.start - part.start % RUN
                starts[start] = max(starts.get(start, 0), part.stop)
        return frozenset(range(start, stop) for start, stop in starts.items())

    @property
    def nodes(self) -> frozenset[NodeId]:
        """The stored nodes to read."""
        return frozenset(_node_id(part) for part in self._parts() if len(part) >= RUN)

    def path(self, leaves: Mapping[int, bytes], nodes: Mapping[NodeId, bytes]) -> tuple[bytes, ...]:
        """The proof, given what was read: leaf hashes by sequence number and node hashes by id.

        Raises KeyError when something that the plan asks for is missing: the storage is damaged.
        """
        return tuple(_fold([_hash(part, leaves, nodes) for part in _complete(each)]) for each in self.ranges)

    def _parts(self) -> Iterator[range]:
        for each in self.ranges:
            yield from _complete(each)


def plan_inclusion(index: int, size: int) -> ReadPlan:
    """What proves leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1). Raises ValueError if it is not in it."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    siblings: list[range] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            siblings.append(range(middle, stop))
            stop = middle
        else:
            siblings.append(range(start, middle))
            start = middle
    return ReadPlan(tuple(reversed(siblings)))


def plan_consistency(first: int, second: int) -> ReadPlan:
    """What proves that the tree of `first` leaves is a prefix of that of `second` (RFC 9162 §2.1.4.1).

    Raises ValueError unless 1 <= first <= second.
    """
    if not 1 <= first <= second:
        raise ValueError(f"no tree of {first} leaves inside a tree of {second}")
    parts: list[range] = []
    start, stop = 0, second
    while stop != first:
        middle = start + _split(stop - start)
        if first <= middle:
            parts.append(range(middle, stop))
            stop = middle
        else:
            parts.append(range(start, middle))
            start = middle
    if start:  # otherwise the old tree is itself a subtree of the new one, and the verifier has its root
        parts.append(range(start, stop))
    return ReadPlan(tuple(reversed(parts)))


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962 §2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _complete(part: range) -> Iterator[range]:
    """The complete subtrees that a subtree consists of, from left to right."""
    start = part.start
    while start < part.stop:
        width = 1 << ((part.stop - start).bit_length() - 1)
        yield range(start, start + width)
        start += width


def _node_id(part: range) -> NodeId:
    level = len(part).bit_length() - 1
    return NodeId(level, part.start >> level)


def _hash(part: range, leaves: Mapping[int, bytes], nodes: Mapping[NodeId, bytes]) -> bytes:
    if len(part) >= RUN:
        return nodes[_node_id(part)]
    return merkle.root([leaves[index] for index in part])


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return merkle.EMPTY_ROOT
    computed = hashes[-1]
    for left in reversed(hashes[:-1]):
        computed = merkle.node_hash(left, computed)
    return computed
