"""Live signals by server-sent events: that something changed. What changed is fetched by whoever may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from libs.contracts.message import Principal
from services.gateway.http.cards import feed_role
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import allowed, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/events", tags=["live"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
LONGEST_SECONDS = 300.0
"""A stream ends after this and the browser comes again: with a session that may have ended meanwhile."""
RETRY_MS = 1000


def heard_by(who: Principal) -> frozenset[str]:
    """The signals that this principal may hear."""
    signals = {"approvals", "cards", "imports"} if allowed(who, "read") else set()
    if allowed(who, "evidence"):
        signals.add("ledger")
    return frozenset(signals)


async def feed_of(who: Reader, role: Annotated[str | None, Query(max_length=50)] = None) -> str:
    """The role whose cards are listened to. Checked before the stream begins: within it nothing can be refused any more."""
    return feed_role(who, role)


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    who: Reader, gateway: GatewayDep, role: Annotated[str, Depends(feed_of)]
) -> AsyncIterator[ServerSentEvent]:
    """Events named `approvals`, `cards`, `imports` and `ledger`, each without content: fetch again what you show."""
    yield ServerSentEvent(comment="open", retry=RETRY_MS)
    signals = gateway.pulse.listen(who.tenant_id, role, heard_by(who))
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            async for signal in signals:
                yield ServerSentEvent(event=signal, data={})
    except TimeoutError:
        return
    finally:
        await signals.aclose()
