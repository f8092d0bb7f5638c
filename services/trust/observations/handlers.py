"""Hears what planes report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import FactsReported
from libs.contracts.subjects import OBSERVED
from libs.runtime.bus import Bus
from libs.runtime.database import SessionWork
from libs.runtime.links import EVERY_SECONDS, Links
from libs.runtime.plane import Runtime
from services.trust.observations.store import keep


def hear_reports(bus: Bus) -> None:
    """Take every plane's reports."""
    for plane, event in OBSERVED.items():
        bus.on(event, taker(plane))


def taker(plane: Plane) -> Callable[[SessionWork, FactsReported], Awaitable[None]]:
    """The handler of one plane's reports: a plane can only tell in its own name."""

    async def take(work: SessionWork, event: FactsReported) -> None:
        await keep((await work.batch()).connection, plane, event)

    return take


async def own_links(runtime: Runtime) -> None:
    """Keep what trust's own connections say, for ever."""
    links = Links(runtime)
    while True:
        async with runtime.database.batch(PLATFORM) as work:
            await keep(work.connection, Plane.TRUST, await links.read(work))
        await asyncio.sleep(EVERY_SECONDS)
