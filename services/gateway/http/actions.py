"""Governed actions: submit, look, follow across the planes, take back."""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Discriminator, Field, Tag, computed_field

from libs.contracts import execution
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.roles import roles
from libs.contracts.execution import FINAL_STATES, Action, ActionItem, ActionState, SubmitRequest, SubmitResult
from libs.contracts.message import Message, Principal, Reason
from libs.contracts.operating import SpanRecord, TraceRequest
from libs.contracts.subjects import ACTION, ACTION_STATES, ACTIONS, CANCEL, SUBMIT, TRACE
from libs.contracts.trust import ResourceRef
from libs.runtime import telemetry
from services.gateway.domain.journey import TraceTree, trees
from services.gateway.errors import MissingRole, Unprocessable
from services.gateway.http.bodies import Body, Items, Note, PagingDep, Word, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import IdsDep, allowed, idempotency_key, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/actions", tags=["actions"], responses=RESPONSES)

Submitter = Annotated[Principal, require("submit")]
Asker = Annotated[Principal, require("submit", otherwise="propose")]
Reader = Annotated[Principal, require("read", reading=True)]
MOST = 1000
OWN_RUNS = ("flow:", "compensates:")
"""How the runs of execution's own flows and undoings begin."""
TRACES = 20


class Resource(Body):
    """What an action is about, as `contact` and its id."""

    type: Annotated[str, Field(min_length=1, max_length=50)]
    id: Annotated[str, Field(min_length=1, max_length=200)]


class NewAction(RequestBody):
    """One action. `approval_token` stands beside the payload, never in it. What it does follows from its registered handler."""

    action_type: Word
    resource: Resource
    payload: dict[str, Any]
    reason: Note = ""
    approval_token: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    run_id: Annotated[str, Field(max_length=100)] = ""


class NewActions(RequestBody):
    items: Annotated[list[NewAction], Field(min_length=1, max_length=MOST)]


def _form(body: Any) -> str:
    """Which of the two a body is, so that what is wrong with it is said of that one."""
    return "many" if isinstance(body, NewActions) or (isinstance(body, dict) and "items" in body) else "one"


OneOrMany = Annotated[Annotated[NewAction, Tag("one")] | Annotated[NewActions, Tag("many")], Discriminator(_form)]


class ShownAction(Action):
    """An action; `class` is what a decision calls its action class."""

    @computed_field(alias="class")  # type: ignore[prop-decorator]  # pydantic's documented order
    @property
    def class_(self) -> str | None:
        return self.action_class


class Submitted(BaseModel):
    """An accepted action is committed. With `Prefer: wait` the rest says what became of it within that time."""

    action_id: UUID
    state: ActionState
    trace_id: str
    approval_id: UUID | None = None
    reasons: list[Reason] = []
    waiting_for: str | None = None
    mode: str | None = None
    receipt: execution.Receipt | None = None


class SubmittedItem(BaseModel):
    """`error` instead of a state means that nothing of the item is stored."""

    action_id: UUID
    state: ActionState | None
    error: Reason | None = None


class SubmittedItems(BaseModel):
    items: list[SubmittedItem]
    trace_id: str


class Journey(Message):
    """Everything that happened to an action: its timeline, the spans of all its traces, and the same spans as trees."""

    action: Action
    spans: tuple[SpanRecord, ...]
    traces: tuple[TraceTree, ...]


def _item(one: NewAction, action_id: UUID, key: str | None) -> ActionItem:
    """Raises Unprocessable for a run that only execution itself names: what a flow asks for is not for others to ask in its name."""
    if one.run_id.startswith(OWN_RUNS):
        raise Unprocessable(
            "run_id_reserved", f"A run id does not begin with {' or '.join(OWN_RUNS)}: those are the system's own.",
            "لا يبدأ معرّف التشغيل بهذه البادئة؛ فهي للنظام وحده.",
        )  # fmt: skip
    return ActionItem(
        action_id=action_id, action_type=one.action_type, resource=ResourceRef(type=one.resource.type, id=one.resource.id),
        payload=one.payload, reason=one.reason, approval_token=one.approval_token, idempotency_key=key, run_id=one.run_id,
    )  # fmt: skip


def may_ask(who: Principal, action_type: str) -> None:
    """Raises MissingRole for an action that only those who propose policies and live switches may ask for."""
    effect = effects().get(action_type)
    if effect is not None and allowed(who, effect.capability) is None:
        raise MissingRole(effect.capability, roles().holders(effect.capability))


def refused(reason: Reason) -> Unprocessable:
    """An item that was not accepted, as an error of the whole request."""
    return Unprocessable(reason.code, reason.en, reason.ar)


def wait_seconds(prefer: str | None) -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240 section 4.3), at most what execution waits; 0 without it."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})", prefer or "", re.IGNORECASE)
    return min(int(found[1]), 10) if found else 0


