"""Work in the background over every tenant that leaves the plane's time to those who wait for an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")
SHARE = 0.1
"""Of the time, at most, is worked; the rest is rested."""
BUSY = 0.5
"""Of a core that the process used while this rested: from there on others are being served, and it rests again."""
RESTS = 10
"""At most after one item, so that it goes on under any load."""


async def paced(items: Iterable[T], *, share: float = SHARE) -> AsyncIterator[T]:
    """The items, with a rest after each that is as long as its work took, times (1 - share) / share; none after the last.

    While the process is busy with other work the rest is repeated, up to `RESTS` times.
    """
    rest = 0.0
    for item in items:
        if rest:
            await _rested(rest)
        began = time.monotonic()
        yield item
        rest = (time.monotonic() - began) * (1 - share) / share


async def _rested(seconds: float) -> None:
    for _ in range(RESTS):
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        if time.process_time() - used <= BUSY * (time.monotonic() - began):
            return
