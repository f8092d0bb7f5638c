"""Work in the background over every tenant that leaves the plane's time to those who wait for an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")
SHARE = 0.1
"""Of the time, at most, is worked; the rest is rested."""


async def paced(items: Iterable[T], *, share: float = SHARE) -> AsyncIterator[T]:
    """The items, with a rest after each that is as long as its work took, times (1 - share) / share; none after the last."""
    rest = 0.0
    for item in items:
        if rest:
            await asyncio.sleep(rest)
        began = time.monotonic()
        yield item
        rest = (time.monotonic() - began) * (1 - share) / share
