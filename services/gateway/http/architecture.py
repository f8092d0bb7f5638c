"""`/architecture-audit`: what the rules of the architecture find in this release."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.routing import iter_route_contexts

from libs.contracts.architecture import ArchitectureReport
from libs.contracts.message import Principal
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES
from services.gateway.reporting.architecture import released, running

router = APIRouter(prefix="/api/v1/architecture-audit", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("")
async def architecture_audit(who: Reader, request: Request, gateway: GatewayDep) -> ArchitectureReport:
    """`basis` says what it rests on: `release` is the audit of the whole source that this build was made from, `running` the registries and
    routes of this process now, with what they can't show in `not_computed`. `at` is when it was made."""
    if (report := await asyncio.to_thread(released)) is not None:
        return report
    found = [
        (method, str(one.path))
        for one in iter_route_contexts(request.app.routes)
        for method in sorted((one.methods or set()) - {"HEAD"})
    ]
    return await asyncio.to_thread(running, found, now=gateway.now())
