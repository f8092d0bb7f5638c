"""`/targeting/mappings`: the columns that people have assigned before, by the source of the list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from libs.contracts.mappings import ForgetMapping, Forgotten, MappingsRequest, RememberedColumn
from libs.contracts.message import Principal
from libs.contracts.subjects import FORGET_MAPPING, MAPPINGS
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/targeting/mappings", tags=["targeting"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Importer = Annotated[Principal, require("import")]
Source = Annotated[str, Path(pattern=r"^[a-z][a-z_]{0,49}$")]


@router.get("")
async def mappings(who: Reader, gateway: GatewayDep) -> Items[RememberedColumn]:
    """What people chose for columns of lists, which the next list from the same source is read by."""
    return Items(items=(await gateway.bus.call(MAPPINGS, MappingsRequest(principal=who))).items)


@router.delete("/{source}")
async def forget(
    source: Source,
    who: Importer,
    gateway: GatewayDep,
    header: Annotated[
        str | None, Query(max_length=500, description="Of one heading alone, as the list names it")
    ] = None,
) -> Forgotten:
    """Forget the choices of a source: the next list is read by its headings alone."""
    return await gateway.bus.call(FORGET_MAPPING, ForgetMapping(principal=who, source=source, header=header))
