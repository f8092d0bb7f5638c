"""Connectors: what may act outside, and what the sandbox would have sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from libs.contracts import execution
from libs.contracts.errors import NotFound
from libs.contracts.execution import ConnectorInfo, SandboxMessage
from libs.contracts.message import Principal
from libs.contracts.subjects import CONNECTORS, SANDBOX
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/connectors", tags=["connectors"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,49}$")]


async def _all(gateway: Gateway, who: Principal) -> tuple[ConnectorInfo, ...]:
    return (await gateway.bus.call(CONNECTORS, execution.ConnectorsRequest(principal=who))).items


@router.get("")
async def connectors(who: Reader, gateway: GatewayDep) -> Items[ConnectorInfo]:
    """Every connector, its mode and state. Without a probe nothing is `ok`."""
    return Items(items=await _all(gateway, who))


@router.get("/governance")
async def governance(who: Reader, gateway: GatewayDep) -> Items[ConnectorInfo]:
    """What may act outside: the connectors whose effects leave the system, those that cross a border first."""
    leaving = sorted(await _all(gateway, who), key=lambda one: (not one.cross_border, one.connector_key))
    return Items(items=leaving)


@router.get("/{key}")
async def connector(key: Key, who: Reader, gateway: GatewayDep) -> ConnectorInfo:
    """One connector."""
    found = next((one for one in await _all(gateway, who) if one.connector_key == key), None)
    if found is None:
        raise NotFound
    return found


@router.get("/{key}/sandbox")
async def sandbox(key: Key, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[SandboxMessage]:
    """What would have left the building, the newest first."""
    await connector(key, who, gateway)
    request = execution.SandboxRequest(principal=who, connector=key, page=paging.page(gateway, who))
    reply = await gateway.bus.call(SANDBOX, request)
    return items(gateway, who, reply.items, reply.next_cursor)
