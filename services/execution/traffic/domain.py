"""Waits, breakers, buckets and turns as plain values. No I/O; time and chance are passed in."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

FIRST_WAIT = 1.0
"""Seconds after the first failure; then doubling: 1, 2, 4."""
LONGEST_WAIT = 60.0
LONGEST_ASKED = 24 * 3600.0
"""What a vendor may ask us to wait at most; a date beyond it is a mistake of its clock."""
BREAKER_FAILURES = 5
"""Failures in a row after which nothing more is tried for a while."""
BREAKER_FIRST, BREAKER_LONGEST = 30.0, 600.0
SHARE_OF_MINUTE = 6
"""A bucket holds this part of a minute's worth, so that a pause is not followed by a flood."""


def wait_seconds(failures: int, retry_after: float | None, chance: float) -> float:
    """Seconds until the next try after so many failures: exponential, half of it by chance (0-1) so that many do not come back at once.

    What the vendor asked for (`Retry-After`, RFC 9110 section 10.2.3) is never undercut.
    """
    backoff = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 16)) * (0.5 + chance)
    asked = min(retry_after, LONGEST_ASKED) if retry_after is not None else 0.0
    return max(backoff, asked + chance if asked > 0 else 0.0)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header: a number of them, or a date (RFC 9110 section 10.2.3). None for anything else."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_ASKED)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if at.tzinfo is None:
        return None
    return min(max(0.0, (at - now).total_seconds()), LONGEST_ASKED)


@dataclass(frozen=True, slots=True)
class Breaker:
    """A connector of one tenant that failed lately. Without a row nothing did. `open_until` None: failing, and still tried."""

    failures: int = 0
    opened: int = 0
    open_until: datetime | None = None

    def failed(self, times: int, retry_after: float | None, now: datetime) -> Breaker:
        """After more failures in a row. A vendor that asks to wait is not tried before, however few they were."""
        failures = self.failures + times
        until = now + timedelta(seconds=retry_after) if retry_after else None
        if failures < BREAKER_FAILURES:
            return Breaker(failures, self.opened, _later(self.open_until, until))
        rest = min(BREAKER_LONGEST, BREAKER_FIRST * 2.0 ** min(self.opened, 10))
        return Breaker(failures, self.opened + 1, _later(until, now + timedelta(seconds=rest)))

    def holds(self, now: datetime) -> float | None:
        """Seconds that nothing is tried; 0 when one action may try whether the vendor is back; None when nothing is held."""
        return None if self.open_until is None else max(0.0, (self.open_until - now).total_seconds())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many more may leave now."""

    tokens: float
    filled_at: datetime


def capacity(per_minute: int) -> float:
    return max(1.0, per_minute / SHARE_OF_MINUTE)


def take(bucket: Bucket | None, wanted: int, per_minute: int, now: datetime) -> tuple[Bucket, int]:
    """Take up to `wanted` tokens. Returns the bucket afterwards and how many there were."""
    most = capacity(per_minute)
    tokens = most
    if bucket is not None:
        elapsed = max(0.0, (now - bucket.filled_at).total_seconds())
        tokens = min(most, bucket.tokens + elapsed * per_minute / 60)
    given = min(wanted, int(tokens))
    return Bucket(tokens - given, now), given


def turn_seconds(place: int, per_minute: int) -> float:
    """When the action in this place (0 first) of those that found the bucket empty may look again."""
    return (place + 1) * 60.0 / per_minute


@dataclass(slots=True)
class _Line(Generic[T]):
    """One tenant's items with their costs, what it may still take in this turn, and what its items cost together."""

    items: deque[tuple[T, int]] = field(default_factory=deque)
    credit: int = 0
    cost: int = 0


class Turns(Generic[T]):
    """A line in which tenants take turns by what their items cost: deficit round robin (Shreedhar and Varghese, 1995).

    A tenant with a hundred times the load delays another by one turn of `quantum`, not by all that it has in line.
    """

    def __init__(self, quantum: int) -> None:
        self._quantum = quantum
        self._lines: OrderedDict[UUID, _Line[T]] = OrderedDict()
        self._total = 0

    def __len__(self) -> int:
        """What all that is in line costs together."""
        return self._total

    def of(self, tenant: UUID) -> int:
        """What one tenant has in line."""
        line = self._lines.get(tenant)
        return line.cost if line is not None else 0

    def put(self, tenant: UUID, item: T, cost: int = 1) -> None:
        line = self._lines.get(tenant)
        if line is None:
            line = self._lines[tenant] = _Line()
        line.items.append((item, cost))
        line.cost += cost
        self._total += cost

    def take(self) -> T | None:
        """The next item; None when nothing is in line."""
        while self._lines:
            tenant, line = next(iter(self._lines.items()))
            item, cost = line.items[0]
            if line.credit < cost:
                # Its turn is over: it goes on with a little more when the others have had theirs.
                line.credit += self._quantum
                self._lines.move_to_end(tenant)
                continue
            line.items.popleft()
            line.credit -= cost
            line.cost -= cost
            self._total -= cost
            if not line.items:
                # Whoever has nothing in line saves up nothing either.
                del self._lines[tenant]
            return item
        return None


def in_turn(items: Sequence[tuple[UUID, T]]) -> list[T]:
    """Items of several tenants, one of each in turn; within a tenant in the order given."""
    places: dict[UUID, int] = {}
    keyed = []
    for tenant, item in items:
        place = places[tenant] = places.get(tenant, -1) + 1
        keyed.append((place, item))
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]
