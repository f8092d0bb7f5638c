"""`/recoveries`: backups of this installation, and restores that proved one of them whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from libs.contracts.message import Principal
from libs.contracts.recoveries import Digest, RecoveriesRequest, Recovery, ReportRestore
from libs.contracts.subjects import RECOVERIES, REPORT_RESTORE
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/recoveries", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("control")]


class Report(Body):
    """What `dealix restore` wrote: which backup (the SHA-256 of its dump), when, and how much of it was there."""

    digest: Digest
    restored_at: Annotated[AwareDatetime, Field(strict=False)]
    rows: Annotated[int, Field(ge=0)]
    leaves: Annotated[int, Field(ge=0)]


@router.get("")
async def recoveries(who: Reader, gateway: GatewayDep) -> Items[Recovery]:
    """The newest 100 backups and restores."""
    return Items(items=(await gateway.bus.call(RECOVERIES, RecoveriesRequest(principal=who))).items)


@router.post("", status_code=201)
async def report(body: Report, who: Operator, gateway: GatewayDep) -> Recovery:
    """Put a restore on record. It counts when it is of a backup of this installation and found all that was in it."""
    return await gateway.bus.call(REPORT_RESTORE, ReportRestore(principal=who, **body.model_dump()))
