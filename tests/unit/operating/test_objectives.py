"""Objectives are judged by what was counted: budgets, burning, levels; and nothing counted is never a pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.contracts.catalogue.slos import BURNS, LEAST_EVENTS, Slo, SloKind, slos
from libs.contracts.incidents import Severity
from libs.contracts.message import Plane
from libs.contracts.slos import SloReading
from libs.runtime.metering import CallMeter
from libs.runtime.objectives import counted, level, samples
from services.gateway.metrics import Meter
from services.operating.domain.incidents import LASTED, objectives, outage
from services.operating.domain.objectives import STALE, Tally, burn, standing, windows

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
RATIO = Slo(
    name="r", kind=SloKind.RATIO, metric="dealix_x_total", bad={"s": "5.."}, objective=0.99, owner="o", en="x", ar="س"
)
LEVEL = Slo(name="l", kind=SloKind.LEVEL, metric="dealix_l", limit=10, for_minutes=5, owner="o", en="x", ar="س")


def stands(whole: Tally, **recent: Tally) -> str:
    tallies = {int(name.removeprefix("m")): tally for name, tally in recent.items()}
    return standing(RATIO, whole, NOW, tallies, [], NOW).state


def test_a_budget_is_spent_by_its_share_of_bad_events() -> None:
    found = standing(RATIO, Tally(995, 5), NOW, {}, [], NOW)
    assert (found.share, found.state) == (0.995, "ok")
    assert found.budget_left == pytest.approx(0.5)
    assert stands(Tally(900, 100)) == "spent"


def test_without_an_event_nothing_is_said() -> None:
    found = standing(RATIO, Tally(), None, {}, [], NOW)
    assert (found.state, found.share, found.budget_left) == ("unknown", None, None)
    assert burn(RATIO, Tally()) is None


def test_it_burns_when_the_long_and_the_short_window_do() -> None:
    assert stands(Tally(9990, 10), m60=Tally(80, 20), m5=Tally(8, 2)) == "burning"
    assert stands(Tally(9990, 10), m60=Tally(80, 20), m5=Tally(10, 0)) == "ok", "it is over"
    assert stands(Tally(9990, 10), m60=Tally(1000, 1), m5=Tally(8, 2)) == "ok", "it just began"


def test_a_few_events_are_no_alarm_and_no_pass() -> None:
    few = Tally(LEAST_EVENTS - 3, 2)
    assert stands(few, m60=few, m5=few) == "unknown"
    assert stands(Tally(LEAST_EVENTS - 2, 2), m60=few, m5=few) == "spent"
    assert stands(Tally(9990, 10), m60=Tally(LEAST_EVENTS - 50, 50), m5=Tally(1, 9)) == "burning"


def test_the_windows_are_those_of_the_alerts() -> None:
    assert [(one.minutes, one.limit) for one in windows(RATIO, {})] == [(60, 14.4), (360, 6), (4320, 1)]
    assert [(one.minutes, one.short_minutes) for one in BURNS] == [(60, 5), (360, 30), (4320, 360)]


@pytest.mark.parametrize(
    ("over_for", "age", "state"),
    [(None, 0, "ok"), (4, 0, "ok"), (5, 0, "breached"), (60, 0, "breached"), (60, 3, "unknown")],
)
def test_a_level_is_breached_after_its_minutes_and_unknown_once_nobody_reads_it(
    over_for: int | None, age: int, state: str
) -> None:
    over = None if over_for is None else NOW - timedelta(minutes=over_for)
    one = SloReading(plane=Plane.TRUST, value=11, at=NOW - timedelta(minutes=age), over_since=over)
    assert standing(LEVEL, Tally(), None, {}, [one], NOW).state == state
    assert timedelta(minutes=3) > STALE


def test_a_plane_that_fell_silent_above_its_limit_leaves_the_level_unknown() -> None:
    silent = SloReading(
        plane=Plane.TRUST, value=11, at=NOW - timedelta(minutes=3), over_since=NOW - timedelta(minutes=4)
    )
    below = SloReading(plane=Plane.DATA, value=1, at=NOW, over_since=None)
    assert standing(LEVEL, Tally(), None, {}, [silent, below], NOW).state == "unknown"
    assert standing(LEVEL, Tally(), None, {}, [silent.evolve(over_since=None), below], NOW).state == "ok"


# -- counting ----------------------------------------------------------------------------------------------------------


def test_calls_are_counted_from_the_text_that_is_scraped() -> None:
    meter = CallMeter()
    for outcome, seconds, times in (("ok", 0.01, 7), ("refused", 0.3, 2), ("failed", 0.01, 1)):
        for _ in range(times):
            meter.count("trust.authorize.v1", outcome, seconds)
    meter.count("trust.approve.v1", "failed", 0.01)
    found = list(samples("\n".join(meter.lines())))
    available, quick, all_calls = (
        counted(slos()[name], found) for name in ("authorize_availability", "authorize_latency", "calls_availability")
    )
    assert available is not None
    assert quick is not None
    assert all_calls is not None
    assert (available.good, available.bad) == (9, 1)
    assert (quick.good, quick.bad) == (8, 2)
    assert (all_calls.good, all_calls.bad) == (9, 2)
    assert counted(slos()["submit_availability"], found) is None, "nothing was counted, which is not zero failures"


def test_requests_of_the_gateway_are_counted_by_their_status() -> None:
    meter = Meter()
    for status, seconds in ((200, 0.1), (404, 0.1), (503, 0.9), (500, 0.1)):
        meter.count("GET", "/x", status, seconds)
    meter.count("GET", "/readyz", 503, 9.0)  # asked by whoever waits for the start: it says what it has to
    found = list(samples(meter.text({})))
    available, quick = counted(slos()["http_availability"], found), counted(slos()["http_latency"], found)
    assert available is not None
    assert quick is not None
    assert (available.good, available.bad) == (2, 2)
    assert (quick.good, quick.bad) == (3, 1)


def test_a_level_is_the_highest_reading_and_a_broken_line_is_passed_over() -> None:
    text = '# TYPE x gauge\ndealix_outbox_unpublished{plane="trust"} 4\ndealix_outbox_unpublished{plane="x"} 9\nnonsense\ndealix_due_backlog{} NaNsense\n'
    found = list(samples(text))
    read = level(slos()["outbox_lag"], found)
    assert read is not None
    assert read.value == 9
    assert level(slos()["due_backlog"], found) is None


@pytest.mark.parametrize(
    "slo", [one for one in slos().values() if one.kind is SloKind.LATENCY], ids=lambda one: one.name
)
def test_a_latency_is_the_bound_of_a_bucket(slo: Slo) -> None:
    from libs.runtime.metering import BOUNDS
    from services.gateway.metrics import BUCKETS

    assert slo.seconds in (BUCKETS if slo.metric.startswith("dealix_http") else BOUNDS)


# -- incidents ---------------------------------------------------------------------------------------------------------


def test_a_short_silence_is_a_restart_and_a_long_one_an_outage() -> None:
    assert outage(NOW - LASTED + timedelta(seconds=1), ["trust"], NOW) is None
    found = outage(NOW - LASTED, ["trust", "data"], NOW)
    assert found is not None
    assert (found.severity, found.since) == (Severity.PAGE, NOW - LASTED)


def test_what_fires_is_an_incident_and_how_fast_it_burns_says_whether_it_wakes_somebody() -> None:
    def found(bad: int) -> list[Severity]:
        tallies = {minutes: Tally(100 - bad, bad) for minutes in (5, 30, 60, 360, 4320)}
        return [one.severity for one in objectives([standing(RATIO, Tally(9990, 10), NOW, tallies, [], NOW)], NOW)]

    assert (found(0), found(2), found(50)) == ([], [Severity.TICKET], [Severity.PAGE])


def test_a_breached_level_is_an_incident_since_it_rose() -> None:
    since = NOW - timedelta(minutes=9)
    one = SloReading(plane=Plane.TRUST, value=11, at=NOW, over_since=since)
    (found,) = objectives([standing(LEVEL, Tally(), None, {}, [one], NOW)], NOW)
    assert (found.subject, found.since, found.severity) == ("l", since, Severity.TICKET)
    assert "trust" in found.detail.en
