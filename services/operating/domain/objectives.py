"""How an objective stands: its budget over 30 days, how fast it burns over several windows, whether a level is too high for too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.catalogue.slos import BURNS, LEAST_EVENTS, WINDOW_DAYS, Slo, SloKind
from libs.contracts.slos import SloReading, SloStanding, SloState, SloWindow

STALE = timedelta(minutes=2)
"""A reading that is older says nothing of now: planes tell theirs several times a minute."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of an objective in a stretch of time."""

    good: int = 0
    bad: int = 0

    @property
    def total(self) -> int:
        return self.good + self.bad


def burn(slo: Slo, tally: Tally) -> float | None:
    """How many times faster than allowed the budget is spent; None without an event."""
    if not tally.total or slo.objective is None:
        return None
    return (tally.bad / tally.total) / (1 - slo.objective)


def windows(slo: Slo, tallies: Mapping[int, Tally]) -> tuple[SloWindow, ...]:
    """Each alert's long window: it fires when that and its short window both burn too fast (Site Reliability Workbook, chapter 5)."""
    out = []
    for one in BURNS:
        long, short = tallies.get(one.minutes, Tally()), tallies.get(one.short_minutes, Tally())
        fast = burn(slo, long)
        recent = burn(slo, short)
        known = long.total >= LEAST_EVENTS and fast is not None and recent is not None
        firing = known and min(fast or 0, recent or 0) > one.rate
        out.append(
            SloWindow(minutes=one.minutes, good=long.good, bad=long.bad, burn=fast, limit=one.rate, firing=firing)
        )
    return tuple(out)


def standing(
    slo: Slo,
    whole: Tally,
    since: datetime | None,
    tallies: Mapping[int, Tally],
    readings: Sequence[SloReading],
    now: datetime,
) -> SloStanding:
    """An objective over `whole` (30 days at most, counted from `since`), over its windows, or by its readings."""
    looked = windows(slo, tallies) if slo.kind is not SloKind.LEVEL else ()
    spent = burn(slo, whole)
    return SloStanding(
        name=slo.name, kind=slo.kind.value, owner=slo.owner, en=slo.en, ar=slo.ar, objective=slo.objective, seconds=slo.seconds,
        limit=slo.limit, for_minutes=slo.for_minutes, since=since, good=whole.good, bad=whole.bad,
        share=whole.good / whole.total if whole.total else None,
        budget_left=None if spent is None else 1 - spent,
        windows=looked, readings=tuple(readings),
        state=_level(slo, readings, now) if slo.kind is SloKind.LEVEL else _budget(whole, spent, looked),
    )  # fmt: skip


def _budget(whole: Tally, spent: float | None, looked: Sequence[SloWindow]) -> SloState:
    if spent is None or whole.total < LEAST_EVENTS:
        return "unknown"
    if any(one.firing for one in looked):
        return "burning"
    return "spent" if spent > 1 else "ok"


def _level(slo: Slo, readings: Sequence[SloReading], now: datetime) -> SloState:
    """Breached when a plane was above the limit for long enough; unknown where nothing fresh is read, or one fell silent above it."""
    fresh = [one for one in readings if now - one.at <= STALE]
    patience = timedelta(minutes=slo.for_minutes or 0)
    if any(one.over_since is not None and now - one.over_since >= patience for one in fresh):
        return "breached"
    silent_above = any(one.over_since is not None and one not in fresh for one in readings)
    return "unknown" if silent_above or not fresh else "ok"


def first_moment(now: datetime) -> datetime:
    """Events before it are not counted any more."""
    return now - timedelta(days=WINDOW_DAYS)
