"""`/flags`: what each is, who says so, and a tenant's own word."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from libs.contracts.flag_values import DropFlag, FlagStanding, FlagStandings, FlagStandingsRequest, PutFlag
from libs.contracts.message import Principal
from libs.contracts.subjects import DROP_FLAG, FLAG_STANDINGS, PUT_FLAG
from services.gateway.http.bodies import Items, Zoned
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/flags", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Setter = Annotated[Principal, require("propose")]
Name = Annotated[str, Path(pattern=r"^(live\.)?[a-z][a-z0-9_]*$", max_length=100)]


class Said(Body):
    """A value, for `share` of a hundred people, from `starts_at` until `expires_at`. A live flag can be set to false alone, as a whole."""

    value: bool
    share: Annotated[int, Field(ge=1, le=100)] = 100
    starts_at: Zoned | None = None
    expires_at: Zoned | None = None


@router.get("")
async def flags(
    who: Reader, gateway: GatewayDep, key: Annotated[str, Query(max_length=200, description="whom to ask for")] = ""
) -> Items[FlagStanding]:
    """Every flag: its value for the tenant, or for one key, whose word that is, and what is said of it."""
    return Items(items=(await standings(gateway, who, key)).items)


@router.put("/{name}")
async def put(name: Name, body: Said, who: Setter, gateway: GatewayDep) -> FlagStanding:
    """Set a flag of the tenant. Switching a connector live is the action `live_flag_change`, with its approval."""
    said = PutFlag(principal=who, name=name, value=body.value, share=body.share, starts_at=body.starts_at, expires_at=body.expires_at)  # fmt: skip
    return _one(await gateway.bus.call(PUT_FLAG, said), name)


@router.delete("/{name}")
async def drop(name: Name, who: Setter, gateway: GatewayDep) -> FlagStanding:
    """Take the tenant's word back."""
    return _one(await gateway.bus.call(DROP_FLAG, DropFlag(principal=who, name=name)), name)


async def standings(gateway: Gateway, who: Principal, key: str) -> FlagStandings:
    return await gateway.bus.call(FLAG_STANDINGS, FlagStandingsRequest(principal=who, key=key))


def _one(found: FlagStandings, name: str) -> FlagStanding:
    return next(one for one in found.items if one.name == name)
