"""`/architecture-audit`: what the rules of the architecture find in this release."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.routing import iter_route_contexts

from libs.contracts.architecture import ArchitectureReport
from libs.contracts.errors import DealixError
from libs.contracts.launch import GoLiveRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import LAUNCH_READINESS
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
    if (report := await asyncio.to_thread(released)) is None:
        report = await asyncio.to_thread(running, _routes(request), now=gateway.now())
    try:
        readiness: float | str = float((await gateway.bus.call(LAUNCH_READINESS, GoLiveRequest(principal=who))).score)
    except DealixError as error:
        readiness = f"unknown: {error.en}"
    told: ArchitectureReport = report.evolve(launch_readiness_score=readiness)
    return told


def _routes(request: Request) -> list[tuple[str, str]]:
    return [
        (method, str(one.path))
        for one in iter_route_contexts(request.app.routes)
        for method in sorted((one.methods or set()) - {"HEAD"})
    ]
