"""Messages about service level objectives, owned by the operating plane: what planes count, and how each objective stands."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.message import Message, Plane, Principal

Count = Annotated[int, Field(ge=0)]
SloState = Literal["ok", "burning", "spent", "breached", "unknown"]


class SloCount(Message):
    """Events of an objective since a process began: never less than the process said before."""

    name: str
    good: Count
    bad: Count


class SloLevel(Message):
    """The value of an objective that is a level, as a plane reads it now."""

    name: str
    value: float


class SloCounted(Message):
    """What one process has counted. Best effort: a lost one is made good by the next, for counts only grow."""

    plane: Plane
    process: Annotated[str, Field(max_length=100)]
    at: datetime
    counts: tuple[SloCount, ...] = ()
    levels: tuple[SloLevel, ...] = ()


class SloWindow(Message):
    """The last `minutes`. `burn` is how many times faster than allowed the budget was spent; None without an event."""

    minutes: int
    good: Count
    bad: Count
    burn: float | None
    limit: float
    """At what burn an alert fires over this window and its short one."""
    firing: bool


class SloReading(Message):
    """A level at one plane. `over_since` is when it rose above the limit; None below it."""

    plane: Plane
    value: float
    at: datetime
    over_since: datetime | None


class SloStanding(Message):
    """How an objective stands. Without an event, or with a reading that is too old, it is `unknown`, which is no pass.

    `share` is that of good events since `since`, over 30 days at most; `budget_left` is 1 with none of it spent and below 0 when overspent.
    """

    name: str
    kind: Literal["ratio", "latency", "level"]
    owner: str
    en: str
    ar: str
    state: SloState
    objective: float | None
    seconds: float | None
    limit: float | None
    for_minutes: int | None
    since: datetime | None = None
    good: Count = 0
    bad: Count = 0
    share: float | None = None
    budget_left: float | None = None
    windows: tuple[SloWindow, ...] = ()
    readings: tuple[SloReading, ...] = ()


class SlosRequest(Message):
    principal: Principal


class SlosReply(Message):
    at: datetime
    items: tuple[SloStanding, ...]
