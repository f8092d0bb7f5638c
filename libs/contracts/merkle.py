"""Merkle trees as in RFC 6962 §2.1 (the same tree as RFC 9162 §2.1), as pure functions over bytes.

The ledger and the grants of a batch use the same tree. Everything here takes and returns *leaf hashes* (32 bytes, from
`leaf_hash`), never leaf data, so that a caller hashes each leaf once.
"""

from collections.abc import Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf, SHA-256(0x00 ‖ data): the prefix keeps a leaf from passing for an inner node."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(_NODE + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Tree hash of the leaf hashes in order; `EMPTY_ROOT` for none."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def batch_paths(hashes: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Root and the inclusion path of every leaf, each inner node hashed once.

    Path `i` proves leaf hash `i` in a tree of `len(hashes)` leaves; it is what `inclusion_path(hashes, i)` returns.
    """
    if not hashes:
        return EMPTY_ROOT, []
    paths: list[list[bytes]] = [[] for _ in hashes]
    level = list(hashes)
    depth = 0
    while len(level) > 1:
        width = len(level)
        for leaf, path in enumerate(paths):
            sibling = (leaf >> depth) ^ 1
            if sibling < width:  # the last node of an odd level has no sibling and moves up as it is
                path.append(level[sibling])
        level = _parents(level)
        depth += 1
    return level[0], [tuple(path) for path in paths]


def inclusion_path(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Audit path of leaf `index` in the tree of `hashes`, from the leaf upwards (RFC 9162 §2.1.3.1).

    Raises IndexError if there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"no leaf {index} in a tree of {len(hashes)}")
    path: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _parents(level)
        index >>= 1
    return tuple(path)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `path` proves that leaf hash `leaf` is number `index` of the `size` leaves under `expected_root`.

    RFC 9162 §2.1.3.2. Never raises: a path of the wrong length or an index outside the tree is simply no proof.
    """
    if not 0 <= index < size or any(len(step) != HASH_SIZE for step in path):
        return False
    position, last, computed = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(step, computed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, step)
        position >>= 1
        last >>= 1
    return last == 0 and computed == expected_root


def consistency_path(hashes: Sequence[bytes], first: int) -> tuple[bytes, ...]:
    """Proof that the tree of the first `first` leaves is a prefix of the tree of all `hashes` (RFC 9162 §2.1.4.1).

    Empty when the trees are the same. Raises ValueError unless 1 <= first <= len(hashes).
    """
    if not 1 <= first <= len(hashes):
        raise ValueError(f"no tree of {first} leaves inside a tree of {len(hashes)}")
    return tuple(_subproof(hashes, first, whole=True))


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree (`second`, `second_root`) only appends to (`first`, `first_root`).

    RFC 9162 §2.1.4.2. Never raises. A proof from an empty tree proves nothing and is refused, as the RFC leaves it
    undefined; callers accept size 0 without asking.
    """
    if not 1 <= first <= second or any(len(step) != HASH_SIZE for step in path):
        return False
    if first == second:
        return not path and first_root == second_root
    steps = list(path)
    if first & (first - 1) == 0:  # a full subtree: its root is the first step, and both sides know it
        steps.insert(0, first_root)
    if not steps:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        position >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root


def _parents(level: list[bytes]) -> list[bytes]:
    # Pairing upwards and moving an odd last node up unchanged gives the tree that RFC 6962 defines by splitting at the
    # largest power of two.
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _subproof(hashes: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    size = len(hashes)
    if first == size:
        return [] if whole else [root(hashes)]
    split = 1 << ((size - 1).bit_length() - 1)
    if first <= split:
        return [*_subproof(hashes[:split], first, whole=whole), root(hashes[split:])]
    return [*_subproof(hashes[split:], first - split, whole=False), root(hashes[:split])]
