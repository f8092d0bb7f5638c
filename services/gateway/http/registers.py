"""`/registers/{kind}`: the registers a controller keeps. Which fields they have is data (libs/contracts/catalogue/registers.yaml)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from libs.contracts import rights
from libs.contracts.catalogue.registers import Register, registers
from libs.contracts.message import Principal
from libs.contracts.rights import RegisterEntry
from libs.contracts.subjects import REGISTER, REGISTER_DELETE, REGISTER_ENTRY, REGISTER_PUT
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/registers", tags=["registers"], responses=RESPONSES)

Keeper = Annotated[Principal, require("consents")]
Reader = Annotated[Principal, require("consents", reading=True)]


class Values(RequestBody):
    """An entry's fields, whole. Times name their zone."""

    values: Annotated[dict[str, Any], Field(min_length=1, max_length=50)]


class Kinds(BaseModel):
    items: list[Register]


@router.get("")
async def kinds(who: Reader) -> Kinds:
    """Every register with its fields, which of them must be filled, and the rule that asks for it."""
    return Kinds(items=list(registers().values()))


@router.get("/{kind}")
async def entries(kind: str, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[RegisterEntry]:
    """Entries of one register, the newest first; with the clock of each where the law sets one."""
    reply = await gateway.bus.call(
        REGISTER, rights.RegisterList(principal=who, kind=kind, page=paging.page(gateway, who))
    )
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/{kind}", status_code=201)
async def add(
    kind: str, body: Values, who: Keeper, gateway: GatewayDep, ids: IdsDep, response: Response
) -> RegisterEntry:
    """Add an entry."""
    request = rights.RegisterPut(
        principal=who, kind=kind, entry_id=ids("entry"), values=body.values, expected_version=0
    )
    return _tagged(response, await gateway.bus.call(REGISTER_PUT, request))


@router.get("/{kind}/{entry_id}")
async def entry(kind: str, entry_id: UUID, who: Reader, gateway: GatewayDep, response: Response) -> RegisterEntry:
    """One entry. `ETag` is its version."""
    found = await gateway.bus.call(REGISTER_ENTRY, rights.RegisterGet(principal=who, kind=kind, entry_id=entry_id))
    return _tagged(response, found)


@router.put("/{kind}/{entry_id}")
async def change(
    kind: str, entry_id: UUID, body: Values, who: Keeper, gateway: GatewayDep, response: Response,
    if_match: Annotated[str | None, Header(max_length=50)] = None,
) -> RegisterEntry:  # fmt: skip
    """Change an entry: the whole new text, with the version that was edited in `If-Match`. 409 when it was changed meanwhile."""
    request = rights.RegisterPut(
        principal=who, kind=kind, entry_id=entry_id, values=body.values, expected_version=_version(if_match)
    )
    return _tagged(response, await gateway.bus.call(REGISTER_PUT, request))


@router.delete("/{kind}/{entry_id}", status_code=204)
async def remove(
    kind: str, entry_id: UUID, who: Keeper, gateway: GatewayDep, version: Annotated[int, Query(ge=1)]
) -> None:
    """Take an entry off the register; its versions are kept."""
    request = rights.RegisterDelete(principal=who, kind=kind, entry_id=entry_id, expected_version=version)
    await gateway.bus.call(REGISTER_DELETE, request)


def _tagged(response: Response, found: RegisterEntry) -> RegisterEntry:
    response.headers["ETag"] = f'"{found.version}"'
    return found


def _version(if_match: str | None) -> int:
    text = (if_match or "").strip().strip('"')
    if not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise Unprocessable(
            "if_match_missing", "Say which version was edited: If-Match.", "حدّد الإصدار الذي عُدّل في If-Match."
        )
    return int(text)
