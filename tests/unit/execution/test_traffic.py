"""Waits, breakers, buckets and turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.dead_letters.domain import MOST_FAILURES, Suspects
from services.execution.traffic.domain import (
    BREAKER_FAILURES,
    BREAKER_LONGEST,
    LONGEST_ASKED,
    LONGEST_WAIT,
    Breaker,
    Bucket,
    Turns,
    capacity,
    in_turn,
    read_retry_after,
    take,
    wait_seconds,
)

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
LOUD, QUIET = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(("failures", "middle"), [(1, 1.0), (2, 2.0), (3, 4.0)])
def test_waits_double_and_spread_around_their_middle(failures: int, middle: float) -> None:
    assert wait_seconds(failures, None, 0.5) == middle
    assert wait_seconds(failures, None, 0.0) == middle / 2
    assert wait_seconds(failures, None, 0.999) < middle * 1.5


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1e9), st.floats(0, 1))
def test_a_vendor_is_never_tried_before_it_asked_for(failures: int, asked: float | None, chance: float) -> None:
    wait = wait_seconds(failures, asked, chance)
    assert min(asked or 0.0, LONGEST_ASKED) <= wait <= max(LONGEST_WAIT * 1.5, LONGEST_ASKED + 1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 22 Nov 2026 06:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 05:00:00 GMT", 0.0),
        ("99999999999", LONGEST_ASKED),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("", None),
        (None, None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_and_nothing_else(value: str | None, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3."""
    assert read_retry_after(value, NOW) == seconds


def test_a_breaker_opens_after_failures_in_a_row_and_longer_each_time() -> None:
    breaker = Breaker().failed(BREAKER_FAILURES - 1, None, NOW)
    assert breaker.holds(NOW) is None
    first = breaker.failed(1, None, NOW)
    assert first.holds(NOW) == 30.0
    after = NOW + timedelta(seconds=30)
    assert first.holds(after) == 0.0
    again = first.failed(1, None, after)
    assert again.holds(after) == 60.0
    for _ in range(20):
        again = again.failed(1, None, after)
    assert again.holds(after) == BREAKER_LONGEST


def test_a_vendor_that_asks_to_wait_holds_its_connector_at_the_first_word() -> None:
    assert Breaker().failed(1, 45.0, NOW).holds(NOW) == 45.0


def test_a_bucket_gives_what_it_holds_and_fills_by_the_minute() -> None:
    bucket, given_ = take(None, 100, 60, NOW)
    assert given_ == capacity(60) == 10
    assert take(bucket, 5, 60, NOW)[1] == 0
    assert take(bucket, 5, 60, NOW + timedelta(seconds=3))[1] == 3
    assert take(bucket, 500, 60, NOW + timedelta(days=1))[1] == 10


def test_a_clock_that_goes_back_gives_nothing_for_it() -> None:
    assert take(Bucket(0.0, NOW), 1, 600, NOW - timedelta(hours=1))[1] == 0


def test_a_hundredfold_load_delays_another_tenant_by_one_turn() -> None:
    turns: Turns[str] = Turns(100)
    for number in range(100):
        turns.put(LOUD, f"loud-{number}", 10)
    turns.put(QUIET, "quiet", 10)
    taken = [turns.take() for _ in range(101)]
    assert taken.index("quiet") <= 10
    assert [t for t in taken if t != "quiet"] == [f"loud-{n}" for n in range(100)]
    assert (len(turns), turns.take()) == (0, None)


def test_one_submission_of_a_thousand_waits_for_the_small_ones() -> None:
    turns: Turns[str] = Turns(100)
    turns.put(LOUD, "thousand", 1000)
    for number in range(5):
        turns.put(QUIET, f"one-{number}")
    assert turns.take() == "one-0"
    assert {turns.take() for _ in range(5)} == {*(f"one-{n}" for n in range(1, 5)), "thousand"}


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 300)), max_size=60))
def test_turns_lose_nothing_and_keep_each_tenants_order(puts: list[tuple[int, int]]) -> None:
    turns: Turns[tuple[int, int]] = Turns(50)
    for at, (tenant, cost) in enumerate(puts):
        turns.put(UUID(int=tenant), (tenant, at), cost)
    assert len(turns) == sum(cost for _, cost in puts)
    taken = []
    while (one := turns.take()) is not None:
        taken.append(one)
    assert sorted(at for _, at in taken) == list(range(len(puts)))
    for tenant in range(1, 5):
        own = [at for t, at in taken if t == tenant]
        assert own == sorted(own)
    assert len(turns) == 0


def test_claims_take_one_of_each_in_turn() -> None:
    assert in_turn([(LOUD, "a"), (LOUD, "b"), (LOUD, "c"), (QUIET, "x"), (QUIET, "y")]) == ["a", "x", "b", "y", "c"]


def test_an_item_is_at_fault_only_while_others_go_through() -> None:
    suspects, poison, fine = Suspects(), (LOUD, UUID(int=7)), (QUIET, UUID(int=8))
    for _ in range(MOST_FAILURES * 3):
        assert not suspects.failed(poison, at_fault=False)
    for at in range(1, MOST_FAILURES + 1):
        suspects.well(fine)
        assert suspects.others_did_well(poison)
        assert suspects.failed(poison, at_fault=True) is (at == MOST_FAILURES)


def test_an_item_that_goes_through_is_suspected_no_longer() -> None:
    suspects, item = Suspects(), (LOUD, UUID(int=7))
    for _ in range(MOST_FAILURES - 1):
        suspects.failed(item, at_fault=True)
    suspects.well(item)
    assert not suspects.failed(item, at_fault=True)
