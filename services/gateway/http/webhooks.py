"""Deliveries of vendors, the bindings they arrive under, a person's WhatsApp number, and the approval brief it is for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from libs.contracts.briefs import ApprovalBrief, MakeBrief
from libs.contracts.errors import NotFound
from libs.contracts.message import Principal, Text
from libs.contracts.subjects import APPROVAL_BRIEF
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import CallerDep, IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.webhooks.domain import Binding, Number

router = APIRouter(prefix="/api/v1", tags=["webhooks"], responses=RESPONSES)

Keeper = Annotated[Principal, require("users")]
Watcher = Annotated[Principal, require("users")]
Approver = Annotated[Principal, require("approve")]


class NewBinding(Body):
    """`account` is the vendor's id of the number (Meta: `phone_number_id`); `secret` signs its deliveries (Meta: the app secret)."""

    connector: Annotated[str, Field(min_length=1, max_length=50)]
    account: Annotated[str, Field(min_length=1, max_length=100)]
    secret: Annotated[str, Field(min_length=16, max_length=500)]


class BindingView(BaseModel):
    """`path` is where the vendor delivers. `verify_token` is shown once, when the binding is made."""

    binding_id: UUID
    connector: str
    account: str
    path: str
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    verify_token: str | None = None


class Outcome(BaseModel):
    """What became of one message, and what to answer to it."""

    message_id: str
    outcome: str
    answer: Text


class Delivered(BaseModel):
    """`taken` has the messages for us; everything else in the delivery was left out."""

    taken: list[Outcome]


class NewNumber(Body):
    """Your own number, and your password once more: from then on it may approve in your name."""

    number: Annotated[str, Field(min_length=8, max_length=30)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


class NumberView(BaseModel):
    """`code` is shown once: send it from this number to the company's WhatsApp before `code_until`."""

    number: str
    verified_at: datetime | None
    code_until: datetime | None
    code: str | None = None


@router.get("/webhooks/{connector}/{binding}", response_class=PlainTextResponse)
async def verify(
    connector: str,
    binding: UUID,
    gateway: GatewayDep,
    mode: Annotated[str, Query(alias="hub.mode", max_length=50)] = "",
    token: Annotated[str, Query(alias="hub.verify_token", max_length=200)] = "",
    challenge: Annotated[str, Query(alias="hub.challenge", max_length=200)] = "",
) -> PlainTextResponse:
    """The vendor's verification request: the challenge comes back when the token is the binding's."""
    return PlainTextResponse(await gateway.hooks.challenge(connector, binding, mode, token, challenge))


@router.post("/webhooks/{connector}/{binding}")
async def deliver(connector: str, binding: UUID, request: Request, gateway: GatewayDep) -> Delivered:
    """A delivery, signed over its raw bytes (`X-Hub-Signature-256`). The same message again is answered and does nothing."""
    signature = request.headers.get("x-hub-signature-256")
    taken = await gateway.hooks.deliver(connector, binding, await request.body(), signature)
    return Delivered(taken=[Outcome(message_id=t.message_id, outcome=t.outcome, answer=t.answer) for t in taken])


@router.get("/webhook-bindings")
async def bindings(who: Watcher, caller: CallerDep, gateway: GatewayDep, paging: PagingDep) -> Items[BindingView]:
    """Where vendors deliver. Secrets are not shown."""
    after = paging.after(gateway, who)
    found = await gateway.hooks.bindings(caller, UUID(after) if after else None, paging.limit + 1)
    more, found = len(found) > paging.limit, found[: paging.limit]
    return items(gateway, who, [_binding(one) for one in found], str(found[-1].binding_id) if more else None)


@router.post("/webhook-bindings", status_code=201)
async def bind(body: NewBinding, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> BindingView:
    """Let a vendor deliver to this tenant."""
    made, token = await gateway.hooks.bind(caller, body.connector, body.account, body.secret)
    return _binding(made).model_copy(update={"verify_token": token})


@router.delete("/webhook-bindings/{binding_id}", status_code=204)
async def unbind(binding_id: UUID, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> None:
    """Take nothing under this binding any more."""
    await gateway.hooks.unbind(caller, binding_id)


@router.get("/me/whatsapp-number")
async def number(who: Approver, caller: CallerDep, gateway: GatewayDep) -> NumberView:
    """Your WhatsApp number, and whether it is verified."""
    found = await gateway.hooks.number(caller)
    if found is None:
        raise NotFound
    return _number(*found)


@router.put("/me/whatsapp-number")
async def claim(body: NewNumber, who: Approver, caller: CallerDep, gateway: GatewayDep) -> NumberView:
    """Begin with a number. It counts once the code arrived from it."""
    made, code = await gateway.hooks.claim(caller, body.number, body.password)
    return _number(body.number, made).model_copy(update={"code": code})


@router.delete("/me/whatsapp-number", status_code=204)
async def drop(who: Approver, caller: CallerDep, gateway: GatewayDep) -> None:
    """Nothing is approved from your number any more."""
    await gateway.hooks.drop(caller)


@router.post("/approvals/whatsapp-brief")
async def brief(who: Approver, gateway: GatewayDep, ids: IdsDep) -> ApprovalBrief:
    """The requests that you may decide in WhatsApp, each whole, as the text of one message. Replies to it count for exactly this."""
    return await gateway.bus.call(APPROVAL_BRIEF, MakeBrief(principal=who, brief_id=ids("brief")))


def _binding(one: Binding) -> BindingView:
    return BindingView(
        binding_id=one.binding_id, connector=one.connector, account=one.account, created_at=one.created_at,
        path=f"/api/v1/webhooks/{one.connector}/{one.binding_id}", created_by=one.created_by, ended_at=one.ended_at,
    )  # fmt: skip


def _number(plain: str, one: Number) -> NumberView:
    return NumberView(number=plain, verified_at=one.verified_at, code_until=one.code_until)
