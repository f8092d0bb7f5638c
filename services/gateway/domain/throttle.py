"""How fast somebody may guess: free attempts first, then ever longer locks. Counted in the database, so a restart forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Throttle:
    """`free` attempts, then a lock of `first`, doubled with each further attempt up to `longest`. Forgotten after `memory`."""

    free: int
    first: timedelta
    longest: timedelta
    memory: timedelta

    def lock(self, failures: int) -> timedelta | None:
        """How long to wait after this many attempts in a row without success."""
        beyond = failures - self.free
        if beyond < 0:
            return None
        doubled: timedelta = self.first * (1 << min(beyond, 16))
        return min(doubled, self.longest)


ACCOUNT = Throttle(free=5, first=timedelta(seconds=30), longest=timedelta(minutes=15), memory=timedelta(hours=1))
"""Per account: whoever knows an address can lock it for a quarter of an hour at most, while sessions and keys go on."""
ADDRESS = Throttle(free=50, first=timedelta(seconds=30), longest=timedelta(minutes=5), memory=timedelta(minutes=15))
"""Per network address: one that tries many accounts."""
CODE = Throttle(free=5, first=timedelta(minutes=1), longest=timedelta(minutes=15), memory=timedelta(hours=1))
"""Per person, for the six digits and for passwords asked again: a million codes are few."""