@router.post(
    "", status_code=202, responses={200: {"description": "The final state, with `Prefer: wait`", "model": Submitted}}
)
async def submit(
    body: OneOrMany,
    who: Submitter,
    gateway: GatewayDep,
    ids: IdsDep,
    request: Request,
    response: Response,
    prefer: Annotated[str | None, Header(max_length=200, description="`wait=5` waits up to five seconds")] = None,
) -> Submitted | SubmittedItems:
    """Submit one action, or up to 1,000 as `items`. 202 means committed: it is never lost and never performed twice."""
    key = idempotency_key(request, who)
    for one in body.items if isinstance(body, NewActions) else [body]:
        may_ask(who, one.action_type)
    if isinstance(body, NewActions):
        asked = [_item(one, ids(f"action:{at}"), f"{key}:{at}" if key else None) for at, one in enumerate(body.items)]
        reply = await gateway.bus.call(SUBMIT, SubmitRequest(principal=who, items=tuple(asked)))
        shown = [_shown(r) for r in reply.results]
        if seconds := wait_seconds(prefer):
            shown = await _wait_all(gateway, who, shown, seconds)
            response.headers["Preference-Applied"] = f"wait={seconds}"
            if all(one.state is None or one.state in FINAL_STATES for one in shown):
                response.status_code = 200
        gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
        return SubmittedItems(items=shown, trace_id=telemetry.trace_id())
    item = _item(body, ids("action:0"), key)
    reply = await gateway.bus.call(SUBMIT, SubmitRequest(principal=who, items=(item,)))
    result = reply.results[0]
    if result.error is not None or result.state is None:
        raise refused(result.error or Reason(code="not_accepted", en="It was not accepted.", ar="لم يُقبل الطلب."))
    submitted = Submitted(action_id=result.action_id, state=result.state, trace_id=telemetry.trace_id())
    if seconds := wait_seconds(prefer):
        submitted = await _wait(gateway, who, result.action_id, seconds)
        response.headers["Preference-Applied"] = f"wait={seconds}"
        if submitted.state in FINAL_STATES:
            response.status_code = 200
    gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
    return submitted


async def _wait(gateway: Gateway, who: Principal, action_id: UUID, seconds: int) -> Submitted:
    found = await gateway.bus.call(
        ACTION, execution.ActionGet(principal=who, action_id=action_id, wait_seconds=seconds), timeout=seconds + 5
    )
    return Submitted(
        action_id=found.action_id, state=found.state, trace_id=found.trace_id or telemetry.trace_id(),
        approval_id=found.approval_id, reasons=list(found.reasons), waiting_for=found.waiting_for, mode=found.mode,
        receipt=found.receipt,
    )  # fmt: skip


async def _wait_all(gateway: Gateway, who: Principal, shown: list[SubmittedItem], seconds: int) -> list[SubmittedItem]:
    """The items as they stand within that time. What does not come to rest by then is shown as it is."""
    ids = tuple(one.action_id for one in shown if one.state is not None)
    request = execution.StatesRequest(principal=who, action_ids=ids, wait_seconds=seconds)
    if not ids:
        return shown
    states = (await gateway.bus.call(ACTION_STATES, request, timeout=seconds + 5)).states
    found = dict(zip(ids, states, strict=True))
    return [one.model_copy(update={"state": found.get(one.action_id) or one.state}) for one in shown]


def _shown(result: SubmitResult) -> SubmittedItem:
    return SubmittedItem(action_id=result.action_id, state=result.state, error=result.error)


@router.get("")
async def actions(
    who: Reader, gateway: GatewayDep, paging: PagingDep, state: Annotated[ActionState | None, Query()] = None
) -> Items[ShownAction]:
    """Actions of the tenant, the newest first."""
    request = execution.ActionsRequest(principal=who, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(ACTIONS, request)
    return items(gateway, who, [ShownAction(**dict(one)) for one in reply.items], reply.next_cursor)


@router.get("/{action_id}")
async def action(
    action_id: UUID,
    who: Reader,
    gateway: GatewayDep,
    prefer: Annotated[str | None, Header(max_length=200, description="`wait=5` waits for a final state")] = None,
) -> ShownAction:
    """One action: state, reasons, receipt, timeline."""
    request = execution.ActionGet(principal=who, action_id=action_id, wait_seconds=wait_seconds(prefer))
    return ShownAction(**dict(await gateway.bus.call(ACTION, request, timeout=request.wait_seconds + 5)))


@router.get("/{action_id}/journey")
async def journey(action_id: UUID, who: Reader, gateway: GatewayDep) -> Journey:
    """What happened to an action across the planes, linked traces (an approval that came later) included."""
    found = await gateway.bus.call(ACTION, execution.ActionGet(principal=who, action_id=action_id))
    named = (found.trace_id, *found.linked_traces, *(step.trace_id for step in found.timeline))
    trace_ids = tuple(dict.fromkeys(t for t in named if t))[:TRACES]
    spans: tuple[SpanRecord, ...] = ()
    if trace_ids:
        spans = (await gateway.bus.call(TRACE, TraceRequest(principal=who, trace_ids=trace_ids))).spans
    return Journey(action=found, spans=spans, traces=trees(spans))


@router.post("/{action_id}/cancel")
async def cancel(action_id: UUID, who: Asker, gateway: GatewayDep) -> ShownAction:
    """Take back an action that has not been dispatched. Those may who could have asked for it."""
    found = await gateway.bus.call(CANCEL, execution.CancelAction(principal=who, action_id=action_id))
    gateway.pulse.nudge(who.tenant_id, "approvals", "cards")
    return ShownAction(**dict(found))
