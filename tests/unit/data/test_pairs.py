"""Pairs worth comparing: found for all items at once they are those that going through them one by one finds, and no pair is left out of
which the names might be similar."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from services.data.importing.domain.keys import Keys
from services.data.importing.domain.names import NameForm, company_form, may_reach
from services.data.importing.domain.pairs import (
    CROWDED,
    CROWDED_WINDOW,
    MOST_HELD,
    RAREST,
    WINDOW,
    Held,
    NameReach,
    candidates,
)

WORDS = (
    "najd",
    "نجد",
    "rowad",
    "رواد",
    "trading",
    "للتجارة",
    "sama",
    "سما",
    "12",
    "abc",
    "x",
    "medical",
    "فنار",
    "فنارات",
)


def is_loose(key: str) -> bool:
    return key[1] == ":"


def numbered(names: Sequence[str]) -> Keys:
    telling, words = ([hash(key) for key in names if is_loose(key) is loose] for loose in (False, True))
    return Keys(tuple(telling), tuple(words))


def one_by_one(keys: Sequence[Sequence[str]], stored: int) -> list[tuple[int, int]]:
    """The same rule, item by item."""
    blocks: dict[str, list[int]] = {}
    for item, names in enumerate(keys):
        for name in names:
            blocks.setdefault(name, []).append(item)
    return list(dict.fromkeys((*_identified(blocks, stored), *_named(blocks, keys, stored))))


def _identified(blocks: dict[str, list[int]], stored: int) -> Iterator[tuple[int, int]]:
    for name, members in blocks.items():
        if len(members) > 1 and not is_loose(name):
            for position in range(bisect_left(members, stored), len(members)):
                for earlier in _before(members, position, stored, WINDOW):
                    yield earlier, members[position]


def _named(blocks: dict[str, list[int]], keys: Sequence[Sequence[str]], stored: int) -> Iterator[tuple[int, int]]:
    for later in range(stored, len(keys)):
        shared = sorted((len(blocks[name]), name) for name in keys[later] if is_loose(name) and len(blocks[name]) > 1)
        for crowd, name in shared[:RAREST]:
            members = blocks[name]
            window = CROWDED_WINDOW if crowd > CROWDED else WINDOW
            for earlier in _before(members, bisect_left(members, later), stored, window):
                yield earlier, later


def _before(members: list[int], position: int, stored: int, window: int) -> list[int]:
    if position <= window:
        return members[:position]
    first = max(1, min(bisect_left(members, stored), window))
    return members[: min(first, position - window)] + members[position - window : position]


@pytest.mark.parametrize("seed", range(8))
def test_all_at_once_finds_the_same_pairs_in_the_same_order(seed: int) -> None:
    chance = random.Random(seed)
    items, stored = chance.choice((1, 40, 400)), chance.choice((0, 0, 30))
    keys = []
    for _ in range(items + stored):
        strict = {f"phone:{chance.randrange(items)}" for _ in range(chance.randrange(3))}
        strict |= {f"cr:{chance.randrange(3)}" for _ in range(chance.randrange(2))}
        loose = sorted(
            {f"{chance.choice('bpmk')}:{chance.randrange(1 + items // 5)}" for _ in range(chance.randrange(5))}
        )
        keys.append((*sorted(strict), *loose))
    earlier, later, identified = candidates([numbered(its) for its in keys], stored)
    pairs = list(zip(earlier.tolist(), later.tolist(), strict=True))
    assert pairs == one_by_one(keys, stored)
    assert all(a < b and b >= stored for a, b in pairs)
    for at, (a, b) in enumerate(pairs):
        if at < identified:
            assert any(not is_loose(key) for key in set(keys[a]) & set(keys[b]))


def test_nothing_to_compare_is_no_pair() -> None:
    for keys, stored in (([], 0), ([()], 0), ([("b:x",)], 0), ([("b:x",), ("b:x",)], 2)):
        earlier, later, identified = candidates([numbered(its) for its in keys], stored)
        assert (len(earlier), len(later), identified) == (0, 0, 0)


@pytest.mark.parametrize("least", [66.0, 88.0])
def test_names_that_may_reach_are_kept_whichever_way_they_are_asked_about(least: float) -> None:
    chance = random.Random(3)
    forms: list[tuple[NameForm, ...]] = [
        tuple(
            company_form(" ".join(chance.sample(WORDS, chance.randint(1, 3))))
            for _ in range(chance.choice((1, 1, 1, 2)))
        )
        for _ in range(120)
    ]
    left, right = (np.array([chance.randrange(len(forms)) for _ in range(3000)]) for _ in range(2))
    may = NameReach(forms, least).may(left, right)
    for i, j, kept in zip(left.tolist(), right.tolist(), may.tolist(), strict=True):
        single = len(forms[i]) == len(forms[j]) == 1
        assert kept == (not single or may_reach(forms[i], forms[j], least)), (forms[i], forms[j])
    assert 0 < may.sum() < len(may)


def test_what_two_items_share_is_seen_from_both_sides() -> None:
    held = Held([frozenset(("a", "b")), frozenset(), frozenset(("b",)), frozenset(("c",))])
    left, right = np.array([0, 2, 0, 1, 3]), np.array([2, 0, 1, 0, 3])
    assert held.share(left, right).tolist() == [True, True, False, False, True]
    assert Held([frozenset(), frozenset()]).share(np.array([0]), np.array([1])).tolist() == [False]
    assert Held([]).share(np.array([], dtype=np.int64), np.array([], dtype=np.int64)).tolist() == []


def test_who_holds_more_than_is_compared_is_looked_at_with_everybody() -> None:
    held = Held([frozenset(map(str, range(MOST_HELD + 1))), frozenset(("x",)), frozenset(("y",))])
    left, right = np.array([1, 2, 1]), np.array([0, 0, 2])
    assert held.share(left, right).tolist() == [True, True, False]
