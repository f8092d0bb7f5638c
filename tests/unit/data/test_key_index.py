"""The index of keys finds exactly what its rule says, however it was filled, and forgets nothing."""

from collections import defaultdict
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.importing.domain.keys import Keys
from services.data.matching import index as index_module
from services.data.matching.index import LOOSE_MEMBERS, MEMBERS, RAREST, KeyIndex, owners_of, page_numbers

Entry = tuple[int, int]
"""Key and number of the account."""

ENTRIES = st.lists(
    st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 255)), max_size=60, unique=True), max_size=6
).map(lambda chunks: list({entry: None for chunk in chunks for entry in chunk}))
WANTED = st.lists(
    st.lists(st.tuples(st.integers(-8, 8), st.booleans()), max_size=6, unique_by=lambda key: key[0]), max_size=5
)


def account(number: int) -> UUID:
    """Ids that end in a zero byte are among them."""
    return UUID(int=(7 << 120) | (number << 8))


def filled(entries: list[Entry], chunk: int) -> KeyIndex:
    index = KeyIndex()
    for start in range(0, len(entries), chunk):
        part = entries[start : start + chunk]
        index.add(np.array([key for key, _ in part]), owners_of([account(number) for _, number in part]))
    return index


def candidates(index: KeyIndex, wanted: list[list[tuple[int, bool]]]) -> list[UUID]:
    sides = ([tuple(key for key, its in keys if its is loose) for loose in (False, True)] for keys in wanted)
    return index.candidates([Keys(telling, words) for telling, words in sides])


def by_the_rule(entries: list[Entry], wanted: list[list[tuple[int, bool]]]) -> list[UUID]:
    """The rule in plain words: all identifiers, and of each row's words the rarest; of each key those filed last."""
    filed: dict[int, list[int]] = defaultdict(list)
    for key, number in entries:
        filed[key].append(number)
    found: set[int] = set()
    strict = {key for keys in wanted for key, loose in keys if not loose}
    for keys in wanted:
        words = sorted((len(filed[key]), key) for key, loose in keys if loose and filed[key])
        for key in (*(key for key, loose in keys if not loose), *(key for _, key in words[:RAREST])):
            found |= set(filed[key][-(MEMBERS if key in strict else LOOSE_MEMBERS) :])
    return sorted(account(number) for number in found)


@settings(max_examples=300, deadline=None)
@given(ENTRIES, WANTED, st.integers(1, 30))
def test_what_shares_a_telling_key_is_found_and_nothing_else(
    entries: list[Entry], wanted: list[list[tuple[int, bool]]], chunk: int
) -> None:
    assert candidates(filled(entries, chunk), wanted) == by_the_rule(entries, wanted)


def test_of_a_crowded_key_those_filed_last_are_found() -> None:
    entries = [(1, number) for number in range(100)]
    for chunk in (100, 7):
        found = candidates(filled(entries, chunk), [[(1, True)]])
        assert found == [account(number) for number in range(100 - LOOSE_MEMBERS, 100)]
        found = candidates(filled(entries, chunk), [[(1, False)]])
        assert found == [account(number) for number in range(100 - MEMBERS, 100)]


def test_a_row_follows_its_rarest_words() -> None:
    crowd = [(key, key * 20 + nth) for key in range(1, 6) for nth in range(key)]
    found = candidates(filled(crowd, 4), [[(key, True) for key in range(1, 6)]])
    assert {(int(one.int >> 8) & 0xFF) // 20 for one in found} == set(range(1, 1 + index_module.RAREST))


def test_nothing_filed_or_nothing_asked_is_nothing_found() -> None:
    assert candidates(KeyIndex(), [[(1, False)]]) == []
    assert candidates(filled([(1, 1)], 1), []) == []
    assert candidates(filled([(1, 1)], 1), [[(2, False)]]) == []


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300).map(sorted), st.integers(1, 9))
def test_a_page_lies_in_one_bucket_and_holds_no_more_than_it_may(keys: list[int], most: int) -> None:
    numbers = page_numbers(np.array(keys, dtype=np.int64), 60, most).tolist()
    pages: dict[int, list[int]] = defaultdict(list)
    for key, number in zip(keys, numbers, strict=True):
        pages[number].append(key)
    assert list(pages) == list(range(len(pages)))
    assert all(len(page) <= most and len({key >> 60 for key in page}) == 1 for page in pages.values())
