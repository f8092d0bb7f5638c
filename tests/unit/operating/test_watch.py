"""The history of the planes' health: what one look makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from libs.contracts.message import Plane
from libs.contracts.operating import PlaneHealth
from services.operating.domain.watch import Watch, look, silent

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
GAP = timedelta(seconds=60)
IDS = (UUID(int=1), UUID(int=2))
FIVE = timedelta(seconds=5)


def _watch(answering: bool, seen: datetime = NOW) -> Watch:
    return Watch(UUID(int=9), NOW - timedelta(hours=1), seen, answering, () if answering else ("trust",))


def test_a_stretch_grows_while_nothing_changes() -> None:
    assert look(_watch(True), (), NOW + FIVE, gap=GAP, ids=IDS) == (_watch(True, NOW + FIVE),)
    assert look(_watch(False), ("data",), NOW + FIVE, gap=GAP, ids=IDS)[0].planes == ("data",)


def test_an_outage_begins_when_all_were_last_seen_well_and_ends_when_they_are_again() -> None:
    (begun,) = look(_watch(True), ("trust",), NOW + FIVE, gap=GAP, ids=IDS)
    assert (begun.since, begun.seen_at, begun.answering, begun.planes) == (NOW, NOW + FIVE, False, ("trust",))
    (ended,) = look(begun, (), NOW + FIVE * 2, gap=GAP, ids=(UUID(int=3), UUID(int=4)))
    assert ended.answering and ended.since == begun.seen_at and ended.watch_id != begun.watch_id


def test_time_in_which_nobody_looked_is_never_time_in_which_all_answered() -> None:
    later = NOW + timedelta(minutes=10)
    missed, again = look(_watch(True), (), later, gap=GAP, ids=IDS)
    assert (missed.since, missed.seen_at, missed.answering) == (NOW, later, False)
    assert again.answering and again.since == again.seen_at == later
    (grown,) = look(_watch(False), ("trust",), later, gap=GAP, ids=IDS)
    assert grown.watch_id == _watch(False).watch_id and grown.seen_at == later


def test_a_look_that_is_not_later_changes_nothing() -> None:
    assert look(_watch(True), ("trust",), NOW, gap=GAP, ids=IDS) == ()


def test_a_plane_that_is_unknown_or_down_is_silent_and_a_degraded_one_answers() -> None:
    states = dict(zip(Plane, ("ok", "degraded", "down", "unknown", "ok", "ok"), strict=True))
    planes = [
        PlaneHealth(plane=plane, status=state, instances=1, version="1", last_seen_at=NOW)
        for plane, state in states.items()
    ]
    assert silent(planes) == tuple(p.value for p, s in states.items() if s in ("down", "unknown"))
