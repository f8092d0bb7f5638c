"""`/operations`: the operations hub."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.message import Principal
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES
from services.gateway.operations import Operations, overview

router = APIRouter(prefix="/api/v1/operations", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("")
async def operations(who: Reader, gateway: GatewayDep) -> Operations:
    """What needs somebody now: incidents, alerts, planes and versions, queues, flows, approvals past their time, dead letters, pauses, backups.

    A part whose plane does not answer is `unknown`; one that the role may not see is `hidden`. Neither is taken for well.
    """
    return await overview(gateway, who)
