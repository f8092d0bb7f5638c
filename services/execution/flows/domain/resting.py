"""Waiting in a tenant's own business time: until it opens, for so many of its minutes, or until the next business day.

The tenant's hours are not the run's own. Where they are not known a wait is begun all the same, due soon, and is set once they are;
what wakes on a day that has become a holiday since sleeps on until business opens.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from libs.contracts.business_time import RIYADH, Opening, after
from libs.contracts.flows import WaitKind
from services.execution.flows.domain.run import Token, Wait
from services.execution.flows.domain.steps import Business

if TYPE_CHECKING:
    from services.execution.flows.domain.machine import Turn

UNTOLD = timedelta(seconds=30)
"""How soon hours that could not be learned are asked for again."""


def rest(turn: Turn, token: Token, lasts: Business, *, again: bool = False) -> None:
    """Begin to wait; afterwards the step is left, or with `again` entered anew."""
    data = {"minutes": lasts.minutes, "next_day": lasts.next_day, "again": again}
    token.wait = Wait(kind=WaitKind.TIMER, until=turn.facts.now, data={**data, "set": False})
    _set(turn, token.wait)


def woke(turn: Turn, token: Token, wait: Wait) -> bool:
    """Whether a rest is over at this moment. Sets it where the hours have become known, and prolongs it where nobody works now."""
    if wait.until is None or turn.facts.now < wait.until:
        return False
    turn.unnoted()
    if not wait.data["set"]:
        if turn.made.wants_hours:
            return False  # asked for in this very turn
        _set(turn, wait)
        return bool(wait.data["set"]) and wait.until is not None and turn.facts.now >= wait.until
    hours = turn.facts.hours
    if hours is None:
        _ask(turn, wait)
        return False
    opens = after(turn.facts.now, 0, hours)
    if opens > turn.facts.now:
        wait.until = opens
        return False
    return True


def _set(turn: Turn, wait: Wait) -> None:
    hours = turn.facts.hours
    if hours is None:
        _ask(turn, wait)
    else:
        wait.until, wait.data["set"] = _until(turn.facts.now, wait, hours), True


def _ask(turn: Turn, wait: Wait) -> None:
    """The first time at once, so that a turn is all it takes; while nobody answers, now and then."""
    wait.until = turn.facts.now + (UNTOLD if wait.tries else timedelta())
    wait.tries += 1
    turn.made.wants_hours = True


def _until(now: datetime, wait: Wait, hours: Opening) -> datetime:
    begin = now
    if wait.data["next_day"]:
        tomorrow = now.astimezone(RIYADH).date() + timedelta(days=1)
        begin = datetime.combine(tomorrow, time(), RIYADH).astimezone(now.tzinfo)
    return after(begin, wait.data["minutes"], hours)
