"""Breakers and buckets in memory, for tests: tables of one unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.execution.traffic.domain import Breaker, Bucket, take
from services.execution.traffic.store import Line, Seen, after


class MemoryTraffic:
    """`rates` holds what tenants set themselves, a minute."""

    def __init__(
        self, breakers: dict[Line, Breaker], buckets: dict[Line, Bucket], rates: Mapping[Line, int], now: datetime
    ) -> None:
        self._breakers = breakers
        self._buckets = buckets
        self._rates = rates
        self._now = now

    async def held(self, tenants: Sequence[UUID]) -> dict[Line, float]:
        found = {line: kept.holds(self._now) for line, kept in self._breakers.items() if line[0] in tenants}
        return {line: seconds for line, seconds in found.items() if seconds is not None}

    async def observe(self, seen: Mapping[Line, Seen]) -> None:
        for line, what in seen.items():
            kept = after(self._breakers.get(line), what, self._now)
            if kept is None:
                self._breakers.pop(line, None)
            else:
                self._breakers[line] = kept

    async def take(self, wanted: Mapping[Line, int], default: Mapping[str, int]) -> dict[Line, tuple[int, int]]:
        out = {}
        for line, count in wanted.items():
            rate = self._rates.get(line) or default[line[1]]
            self._buckets[line], given = take(self._buckets.get(line), count, rate, self._now)
            out[line] = (given, rate)
        return out
