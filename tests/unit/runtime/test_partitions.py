"""Months and the keys that begin them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.message import derived_id, first_id, new_id
from libs.runtime.partitions import bound, following


def test_a_month_begins_with_the_least_key_of_its_first_moment() -> None:
    first = bound(date(2026, 12, 1))
    assert first.int >> 80 == int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
    assert first.int & ((1 << 80) - 1) == 0
    assert bound(date(2000, 1, 1)) < new_id() < bound(date(2400, 1, 1))


def test_the_first_id_of_a_moment_divides_what_came_before_from_what_came_after() -> None:
    moment = datetime(2026, 12, 1, 12, tzinfo=UTC)
    later = [derived_id(first_id(moment), number) for number in range(100)]
    assert first_id(moment) < min(later) and max(later) < first_id(moment + timedelta(milliseconds=1))
    assert first_id(datetime(1960, 1, 1, tzinfo=UTC)) == UUID(int=0), "ids begin in 1970"


@pytest.mark.parametrize(
    ("month", "after"), [(date(2026, 11, 30), date(2026, 12, 1)), (date(2026, 12, 31), date(2027, 1, 1))]
)
def test_a_year_ends_after_december(month: date, after: date) -> None:
    assert following(month) == after


def test_what_follows_from_an_id_is_of_its_month_and_no_two_are_alike() -> None:
    base = new_id()
    derived = [derived_id(base, "send", attempt) for attempt in range(100)]
    assert len({base, *derived}) == 101
    assert derived == [derived_id(base, "send", attempt) for attempt in range(100)]
    assert {key.int >> 80 for key in derived} == {base.int >> 80}
    assert {(key.version, key.variant) for key in derived} == {(8, UUID(int=0x2 << 62).variant)}
    assert derived_id(base, "a:b") == derived_id(base, "a", "b") != derived_id(new_id(), "a", "b")
