"""`/targeting/imports/{id}/rows`: what an import left out of rows that it took in, and why rows wait or are blocked."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from libs.contracts.import_rows import RemarkedRow, RemarksRequest, Standing
from libs.contracts.message import Principal
from libs.contracts.subjects import IMPORT_REMARKS
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/targeting/imports", tags=["targeting"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


@router.get("/{import_id}/rows")
async def rows(
    import_id: UUID,
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    outcome: Annotated[Standing | None, Query(description="Only rows that ended so")] = None,
) -> Items[RemarkedRow]:
    """Rows of which something was left out, and rows that wait or are blocked, each with its reasons. The others were taken in as
    they stood; rejected rows are in `rejects.csv`."""
    wanted = RemarksRequest(principal=who, import_id=import_id, outcome=outcome, page=paging.page(gateway, who))
    reply = await gateway.bus.call(IMPORT_REMARKS, wanted)
    return items(gateway, who, reply.rows, reply.next_cursor)
