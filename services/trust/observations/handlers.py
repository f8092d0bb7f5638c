"""Hears what planes report. A plane can only tell in its own name, and only what its message has room for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.contracts.inbound import ReplyReceived
from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import FactsRecorded, FactsReported, ReplySeen
from libs.contracts.subjects import OBSERVED, OBSERVED_BEFORE, RECORDED_BEFORE, REPLY_RECEIVED
from libs.runtime.bus import Bus
from libs.runtime.database import SessionWork
from libs.runtime.links import EVERY_SECONDS, Links
from libs.runtime.plane import Runtime
from services.trust.observations.store import keep


def hear_reports(bus: Bus) -> None:
    """Take every plane's reports, in the words of this release and of the one before it."""
    for event in (*OBSERVED.values(), *OBSERVED_BEFORE.values()):
        bus.on(event, taker(event.plane))
    for before in RECORDED_BEFORE.values():
        bus.on(before, taker_of_records(before.plane))
    bus.on(REPLY_RECEIVED, replied)


def taker(plane: Plane) -> Callable[[SessionWork, FactsReported], Awaitable[None]]:
    """The handler of one plane's reports."""

    async def take(work: SessionWork, event: FactsReported) -> None:
        await keep((await work.batch()).connection, plane, event)

    return take


def taker_of_records(plane: Plane) -> Callable[[SessionWork, FactsRecorded], Awaitable[None]]:
    """The handler of what a plane of the release before this one recorded. Raises pydantic.ValidationError for what it may not tell."""
    take, message = taker(plane), OBSERVED[plane].message

    async def take_record(work: SessionWork, event: FactsRecorded) -> None:
        told = {"tenant_id": event.tenant_id, "at": event.at, "facts": event.facts()}
        await take(work, message.model_validate(told))

    return take_record


async def replied(work: SessionWork, event: ReplyReceived) -> None:
    """When somebody last wrote to us: a message outside a template needs that within 24 hours."""
    seen = ReplySeen(subject=event.activity_id, contact_id=event.contact_id, channel=event.channel)
    told = FactsReported(tenant_id=event.tenant_id, at=event.at, facts=(seen,))
    await keep((await work.batch()).connection, Plane.DATA, told)


async def own_links(runtime: Runtime) -> None:
    """Keep what trust's own connections say, for ever."""
    links = Links(runtime)
    while True:
        async with runtime.database.batch(PLATFORM) as work:
            await keep(work.connection, Plane.TRUST, await links.read(work))
        await asyncio.sleep(EVERY_SECONDS)
