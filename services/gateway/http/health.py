"""Health, metrics and public keys: for machines, without signing in. Nothing of any tenant is in them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from libs.contracts.subjects import KEYS
from libs.contracts.trust import KeysRequest
from libs.runtime.settings import VERSION
from services.gateway.http.context import GatewayDep
from services.gateway.http.problems import RESPONSES
from services.gateway.readiness import Ready

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok", "version": VERSION}


@router.get("/readyz", responses={503: {"model": Ready, "description": "At least one plane is not ready"}})
async def ready(gateway: GatewayDep, response: Response) -> Ready:
    """Every plane answers and is well. 503 otherwise, naming which."""
    found = await gateway.readiness()
    response.status_code = 200 if found.ready else 503
    return found


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def metrics(gateway: GatewayDep) -> Response:
    """Counters of this process, for Prometheus."""
    text = gateway.meter.text({"dealix_streams_open": float(gateway.pulse.listeners)})
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/.well-known/jwks.json", responses=RESPONSES)
async def jwks(gateway: GatewayDep, response: Response) -> dict[str, list[dict[str, Any]]]:
    """The public keys of grants, checkpoints and statements (RFC 7517): the trust root that `dealix verify` takes."""
    reply = await gateway.bus.call(KEYS, KeysRequest())
    response.headers["Cache-Control"] = "public, max-age=300"
    return {"keys": [dict(key) for key in reply.keys]}
