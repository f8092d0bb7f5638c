"""Approvals: the queue, one request in full, yes and no. A yes names the hashes of exactly what was shown."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from libs.contracts import trust
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.execution import Action, ActionGet, ActionState
from libs.contracts.message import Principal
from libs.contracts.subjects import ACTION, APPROVAL, APPROVALS, APPROVE, REJECT, REVISE, WITHDRAW
from libs.contracts.trust import Approval, ApprovalState
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Hash, Items, Note, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Approver = Annotated[Principal, require("approve")]
Submitter = Annotated[Principal, require("submit")]
Password = Annotated[str, Field(min_length=1, max_length=1024)]
# A grant permits something once: it is between trust and execution, and no reader's business.
_HIDDEN: dict[str, Any] = {"decision": {"grant"}}
_HIDDEN_ITEMS: dict[str, Any] = {"items": {"__all__": _HIDDEN}}


class Vote(Body):
    """A yes to exactly these hashes. `password` proves once more who says it: an owner needs it for an own request."""

    payload_hash: Hash
    view_hash: Hash
    note: Note = ""
    password: Password | None = None


class Rejection(Body):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class Revision(Body):
    """An edited payload. `expected_hash` (or `If-Match`) is the hash of the one that was edited."""

    payload: dict[str, Any]
    expected_hash: Hash | None = None
    reason: Note | None = None


class Superseded(BaseModel):
    """The request that ended, and the action that takes its place with the edited payload."""

    superseded: UUID
    action_id: UUID
    state: ActionState
    approval: Approval | None = None


@router.get("", response_model_exclude=_HIDDEN_ITEMS)
async def approvals(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[ApprovalState | None, Query()] = None,
    role: Annotated[str | None, Query(max_length=50)] = None,
) -> Items[Approval]:
    """Approvals of the tenant, the newest first."""
    request = trust.ApprovalsRequest(principal=who, state=state, role=role, page=paging.page(gateway, who))
    reply = await gateway.bus.call(APPROVALS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{approval_id}", response_model_exclude=_HIDDEN)
async def approval(approval_id: UUID, who: Reader, gateway: GatewayDep, response: Response) -> Approval:
    """One request in full: the exact payload and view with their hashes, clock, history, decision. `ETag` is the payload's hash."""
    found = await gateway.bus.call(APPROVAL, trust.ApprovalRequest(principal=who, approval_id=approval_id))
    response.headers["ETag"] = f'"{found.payload_hash}"'
    return found


@router.post("/{approval_id}/approve", response_model_exclude=_HIDDEN)
async def approve(approval_id: UUID, body: Vote, who: Approver, caller: CallerDep, gateway: GatewayDep) -> Approval:
    """Approve exactly what was shown. 409 when it is no longer what would run."""
    if body.password is not None:
        await gateway.authentication.again(caller.user, body.password)
    request = trust.ApproveRequest(
        principal=who, approval_id=approval_id, payload_hash=body.payload_hash, view_hash=body.view_hash, note=body.note,
        reauthenticated=body.password is not None,
    )  # fmt: skip
    found = await gateway.bus.call(APPROVE, request)
    _changed(gateway, who)
    return found


@router.post("/{approval_id}/reject", response_model_exclude=_HIDDEN)
async def reject(approval_id: UUID, body: Rejection, who: Approver, gateway: GatewayDep) -> Approval:
    """Say no, with a reason. Nothing is sent."""
    request = trust.RejectRequest(principal=who, approval_id=approval_id, reason=body.reason)
    found = await gateway.bus.call(REJECT, request)
    _changed(gateway, who)
    return found


@router.post("/{approval_id}/withdraw", response_model_exclude=_HIDDEN)
async def withdraw(approval_id: UUID, who: Submitter, gateway: GatewayDep) -> Approval:
    """Take a request back, as its requester or as somebody who may approve it."""
    found = await gateway.bus.call(WITHDRAW, trust.WithdrawRequest(principal=who, approval_id=approval_id))
    _changed(gateway, who)
    return found


@router.put("/{approval_id}/payload", response_model_exclude={"approval": _HIDDEN})
async def revise(
    approval_id: UUID,
    body: Revision,
    who: Submitter,
    gateway: GatewayDep,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Superseded:
    """Edit the payload: this request ends, and the edited action is decided anew, with an approval of its own."""
    expected = body.expected_hash or (if_match or "").strip().strip('"')
    if not expected:
        raise Unprocessable(
            "expected_hash_missing", "Say which payload was edited: expected_hash or If-Match.",
            "حدّد الحمولة التي عُدّلت: expected_hash أو If-Match.",
        )  # fmt: skip
    ended = await gateway.bus.call(
        REVISE,
        trust.ReviseRequest(
            principal=who, approval_id=approval_id, payload=body.payload, expected_hash=expected, reason=body.reason
        ),
    )
    if ended.replaced_by_action is None:
        raise NotFound
    found = await _replacement(gateway, who, ended.replaced_by_action)
    if found is None:
        # Trust has kept the edit; execution takes it up as soon as it can.
        return Superseded(superseded=approval_id, action_id=ended.replaced_by_action, state=ActionState.ACCEPTED)
    _changed(gateway, who)
    fresh = None
    if found.approval_id is not None:
        fresh = await gateway.bus.call(APPROVAL, trust.ApprovalRequest(principal=who, approval_id=found.approval_id))
    return Superseded(superseded=approval_id, action_id=found.action_id, state=found.state, approval=fresh)


async def _replacement(gateway: Gateway, who: Principal, action_id: UUID) -> Action | None:
    """The action that an edit became, as soon as execution has it; None when that takes longer than a client waits."""
    for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 1.0):
        try:
            return await gateway.bus.call(
                ACTION, ActionGet(principal=who, action_id=action_id, wait_seconds=3), timeout=8.0
            )
        except DealixError as error:
            if error.status != 404:
                raise
        await asyncio.sleep(pause)
    return None


def _changed(gateway: Gateway, who: Principal) -> None:
    gateway.pulse.nudge(who.tenant_id, "approvals", "cards", "ledger")
