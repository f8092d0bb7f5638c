"""`/flags`, and the OpenFeature Remote Evaluation Protocol (OFREP 0.2) over the same flags, for standard clients."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from libs.contracts.flag_values import DropFlag, FlagStanding, FlagStandings, FlagStandingsRequest, PutFlag
from libs.contracts.message import Principal
from libs.contracts.subjects import DROP_FLAG, FLAG_STANDINGS, PUT_FLAG
from services.gateway.http.bodies import Items, Moment
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/flags", tags=["operating"], responses=RESPONSES)
ofrep = APIRouter(prefix="/ofrep/v1/evaluate/flags", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Setter = Annotated[Principal, require("propose")]
Name = Annotated[str, Path(pattern=r"^(live\.)?[a-z][a-z0-9_]*$", max_length=100)]
AnyName = Annotated[str, Path(max_length=100)]
LONGEST = 16 * 1024
"""Bytes of an evaluation's body: a context that is asked for, not a record that is kept."""


class Said(Body):
    """A value, for `share` of a hundred people, from `starts_at` until `expires_at`. A live flag can be set to false alone, as a whole."""

    value: bool
    share: Annotated[int, Field(ge=1, le=100)] = 100
    starts_at: Moment | None = None
    expires_at: Moment | None = None


@router.get("")
async def flags(
    who: Reader, gateway: GatewayDep, key: Annotated[str, Query(max_length=200, description="whom to ask for")] = ""
) -> Items[FlagStanding]:
    """Every flag: its value for the tenant, or for one key, whose word that is, and what is said of it."""
    return Items(items=(await _standings(gateway, who, key)).items)


@router.put("/{name}")
async def put(name: Name, body: Said, who: Setter, gateway: GatewayDep) -> FlagStanding:
    """Set a flag of the tenant. Switching a connector live is the action `live_flag_change`, with its approval."""
    said = PutFlag(principal=who, name=name, value=body.value, share=body.share, starts_at=body.starts_at, expires_at=body.expires_at)  # fmt: skip
    return _one(await gateway.bus.call(PUT_FLAG, said), name)


@router.delete("/{name}")
async def drop(name: Name, who: Setter, gateway: GatewayDep) -> FlagStanding:
    """Take the tenant's word back."""
    return _one(await gateway.bus.call(DROP_FLAG, DropFlag(principal=who, name=name)), name)


@ofrep.post("/{key}")
async def evaluate(key: AnyName, request: Request, who: Reader, gateway: GatewayDep) -> Response:
    """One flag for a context, as OpenFeature's providers ask for it."""
    context = await _context(request)
    if isinstance(context, str):
        return JSONResponse({"key": key, "errorCode": context, "errorDetails": _DETAILS[context]}, 400)
    found = [one for one in (await _standings(gateway, who, context["targetingKey"])).items if one.name == key]
    if not found:
        return JSONResponse({"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "There is no such flag."}, 404)
    return JSONResponse(evaluated(found[0]))


@ofrep.post("")
async def evaluate_all(
    request: Request,
    who: Reader,
    gateway: GatewayDep,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Every flag for a context; 304 while nothing has changed since the given `ETag`."""
    context = await _context(request)
    if isinstance(context, str):
        return JSONResponse({"errorCode": context, "errorDetails": _DETAILS[context]}, 400)
    found = await _standings(gateway, who, context["targetingKey"])
    body = {"flags": [evaluated(one) for one in found.items]}
    tag = f'"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse(body, headers={"ETag": tag, "Cache-Control": "private, no-cache"})


_DETAILS = {
    "PARSE_ERROR": "The body is JSON with an object `context`.",
    "INVALID_CONTEXT": "`context` is an object; its `targetingKey` is a text of at most 200 characters.",
}
_REASONS = {"locked": "STATIC", "default": "DEFAULT", "tenant": "STATIC", "platform": "STATIC"}


def evaluated(one: FlagStanding) -> dict[str, Any]:
    """A flag as OFREP says it. `SPLIT`: the key decided, by a share."""
    return {
        "key": one.name,
        "value": one.value,
        "variant": "on" if one.value else "off",
        "reason": "SPLIT" if one.split else _REASONS[one.source],
        "metadata": {"kind": one.kind, "source": one.source, "owner": one.owner},
    }


async def _context(request: Request) -> dict[str, str] | str:
    """The context of a request, as far as flags look at it; or the protocol's code for what is wrong with it."""
    raw = await request.body()
    try:
        said = json.loads(raw) if 0 < len(raw) <= LONGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return "PARSE_ERROR"
    context = said.get("context", {})
    key = context.get("targetingKey", "") if isinstance(context, dict) else None
    if not isinstance(key, str) or len(key) > 200:
        return "INVALID_CONTEXT"
    return {"targetingKey": key}


async def _standings(gateway: Gateway, who: Principal, key: str) -> FlagStandings:
    return await gateway.bus.call(FLAG_STANDINGS, FlagStandingsRequest(principal=who, key=key))


def _one(found: FlagStandings, name: str) -> FlagStanding:
    return next(one for one in found.items if one.name == name)
