"""`GET /conversations`: runs of agents, without what was asked or answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from libs.contracts.agents import AgentVerdict, Conversation, ConversationsRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import CONVERSATIONS
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("/conversations")
async def conversations(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    agent: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,59}$")] = None,
    verdict: Annotated[AgentVerdict | None, Query()] = None,
) -> Items[Conversation]:
    """Every run of an agent, the newest first: who asked, which version answered, the salted digest of what went in, the verdict, cost and time."""
    request = ConversationsRequest(principal=who, agent=agent, verdict=verdict, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CONVERSATIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)
