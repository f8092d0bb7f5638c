"""Tries of an endpoint: how long it is left alone, what counts, and when it is disabled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.execution.push.domain.schedule import GONE, SIDE_BY_SIDE, TRIES, WAITS, Line, wait

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOST = 5


def failing(times: int) -> Line:
    line, at = Line(), NOW
    for _ in range(times):
        line = line.failed("endpoint_500", at, at, most=MOST, chance=0.0)
        at = line.resume_at or at
    return line


def test_waits_grow_and_end_at_a_day() -> None:
    assert [wait(n, 0.0).total_seconds() for n in range(1, TRIES)] == list(WAITS)
    assert wait(99, 0.0) == timedelta(days=1)
    assert wait(1, 1.0) == timedelta(seconds=5.5)
    assert list(WAITS) == sorted(WAITS)


def test_a_failing_endpoint_is_left_alone_and_asked_with_one_message() -> None:
    line = Line()
    assert line.room(0, NOW, most=SIDE_BY_SIDE) == SIDE_BY_SIDE
    line = line.failed("endpoint_500", NOW, NOW, most=MOST, chance=0.0)
    assert line.room(0, NOW, most=SIDE_BY_SIDE) == 0
    later = NOW + timedelta(seconds=5)
    assert line.room(0, later, most=SIDE_BY_SIDE) == 1
    assert line.room(1, later, most=SIDE_BY_SIDE) == 0


def test_messages_that_failed_together_are_one_failure() -> None:
    line = Line().failed("endpoint_500", NOW, NOW + timedelta(seconds=1), most=MOST, chance=0.0)
    for _ in range(20):
        line = line.failed("endpoint_500", NOW, NOW + timedelta(seconds=2), most=MOST, chance=0.0)
    assert line.failures == 1


def test_any_success_lets_the_others_go() -> None:
    assert failing(4).succeeded() == Line()


def test_after_the_declared_number_of_failures_it_is_disabled() -> None:
    assert not failing(MOST - 1).disabled
    line = failing(MOST)
    assert line.disabled
    assert line.room(0, NOW + timedelta(days=9), most=SIDE_BY_SIDE) == 0


def test_a_receiver_that_is_gone_is_disabled_at_once() -> None:
    assert Line().failed(GONE, NOW, NOW, most=MOST, chance=0.0).disabled
