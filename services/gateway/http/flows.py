"""`/flows`: start durable flows, look at them with every revision, signal them, and command them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Discriminator, Field, Tag

from libs.contracts import flows
from libs.contracts.flows import Flow, FlowKind, FlowRevision, FlowStatus, FlowVerb
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    COMMAND_FLOW,
    FLOW,
    FLOW_KINDS,
    FLOW_REVISIONS,
    FLOWS,
    SIGNAL_FLOW,
    START_FLOW,
    START_FLOWS,
)
from libs.runtime import telemetry
from services.gateway.http.bodies import Items, Note, PagingDep, Word, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import Ids, IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/flows", tags=["flows"], responses=RESPONSES)

Submitter = Annotated[Principal, require("submit")]
Reader = Annotated[Principal, require("read", reading=True)]
MOST = 1000
SignalName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_.]{0,99}$")]


class NewFlow(RequestBody):
    """Which flow, and its input as `GET /flows/kinds` describes it."""

    flow: Word
    input: dict[str, Any] = {}


class NewFlows(RequestBody):
    """Up to 1,000 flows, each kept or refused by itself."""

    items: Annotated[list[NewFlow], Field(min_length=1, max_length=MOST)]


def _form(body: Any) -> str:
    """Which of the two a body is, so that what is wrong with it is said of that one."""
    return "many" if isinstance(body, NewFlows) or (isinstance(body, dict) and "items" in body) else "one"


OneOrMany = Annotated[Annotated[NewFlow, Tag("one")] | Annotated[NewFlows, Tag("many")], Discriminator(_form)]


class StartedFlows(BaseModel):
    """In the order of the request. `error` instead of a status means that nothing of the item is kept."""

    items: list[flows.FlowStarted]
    trace_id: str


class SignalBody(RequestBody):
    payload: dict[str, Any] = {}


class Why(RequestBody):
    note: Note = ""


class AtStep(RequestBody):
    """`step` may be left out where the flow stands at one step that failed."""

    step: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    note: Note = ""


class FromStep(RequestBody):
    step: Word
    note: Note = ""


@router.post("", status_code=202)
async def start(body: OneOrMany, who: Submitter, gateway: GatewayDep, ids: IdsDep) -> Flow | StartedFlows:
    """Start a flow, or up to 1,000 as `items`. 202 means that they are kept: they go on whatever restarts."""
    if isinstance(body, NewFlows):
        asked = tuple(
            flows.FlowToStart(flow_id=ids(f"flow:{at}"), flow=one.flow, input=one.input)
            for at, one in enumerate(body.items)
        )
        reply = await gateway.bus.call(START_FLOWS, flows.StartFlows(principal=who, items=asked))
        return StartedFlows(items=list(reply.results), trace_id=telemetry.trace_id())
    request = flows.StartFlow(principal=who, flow_id=ids("flow"), flow=body.flow, input=body.input)
    return await gateway.bus.call(START_FLOW, request)


@router.get("")
async def listed(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    flow: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[FlowStatus | None, Query()] = None,
) -> Items[Flow]:
    """Flows of the tenant, the newest first."""
    request = flows.FlowsRequest(principal=who, flow=flow, status=status, page=paging.page(gateway, who))
    reply = await gateway.bus.call(FLOWS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/kinds")
async def kinds(who: Reader, gateway: GatewayDep) -> Items[FlowKind]:
    """What can be started: title, input and signals as JSON Schema, steps."""
    return Items(items=(await gateway.bus.call(FLOW_KINDS, flows.FlowKindsRequest(principal=who))).items)


@router.get("/{flow_id}")
async def get(flow_id: UUID, who: Reader, gateway: GatewayDep) -> Flow:
    """One flow: status, state, what it waits for and until when, how its steps are undone."""
    return await gateway.bus.call(FLOW, flows.FlowGet(principal=who, flow_id=flow_id))


@router.get("/{flow_id}/revisions")
async def revisions(flow_id: UUID, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[FlowRevision]:
    """Every transition in order, each with the whole state after it."""
    request = flows.RevisionsRequest(principal=who, flow_id=flow_id, page=paging.page(gateway, who))
    reply = await gateway.bus.call(FLOW_REVISIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/{flow_id}/signal/{name}")
async def signal(
    flow_id: UUID, name: SignalName, body: SignalBody, who: Submitter, gateway: GatewayDep, ids: IdsDep
) -> Flow:
    """Tell a flow something. Kept until a step waits for it; under one Idempotency-Key it counts once."""
    request = flows.SignalFlow(principal=who, flow_id=flow_id, signal_id=ids("signal"), name=name, payload=body.payload)
    return await gateway.bus.call(SIGNAL_FLOW, request)


async def command(
    gateway: Gateway, who: Principal, flow_id: UUID, verb: FlowVerb, *, step: str | None = None, note: str = "", ids: Ids | None = None
) -> Flow:  # fmt: skip
    """Do what a person commands. Raises what execution refuses."""
    new_id = ids("flow") if ids is not None else None
    request = flows.CommandFlow(principal=who, flow_id=flow_id, verb=verb, step=step, new_id=new_id, note=note)
    return await gateway.bus.call(COMMAND_FLOW, request)


@router.post("/{flow_id}/pause")
async def pause(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    """Hold a flow where it stands. What has been submitted goes on."""
    return await command(gateway, who, flow_id, FlowVerb.PAUSE, note=body.note)


@router.post("/{flow_id}/resume")
async def resume(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    return await command(gateway, who, flow_id, FlowVerb.RESUME, note=body.note)


@router.post("/{flow_id}/cancel")
async def cancel(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    """End a flow and undo nothing; what waits for approval is withdrawn."""
    return await command(gateway, who, flow_id, FlowVerb.CANCEL, note=body.note)


@router.post("/{flow_id}/rollback")
async def rollback(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    """Undo what was done, in reverse, each step as a governed action. Refused with a reason where something can't be taken back."""
    return await command(gateway, who, flow_id, FlowVerb.ROLLBACK, note=body.note)


@router.post("/{flow_id}/retry")
async def retry(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    """Try the step, or the compensation, that failed once more."""
    return await command(gateway, who, flow_id, FlowVerb.RETRY, note=body.note)


@router.post("/{flow_id}/skip")
async def skip(flow_id: UUID, body: AtStep, who: Submitter, gateway: GatewayDep) -> Flow:
    """Ask to let a step pass without its effect; an approver decides."""
    return await command(gateway, who, flow_id, FlowVerb.SKIP, step=body.step, note=body.note)


@router.post("/{flow_id}/fork", status_code=202)
async def fork(flow_id: UUID, body: FromStep, who: Submitter, gateway: GatewayDep, ids: IdsDep) -> Flow:
    """A new flow from where a step of this one began."""
    return await command(gateway, who, flow_id, FlowVerb.FORK, step=body.step, note=body.note, ids=ids)


@router.post("/{flow_id}/migrate")
async def migrate(flow_id: UUID, body: Why, who: Submitter, gateway: GatewayDep) -> Flow:
    """Bring a waiting flow to the newest version of its declaration."""
    return await command(gateway, who, flow_id, FlowVerb.MIGRATE, note=body.note)
