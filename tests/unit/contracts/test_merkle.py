"""The shared tree is RFC 6962's, and every proof it gives holds while no other does."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts import merkle

# The eight inputs and the roots of their prefixes from Certificate Transparency's reference tests (RFC 6962 trees).
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [  # (leaf, tree size, path)
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]

sizes = st.integers(min_value=1, max_value=600)


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(index.to_bytes(4, "big")) for index in range(count)]


def definition(hashes: list[bytes]) -> bytes:
    """The recursive definition of RFC 6962 §2.1, written as the RFC writes it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + definition(hashes[:split]) + definition(hashes[split:])).digest()


def test_roots_are_those_of_the_reference_vectors() -> None:
    hashes = [merkle.leaf_hash(data) for data in INPUTS]
    assert [merkle.root(hashes[: n + 1]).hex() for n in range(8)] == ROOTS


@pytest.mark.parametrize(("leaf", "size", "path"), INCLUSION)
def test_inclusion_paths_are_those_of_the_reference_vectors(leaf: int, size: int, path: list[str]) -> None:
    hashes = [merkle.leaf_hash(data) for data in INPUTS[:size]]
    assert [step.hex() for step in merkle.inclusion_path(hashes, leaf)] == path


@pytest.mark.parametrize(("first", "second", "path"), CONSISTENCY)
def test_consistency_paths_are_those_of_the_reference_vectors(first: int, second: int, path: list[str]) -> None:
    hashes = [merkle.leaf_hash(data) for data in INPUTS[:second]]
    assert [step.hex() for step in merkle.consistency_path(hashes, first)] == path


def test_a_leaf_never_passes_for_an_inner_node() -> None:
    left, right = leaves(2)
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=600))
def test_the_root_follows_the_rfcs_recursive_definition(size: int) -> None:
    assert merkle.root(leaves(size)) == definition(leaves(size))


@settings(deadline=None)
@given(sizes, st.data())
def test_every_inclusion_path_holds_for_its_leaf_only(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    top, path = merkle.root(hashes), merkle.inclusion_path(hashes, index)
    assert merkle.verify_inclusion(hashes[index], index, size, path, top)
    other = data.draw(st.integers(0, size + 2))
    if other != index:
        assert not merkle.verify_inclusion(hashes[index], other, size, path, top)
        assert not merkle.verify_inclusion(merkle.leaf_hash(b"foreign"), index, size, path, top)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*path, hashes[0]], top)
    if path:
        assert not merkle.verify_inclusion(hashes[index], index, size, path[:-1], top)
        assert not merkle.verify_inclusion(hashes[index], index, size, [*path[:-1], path[-1][:-1]], top)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=300))
def test_a_batchs_paths_are_the_single_paths(size: int) -> None:
    hashes = leaves(size)
    top, paths = merkle.batch_paths(hashes)
    assert top == merkle.root(hashes)
    assert paths == [merkle.inclusion_path(hashes, index) for index in range(size)]


@settings(deadline=None)
@given(sizes, st.data())
def test_a_consistency_path_holds_and_none_holds_for_a_rewritten_past(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    hashes = leaves(size)
    old, new, path = merkle.root(hashes[:first]), merkle.root(hashes), merkle.consistency_path(hashes, first)
    assert merkle.verify_consistency(first, size, old, new, path)
    rewritten = [merkle.leaf_hash(b"rewritten"), *hashes[1:]]
    forged = merkle.consistency_path(rewritten, first)
    assert not merkle.verify_consistency(first, size, old, merkle.root(rewritten), forged)
    assert not merkle.verify_consistency(first, size, old, new, [*path, old])
    if path:
        assert not merkle.verify_consistency(first, size, old, new, path[:-1])


def test_a_leaf_outside_the_tree_has_no_path() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion_path(leaves(3), 3)
    with pytest.raises(ValueError, match="no tree of 0"):
        merkle.consistency_path(leaves(3), 0)
