"""The health board: what the last heartbeats allow to be said of each plane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.message import Plane
from libs.contracts.operating import HealthReported, PlaneHealth

MISSED = 3
"""Heartbeats that may be missed before nothing is known any more."""
FORGET_AFTER = timedelta(hours=1)
"""A replica that has been silent this long is gone."""

OK = "ok"
DEGRADED = "degraded"
DOWN = "down"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A report and when it arrived, by our clock: the sender's may be wrong."""

    report: HealthReported
    received_at: datetime


class Board:
    """Every replica's last heartbeat. `interval` is the time between heartbeats."""

    def __init__(self, interval: timedelta) -> None:
        self._silence = interval * MISSED
        self._beats: dict[tuple[Plane, str], Heartbeat] = {}

    def hear(self, report: HealthReported, now: datetime) -> None:
        self.restore([Heartbeat(report, now)])

    def restore(self, beats: Iterable[Heartbeat]) -> None:
        """Take heartbeats in, unless a later one of the same replica is known."""
        for beat in beats:
            key = (beat.report.plane, beat.report.instance)
            known = self._beats.get(key)
            if known is None or known.received_at <= beat.received_at:
                self._beats[key] = beat

    def heartbeats(self) -> list[Heartbeat]:
        return list(self._beats.values())

    def forget(self, now: datetime) -> None:
        """Drop replicas that are gone; of each plane the last one heard stays, so that the board can say when that was."""
        last = {plane: max(b.received_at for b in beats) for plane, beats in self._by_plane().items()}
        self._beats = {
            key: beat
            for key, beat in self._beats.items()
            if now - beat.received_at < FORGET_AFTER or beat.received_at == last[key[0]]
        }

    def planes(self, now: datetime) -> tuple[PlaneHealth, ...]:
        """Every plane that there is, in a fixed order, whether it was ever heard or not."""
        beats = self._by_plane()
        return tuple(self._plane(plane, beats.get(plane, []), now) for plane in Plane)

    def _by_plane(self) -> dict[Plane, list[Heartbeat]]:
        out: dict[Plane, list[Heartbeat]] = {}
        for beat in self._beats.values():
            out.setdefault(beat.report.plane, []).append(beat)
        return out

    def _plane(self, plane: Plane, beats: list[Heartbeat], now: datetime) -> PlaneHealth:
        last = max(beats, key=lambda beat: beat.received_at, default=None)
        fresh = [beat.report for beat in beats if now - beat.received_at < self._silence]
        return PlaneHealth(
            plane=plane,
            status=status(fresh),
            instances=len(fresh),
            version=last.report.version if last else None,
            last_seen_at=last.received_at if last else None,
            checks=_checks(fresh),
        )


def status(fresh: list[HealthReported]) -> str:
    """What the replicas heard of lately say together. Nobody heard of is `unknown`, and a report without checks is no health."""
    if not fresh:
        return UNKNOWN
    healthy = [report for report in fresh if _healthy(report)]
    if len(healthy) == len(fresh):
        return OK
    return DEGRADED if healthy else DOWN


def _healthy(report: HealthReported) -> bool:
    return report.healthy and bool(report.checks) and all(value == OK for value in report.checks.values())


def _checks(fresh: list[HealthReported]) -> Mapping[str, str]:
    """Each check once; where replicas differ, the answer of one that is not well."""
    out: dict[str, str] = {}
    for report in fresh:
        for name, value in report.checks.items():
            if out.get(name, OK) == OK:
                out[name] = value
    return out
