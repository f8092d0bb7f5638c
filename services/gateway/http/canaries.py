"""`/canaries`: a new version of a handler, connector, agent or model for a share of the tenant's runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import canaries as contracts
from libs.contracts.canaries import Canary, CanaryChange, CanaryKind, CanaryRun, CanaryState, Guardrails, Percent
from libs.contracts.message import Principal
from libs.contracts.subjects import CANARIES, CANARY, CANARY_RUNS, CHANGE_CANARY, START_CANARY
from services.gateway.http.bodies import Items, Note, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/canaries", tags=["flows"], responses=RESPONSES)

Target = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_./:-]{0,99}$")]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}$")]
Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("control")]


class Rails(Body):
    """When it ends by itself; what is left out has the default."""

    window_minutes: Annotated[int | None, Field(ge=1, le=1440)] = None
    min_runs: Annotated[int | None, Field(ge=1, le=100_000)] = None
    max_error_points: Annotated[float | None, Field(ge=0, le=100)] = None
    max_deny_points: Annotated[float | None, Field(ge=0, le=100)] = None


class Start(Body):
    """`target` is a task type, a connector's key, an agent or a model; `version` one beside the usual."""

    kind: Annotated[CanaryKind, Field(strict=False)]
    target: Target
    version: Version
    percent: Percent
    guardrails: Rails = Rails()
    reason: Note = ""


class Resize(Body):
    percent: Percent
    reason: Note = ""


class Why(Body):
    reason: Note = ""


@router.get("")
async def canaries(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[CanaryState | None, Query()] = None,
    kind: Annotated[CanaryKind | None, Query()] = None,
) -> Items[Canary]:
    """The tenant's canaries with the counts of both groups, the newest first."""
    request = contracts.CanariesRequest(principal=who, state=state, kind=kind, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CANARIES, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("", status_code=201)
async def start(body: Start, who: Operator, gateway: GatewayDep, ids: IdsDep) -> Canary:
    """Give a share of the tenant's runs to another version. Unless told otherwise it ends by itself when, within 15 minutes and after
    50 runs, its error rate is more than 5 or its deny rate more than 10 points above the rest's."""
    rails = {name: value for name, value in body.guardrails if value is not None}
    request = contracts.StartCanary(
        principal=who, canary_id=ids("canary"), kind=body.kind, target=body.target, version=body.version, percent=body.percent,
        guardrails=Guardrails(**rails), reason=body.reason,
    )  # fmt: skip
    return await gateway.bus.call(START_CANARY, request)


@router.get("/{canary_id}")
async def canary(canary_id: UUID, who: Reader, gateway: GatewayDep) -> Canary:
    return await gateway.bus.call(CANARY, contracts.CanaryGet(principal=who, canary_id=canary_id))


@router.get("/{canary_id}/runs")
async def runs(canary_id: UUID, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[CanaryRun]:
    """Every assignment: which run took which version, and how it ended."""
    request = contracts.CanaryRunsRequest(principal=who, canary_id=canary_id, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CANARY_RUNS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/{canary_id}/resize")
async def resize(canary_id: UUID, body: Resize, who: Operator, gateway: GatewayDep) -> Canary:
    """Another share. Runs that have one group keep it as far as the new share allows."""
    return await _change(gateway, who, canary_id, CanaryChange.RESIZE, body.reason, body.percent)


@router.post("/{canary_id}/promote")
async def promote(canary_id: UUID, body: Why, who: Operator, gateway: GatewayDep) -> Canary:
    """Every run takes the version from now on; it is not judged any more."""
    return await _change(gateway, who, canary_id, CanaryChange.PROMOTE, body.reason)


@router.post("/{canary_id}/stop")
async def stop(canary_id: UUID, body: Why, who: Operator, gateway: GatewayDep) -> Canary:
    """Every run takes the usual version again."""
    return await _change(gateway, who, canary_id, CanaryChange.STOP, body.reason)


async def _change(
    gateway: GatewayDep, who: Principal, canary_id: UUID, change: CanaryChange, reason: str, percent: int | None = None
) -> Canary:
    request = contracts.ChangeCanary(
        principal=who, canary_id=canary_id, change=change, percent=percent, reason=reason
    )  # fmt: skip
    return await gateway.bus.call(CHANGE_CANARY, request)
