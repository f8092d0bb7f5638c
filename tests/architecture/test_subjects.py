"""Who may say what on the bus: the table of the architecture, the declarations and the server's permissions agree pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from libs.contracts.message import Message, Plane
from libs.contracts.subjects import (
    AUDITED,
    AUTHORIZE,
    BUCKETS,
    CALLS,
    EVENTS,
    EXECUTION_CONTROL,
    MAY_CALL,
    SIGNALS,
    Call,
    Event,
)
from libs.runtime.nats_config import permissions, streams

D, E, T, DA, OP, G = Plane.DECISION, Plane.EXECUTION, Plane.TRUST, Plane.DATA, Plane.OPERATING, Plane.GATEWAY

# The table "caller, may call", written out a second time on purpose: changing it must be meant.
TABLE = {
    G: {D, E, T, DA, OP},
    D: {DA, T, E},
    E: {T, D, DA},
    DA: {T, D},
    T: {DA, E, OP},
    OP: {D, E, T, DA, G},
}


def matches(pattern: str, subject: str) -> bool:
    """NATS subject matching: `*` is one token, `>` the rest."""
    wanted, given = pattern.split("."), subject.split(".")
    for i, token in enumerate(wanted):
        if token == ">":
            return len(given) > i
        if i >= len(given) or token not in ("*", given[i]):
            return False
    return len(wanted) == len(given)


def may_publish(plane: Plane, subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in permissions(plane).publish)


def may_hear(plane: Plane, subject: str) -> bool:
    return any(matches(pattern.split(" ")[0], subject) for pattern in permissions(plane).subscribe)


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("a.b", "a.b", True), ("a.*", "a.b", True), ("a.*", "a.b.c", False), ("a.>", "a.b.c", True), ("a.>", "a", False),
        (">", "a", True), ("a.b", "a.b.c", False),
    ],
)  # fmt: skip
def test_the_matcher_of_these_tests_matches_as_nats_does(pattern: str, subject: str, expected: bool) -> None:
    assert matches(pattern, subject) is expected


def test_the_declared_matrix_is_the_table_of_the_architecture() -> None:
    assert {caller: set(callees) for caller, callees in MAY_CALL.items()} == TABLE


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.subject)
def test_a_plane_may_publish_a_call_exactly_when_the_subject_names_it(
    plane: Plane, call: Call[Message, Message]
) -> None:
    assert may_publish(plane, call.subject) is (plane in call.callers)


@pytest.mark.parametrize(
    ("caller", "callee"), [(a, b) for a, b in product(Plane, Plane) if a is not b and b not in TABLE[a]]
)
def test_a_pair_that_the_table_does_not_have_shares_no_call(caller: Plane, callee: Plane) -> None:
    shared = {call.subject for call in CALLS if call.plane is callee and may_publish(caller, call.subject)}
    assert shared - {f"{callee.value}.ping.v1"} == set()


def test_no_plane_calls_itself_over_the_bus() -> None:
    assert [call.subject for call in CALLS if call.plane in call.callers] == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.subject)
def test_only_the_owning_plane_hears_a_call_and_only_in_its_queue_group(call: Call[Message, Message]) -> None:
    assert [plane for plane in Plane if may_hear(plane, call.subject)] == [call.plane]
    granted = [p for p in permissions(call.plane).subscribe if matches(p.split(" ")[0], call.subject)]
    assert granted == [f"{call.subject} {call.plane.value}"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_only_the_owning_plane_publishes_an_event_and_nobody_hears_it_past_the_stream(event: Event[Message]) -> None:
    assert [plane for plane in Plane if may_publish(plane, event.subject)] == [event.plane]
    assert [plane for plane in Plane if may_hear(plane, event.subject)] == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
@pytest.mark.parametrize("plane", list(Plane))
def test_only_consumers_of_an_event_pull_and_acknowledge_it(plane: Plane, event: Event[Message]) -> None:
    for consumer in Plane:
        durable = event.durable(consumer)
        for subject in (
            f"$JS.API.CONSUMER.MSG.NEXT.{event.stream}.{durable}",
            f"$JS.ACK.{event.stream}.{durable}.1.1.1.1.0",
        ):
            assert may_publish(plane, subject) is (plane is consumer and plane in event.consumers)


@pytest.mark.parametrize("plane", list(Plane))
def test_no_plane_changes_or_reads_a_stream_of_events_directly(plane: Plane) -> None:
    for stream, verb in product(
        [*streams(), "DLQ"], ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "MSG.GET", "RESTORE")
    ):
        assert not may_publish(plane, f"$JS.API.STREAM.{verb}.{stream}")
    for stream, verb in product([*streams(), "DLQ"], ("CREATE", "DURABLE.CREATE", "DELETE", "PAUSE")):
        assert not may_publish(plane, f"$JS.API.CONSUMER.{verb}.{stream}.any")
        assert not may_publish(plane, f"$JS.API.CONSUMER.{verb}.{stream}")


@pytest.mark.parametrize(("one", "other"), [(a, b) for a, b in product(Plane, Plane) if a is not b])
def test_no_plane_reads_or_forges_another_planes_replies(one: Plane, other: Plane) -> None:
    assert not may_hear(one, f"_INBOX_{other.value}.x.1")
    assert not may_publish(one, f"_INBOX_{other.value}.x.1")
    assert not may_publish(one, f"dlq.{other.value}.any.event.v1")


@pytest.mark.parametrize("plane", list(Plane))
def test_no_plane_may_say_or_hear_everything(plane: Plane) -> None:
    allowed = permissions(plane)
    for pattern in (*allowed.publish, *(entry.split(" ")[0] for entry in allowed.subscribe)):
        head = pattern.split(".")[0]
        assert head != ">"
        assert head != "*" or pattern in {f"*.{signal.name}.v1" for signal in SIGNALS}
        assert not matches(pattern, "$SYS.REQ.SERVER.PING")


@pytest.mark.parametrize("plane", list(Plane))
def test_a_plane_signs_telemetry_with_its_own_name_and_only_its_consumer_hears_it(plane: Plane) -> None:
    for signal in SIGNALS:
        assert [p for p in Plane if may_publish(p, signal.subject(plane))] == [plane]
        assert [p for p in Plane if may_hear(p, signal.subject(plane))] == [signal.consumer]


def test_only_writers_put_files_into_a_bucket_and_only_named_planes_read_it() -> None:
    for bucket, plane in product(BUCKETS, Plane):
        assert may_publish(plane, f"$O.{bucket.name}.C.any") is (plane in bucket.writers)
        named = plane in bucket.writers | bucket.readers
        assert may_publish(plane, f"$JS.API.STREAM.INFO.OBJ_{bucket.name}") is named
        assert may_publish(plane, f"$JS.API.STREAM.MSG.DELETE.OBJ_{bucket.name}") is (plane in bucket.readers)


def test_the_dangerous_calls_have_exactly_one_caller() -> None:
    """Only execution obtains grants, and only operating pauses execution."""
    assert AUTHORIZE.callers == {E}
    assert EXECUTION_CONTROL.callers == {OP}


def test_every_plane_but_trust_reports_to_the_ledger() -> None:
    assert set(AUDITED) == set(Plane) - {T}
    assert all(event.consumers == {T} for event in AUDITED.values())
