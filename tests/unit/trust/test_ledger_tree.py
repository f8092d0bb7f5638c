"""The growing tree is the tree of RFC 6962, and a plan reads what a proof needs and no more."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts import merkle
from services.trust.ledger.domain.tree import (
    RUN,
    STORED_LEVEL,
    NodeId,
    ReadPlan,
    TreeHead,
    append,
    plan_consistency,
    plan_inclusion,
)

LIMIT = 3000
LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(LIMIT)]
sizes = st.integers(1, LIMIT)


def grown(*batches: int) -> tuple[TreeHead, dict[NodeId, bytes]]:
    head, nodes = TreeHead(), {}
    for count in batches:
        head, completed = append(head, LEAVES[head.size : head.size + count])
        nodes |= {NodeId(node.level, node.position): node.hash for node in completed}
    return head, nodes


def read(plan: ReadPlan, nodes: dict[NodeId, bytes]) -> tuple[bytes, ...]:
    """The proof from exactly what the plan asks for."""
    hashes = {seq: LEAVES[seq] for run in plan.runs for seq in run}
    return plan.path(hashes, {node: nodes[node] for node in plan.nodes})


@settings(deadline=None)
@given(st.lists(st.integers(0, 700), max_size=4))
def test_the_tree_is_the_same_however_its_leaves_arrived(batches: list[int]) -> None:
    head, nodes = grown(*batches)
    assert head.root == merkle.root(LEAVES[: head.size])
    at_once, same_nodes = grown(sum(batches))
    assert (at_once, same_nodes) == (head, nodes)


@settings(deadline=None)
@given(sizes)
def test_only_complete_subtrees_of_a_run_and_more_are_stored(size: int) -> None:
    _, nodes = grown(size)
    assert set(nodes) == {
        NodeId(level, position) for level in range(STORED_LEVEL, 13) for position in range(size >> level)
    }
    for (level, position), stored in nodes.items():
        assert stored == merkle.root(LEAVES[position << level : (position + 1) << level])


@settings(deadline=None)
@given(sizes, st.data())
def test_inclusion_plans_give_the_rfcs_path_and_read_little(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    _, nodes = grown(size)
    plan = plan_inclusion(index, size)
    assert read(plan, nodes) == merkle.inclusion_path(LEAVES[:size], index)
    reads_little(plan, size)


@settings(deadline=None)
@given(sizes, st.data())
def test_consistency_plans_give_the_rfcs_path_and_read_little(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    _, nodes = grown(second)
    plan = plan_consistency(first, second)
    assert read(plan, nodes) == merkle.consistency_path(LEAVES[:second], first)
    reads_little(plan, second)


def reads_little(plan: ReadPlan, size: int) -> None:
    assert len(plan.runs) <= 2
    assert all(len(run) <= RUN and run.start % RUN == 0 and run.stop <= size for run in plan.runs)
    assert len(plan.nodes) <= 2 * math.ceil(math.log2(size + 1))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_no_inclusion_plan_for_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        plan_inclusion(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_no_consistency_plan_from_nothing_or_backwards(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="no tree"):
        plan_consistency(first, second)


def test_damaged_storage_gives_no_proof() -> None:
    _, nodes = grown(1000)
    plan = plan_inclusion(3, 1000)
    with pytest.raises(KeyError):
        plan.path({}, nodes)


def test_a_head_whose_frontier_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="subtrees"):
        TreeHead(3, (bytes(32),))
