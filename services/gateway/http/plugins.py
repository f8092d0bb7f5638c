"""`/plugins`: which code from outside runs in the execution plane."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.message import Principal
from libs.contracts.plugins import PluginInfo, PluginsRequest
from libs.contracts.subjects import PLUGINS
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/plugins", tags=["connectors"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("")
async def plugins(who: Reader, gateway: GatewayDep) -> Items[PluginInfo]:
    """Installed plugins: their task types with class and approvers, connectors, hooks, and the digest of their files."""
    return Items(items=(await gateway.bus.call(PLUGINS, PluginsRequest(principal=who))).items)
