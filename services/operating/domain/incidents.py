"""Which incidents there are, by what the system sees now: silent planes, objectives that burn or are breached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.catalogue.slos import BURNS
from libs.contracts.catalogue.words import word
from libs.contracts.incidents import IncidentKind, Severity
from libs.contracts.message import Text
from libs.contracts.slos import SloStanding

LASTED = timedelta(seconds=30)
"""A silence that is shorter is a restart."""
PAGED = frozenset(burn.minutes for burn in BURNS if burn.severity == "page")
"""Windows whose alert wakes somebody."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. The same `kind` and `subject` are one incident for as long as it lasts."""

    kind: IncidentKind
    subject: str
    severity: Severity
    since: datetime
    title: Text
    detail: Text


def outage(since: datetime, planes: Sequence[str], now: datetime) -> Trouble | None:
    """Planes that did not answer since then; None where it was too short to be more than a restart."""
    if now - since < LASTED:
        return None
    named = [word("plane_name", plane) for plane in sorted(planes)]
    en, ar = ", ".join(one.en for one in named), "، ".join(one.ar for one in named)
    return Trouble(
        IncidentKind.OUTAGE, "planes", Severity.PAGE, since, Text(en="Planes did not answer", ar="خدمات لم تجب"),
        Text(en=f"No answer from {en}", ar=f"لا رد من {ar}"),
    )  # fmt: skip


def objectives(standings: Iterable[SloStanding], now: datetime) -> list[Trouble]:
    """Objectives whose alert fires, and levels that were too high for too long."""
    out = []
    for one in standings:
        firing = [window for window in one.windows if window.firing]
        if one.state == "burning" and firing:
            worst = max(window.burn or 0 for window in firing)
            severity = Severity.PAGE if any(window.minutes in PAGED for window in firing) else Severity.TICKET
            said = Text(
                en=f"The error budget burns {worst:.1f} times too fast",
                ar=f"سرعة استهلاك هامش الخطأ قياسًا إلى المسموح: {worst:.1f}×",
            )
            out.append(Trouble(IncidentKind.OBJECTIVE, one.name, severity, now, Text(en=one.en, ar=one.ar), said))
        elif one.state == "breached":
            highest = max(one.readings, key=lambda reading: reading.value)
            said = Text(
                en=f"{highest.value:g} at {highest.plane.value}, above {one.limit:g}",
                ar=f"بلغ {highest.value:g} لدى {highest.plane.value} والحد {one.limit:g}",
            )
            since = min(reading.over_since for reading in one.readings if reading.over_since)
            out.append(
                Trouble(IncidentKind.OBJECTIVE, one.name, Severity.TICKET, since, Text(en=one.en, ar=one.ar), said)
            )
    return out


def unclear(standings: Iterable[SloStanding]) -> set[tuple[str, str]]:
    """Incidents, by kind and subject, of which nobody can say now that they are over: their objective is not read."""
    return {(IncidentKind.OBJECTIVE.value, one.name) for one in standings if one.state == "unknown"}
