"""Running the system: health of the planes, control, flags, traces."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from libs.contracts import operating
from libs.contracts.message import Message, Principal
from libs.contracts.operating import ControlState, PlaneHealth, SpanRecord
from libs.contracts.subjects import CONTROL, CONTROLS, PLANES, TRACE
from services.gateway.domain.journey import TraceTree, trees
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("control")]


class Command(Body):
    """`scope` is `all`, `tenant`, `connector` or `action_type`; `command` is `pause`, `stop` or `resume`."""

    scope: Annotated[str, Field(min_length=1, max_length=50)]
    target: Annotated[str, Field(min_length=1, max_length=100)] = "*"
    command: Annotated[str, Field(min_length=1, max_length=50)]
    reason: Annotated[str, Field(max_length=500)] = ""


class TraceShown(Message):
    spans: tuple[SpanRecord, ...]
    traces: tuple[TraceTree, ...]


@router.get("/health/planes")
async def planes(who: Reader, gateway: GatewayDep) -> Items[PlaneHealth]:
    """Every plane as operating hears it. Silence is `unknown`, never healthy."""
    return Items(items=(await gateway.bus.call(PLANES, operating.HealthRequest())).planes)


@router.get("/control")
async def controls(who: Reader, gateway: GatewayDep) -> Items[ControlState]:
    """What is paused, and which planes have said that they hold it."""
    return Items(items=(await gateway.bus.call(CONTROLS, operating.ControlList(principal=who))).items)


@router.post("/control")
async def control(body: Command, who: Operator, gateway: GatewayDep) -> ControlState:
    """Pause, stop or resume effects. A compliance officer may stop, and not undo it."""
    return await gateway.bus.call(
        CONTROL,
        operating.ControlCommand(
            principal=who, scope=body.scope, target=body.target, command=body.command, reason=body.reason
        ),
    )


@router.get("/traces/{trace_id}")
async def trace(
    trace_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], who: Reader, gateway: GatewayDep
) -> TraceShown:
    """The spans of a trace that are kept, flat and as a tree."""
    spans = (await gateway.bus.call(TRACE, operating.TraceRequest(principal=who, trace_ids=(trace_id,)))).spans
    return TraceShown(spans=spans, traces=trees(spans))
