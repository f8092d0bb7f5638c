"""The OpenFeature Remote Evaluation Protocol (OFREP 0.2) over the same flags as `/flags`, for standard clients."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from libs.contracts.flag_values import FlagStanding
from services.gateway.http.context import GatewayDep
from services.gateway.http.flags import Reader, standings
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/ofrep/v1/evaluate/flags", tags=["operating"], responses=RESPONSES)

AnyName = Annotated[str, Path(max_length=100)]
LONGEST = 16 * 1024
"""Bytes of an evaluation's body: a context that is asked for, not a record that is kept."""


@router.post("/{key}")
async def evaluate(key: AnyName, request: Request, who: Reader, gateway: GatewayDep) -> Response:
    """One flag for a context, as OpenFeature's providers ask for it."""
    context = await _context(request)
    if isinstance(context, str):
        return JSONResponse({"key": key, "errorCode": context, "errorDetails": _DETAILS[context]}, 400)
    found = [one for one in (await standings(gateway, who, context["targetingKey"])).items if one.name == key]
    if not found:
        return JSONResponse({"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "There is no such flag."}, 404)
    return JSONResponse(evaluated(found[0]))


@router.post("")
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
    found = await standings(gateway, who, context["targetingKey"])
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
