"""Pages: where one goes on, and what it holds."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.contracts.errors import NotFound
from libs.contracts.message import Page
from libs.contracts.paging import before, page_of

FOUND = [UUID(int=number) for number in (9, 7, 5)]


def test_a_page_goes_on_from_the_id_that_its_cursor_is() -> None:
    assert before(Page(cursor=str(FOUND[0]))) == FOUND[0]
    assert before(Page()) is None and before(Page(cursor="")) is None


@pytest.mark.parametrize("cursor", ["5", "next", "01930000-0000-7000-8000", "' or 1=1"])
def test_a_cursor_that_is_none_of_ours_is_refused_in_both_languages(cursor: str) -> None:
    with pytest.raises(NotFound) as refused:
        before(Page(cursor=cursor))
    assert (refused.value.code, refused.value.status) == ("bad_cursor", 404)
    assert refused.value.en and refused.value.ar


def test_what_was_found_beyond_the_limit_says_that_there_is_more_and_is_not_shown() -> None:
    assert page_of(FOUND, 2, lambda one: one) == (tuple(FOUND[:2]), str(FOUND[1]))


@pytest.mark.parametrize("limit", [3, 4])
def test_a_page_that_holds_all_is_the_last(limit: int) -> None:
    assert page_of(FOUND, limit, lambda one: one) == (tuple(FOUND), None)


def test_nothing_found_is_a_page_without_items() -> None:
    assert page_of([], 2, lambda one: one) == ((), None)
