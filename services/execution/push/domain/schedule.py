"""When a message is tried again, and when an endpoint is left alone. No I/O; time and chance are passed in.

A failure holds the whole endpoint, so that what waits is not spent on a receiver that is down: while it fails, one message at a time asks
whether it is back. Any success lets the others go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before the second try and each after it, as the Standard Webhooks specification suggests ("Retry schedule")."""
TRIES = len(WAITS) + 1
"""Tries of one message of a webhook; then it is given up, and a person may retry it. A SIEM's batch is never given up."""
SIDE_BY_SIDE = 10
"""Messages of one webhook on their way at a time."""
GONE = "endpoint_410"
"""The answer by which a receiver unsubscribes (Standard Webhooks, "Delivery"; RFC 9110 section 15.5.11)."""


def wait(failures: int, chance: float) -> timedelta:
    """How long after so many failures. `chance` (0-1) adds up to a tenth, so that many do not come back at once."""
    return timedelta(seconds=WAITS[min(failures, len(WAITS)) - 1] * (1 + chance / 10))


@dataclass(frozen=True, slots=True)
class Line:
    """How an endpoint stands. `failures` in a row; `failed_at` the newest that counted; nothing is tried before `resume_at`."""

    failures: int = 0
    failed_at: datetime | None = None
    resume_at: datetime | None = None
    disabled: bool = False

    def succeeded(self) -> Line:
        return Line()

    def failed(self, code: str, started_at: datetime, now: datetime, *, most: int, chance: float) -> Line:
        """After a try that failed. Several that were on their way together are one failure of the endpoint."""
        if code == GONE:
            return replace(self, failures=self.failures + 1, failed_at=now, disabled=True)
        if self.failed_at is not None and started_at <= self.failed_at:
            return self
        failures = self.failures + 1
        return Line(failures, now, now + wait(failures, chance), failures >= most)

    def room(self, sending: int, now: datetime, *, most: int) -> int:
        """How many more messages may be tried now."""
        if self.disabled or (self.resume_at is not None and now < self.resume_at):
            return 0
        return max(0, (1 if self.failures else most) - sending)
