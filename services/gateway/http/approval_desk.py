"""What surrounds a vote: the tenant's rules, lent rights, requests of one template side by side and all at once, tokens."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import approvals as contracts
from libs.contracts.approvals import Comparison, Delegation, RulesReply, TokenReply, TrustRules
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    APPROVE_BULK,
    COMPARE,
    DELEGATE,
    DELEGATIONS,
    END_DELEGATION,
    RULES,
    SET_RULES,
    TOKEN,
)
from libs.contracts.trust import Approval
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Body, Hash, Id, Items, Moment, Note, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, IdsDep, allowed, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Approver = Annotated[Principal, require("approve")]
Submitter = Annotated[Principal, require("submit")]
Keeper = Annotated[Principal, require("consents")]
_HIDDEN_ITEMS: dict[str, Any] = {"items": {"__all__": {"decision": {"grant"}}}}


class OneOfMany(Body):
    approval_id: Id
    payload_hash: Hash
    view_hash: Hash


class Many(RequestBody):
    """Votes for requests of one template: each names its own hashes, and all of them count or none."""

    items: Annotated[list[OneOfMany], Field(min_length=1, max_length=100)]
    note: Note = ""


class Loan(RequestBody):
    """`to` is a user's id. Without `ends_at` nothing is lent: every loan has an end, within 90 days."""

    to: Id
    ends_at: Moment
    note: Annotated[str, Field(max_length=500)] = ""


class NewRules(RequestBody):
    """`expected_version` is the version that was edited; 0 when nothing was set yet."""

    rules: TrustRules
    expected_version: Annotated[int, Field(ge=0)]


@router.get("/rules")
async def rules(who: Reader, gateway: GatewayDep) -> RulesReply:
    """Limits, quorum, business hours, escalation and sending caps of the tenant."""
    return await gateway.bus.call(RULES, contracts.RulesRequest(principal=who))


@router.put("/rules")
async def set_rules(body: NewRules, who: Keeper, gateway: GatewayDep) -> RulesReply:
    """Change the rules; kept as a new version with who made it. 409 when they were changed meanwhile."""
    request = contracts.SetRules(principal=who, rules=body.rules, expected_version=body.expected_version)
    return await gateway.bus.call(SET_RULES, request)


@router.get("/delegations")
async def delegations(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[Delegation]:
    """Rights that were lent, the newest first; ended ones too."""
    request = contracts.DelegationsRequest(principal=who, page=paging.page(gateway, who))
    reply = await gateway.bus.call(DELEGATIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/delegations", status_code=201)
async def lend(body: Loan, who: Approver, caller: CallerDep, gateway: GatewayDep, ids: IdsDep) -> Delegation:
    """Lend one's whole right to approve to a colleague, until a date."""
    return await _lend(gateway, who, caller, body, ids("delegation"), None)


@router.post("/delegations/{delegation_id}/end")
async def end(delegation_id: UUID, who: Submitter, gateway: GatewayDep) -> Delegation:
    """Take a lent right back."""
    return await gateway.bus.call(END_DELEGATION, contracts.EndDelegation(principal=who, delegation_id=delegation_id))


@router.get("/compare")
async def compare(
    who: Reader, gateway: GatewayDep, id: Annotated[list[UUID], Query(min_length=1, max_length=100)]
) -> Comparison:
    """Requests of one template as a table of what differs, with each one's hashes. 409 when they are not alike."""
    return await gateway.bus.call(COMPARE, contracts.CompareRequest(principal=who, approval_ids=tuple(id)))


@router.post("/bulk", response_model_exclude=_HIDDEN_ITEMS)
async def bulk(body: Many, who: Approver, gateway: GatewayDep) -> Items[Approval]:
    """Approve several requests of one template at once, each for exactly its own hashes. All of them, or none."""
    chosen = tuple(contracts.BulkItem(**dict(one)) for one in body.items)
    reply = await gateway.bus.call(APPROVE_BULK, contracts.BulkRequest(principal=who, items=chosen, note=body.note))
    gateway.pulse.nudge(who.tenant_id, "approvals", "cards", "ledger")
    return Items(items=reply.items)


@router.post("/{approval_id}/delegate", status_code=201)
async def delegate(
    approval_id: UUID, body: Loan, who: Approver, caller: CallerDep, gateway: GatewayDep, ids: IdsDep
) -> Delegation:
    """Let a colleague decide this request in one's place, until a date."""
    return await _lend(gateway, who, caller, body, ids("delegation"), approval_id)


@router.post("/{approval_id}/token", status_code=201)
async def token(approval_id: UUID, who: Submitter, gateway: GatewayDep) -> TokenReply:
    """The `approval_token` of an approval whose action has not run: for its requester, shown once, good for one action."""
    return await gateway.bus.call(TOKEN, contracts.TokenRequest(principal=who, approval_id=approval_id))


async def _lend(
    gateway: Gateway, who: Principal, caller: CallerDep, body: Loan, delegation_id: UUID, approval_id: UUID | None
) -> Delegation:
    taker = (await gateway.people.user(caller, body.to)).principal()
    if allowed(taker, "approve") is None:
        raise Unprocessable(
            "not_an_approver",
            "Only somebody who may approve can take a lent right.",
            "لا يُفوَّض إلا من يملك صلاحية الموافقة.",
        )
    if body.ends_at.tzinfo is None:
        raise Unprocessable("no_time_zone", "Times name their time zone.", "يجب أن تذكر الأوقات المنطقة الزمنية.")
    request = contracts.DelegateRequest(
        principal=who, delegation_id=delegation_id, approval_id=approval_id, to_id=taker.id, ends_at=body.ends_at, note=body.note
    )  # fmt: skip
    made = await gateway.bus.call(DELEGATE, request)
    gateway.pulse.nudge(who.tenant_id, "approvals")
    return made
