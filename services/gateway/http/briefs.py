"""Briefs over WhatsApp that are sent by themselves: what the tenant lets out, when each person wants it, and what was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.contracts.briefs import DAYS, BriefHours, Day
from libs.contracts.errors import NotFound
from libs.contracts.message import Principal
from services.gateway.briefs.domain import Kind, Outgoing, Rules, State
from services.gateway.domain.people import Caller
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["approvals"], responses=RESPONSES)

Keeper = Annotated[Principal, require("users")]
Approver = Annotated[Principal, require("approve")]
Reader = Annotated[Principal, require("read", reading=True)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]


class BriefRules(Body):
    """Which requests go out. High risk never does; without action types all of those risks do. `template` is one that WhatsApp approved for
    this: outside the 24 hours after a person wrote nothing else may be sent."""

    enabled: bool
    risks: Annotated[list[Literal["low", "medium"]], Field(min_length=1, max_length=2)] = ["low", "medium"]
    action_types: Annotated[list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,99}$")]], Field(max_length=50)] = []
    template: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")] = "approval_brief"
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")] = "ar"


class HoursView(Body):
    """When you want to be written to, by Riyadh's clock; `closes` itself is outside."""

    opens: Clock
    closes: Clock
    days: Annotated[list[Day], Field(min_length=1, max_length=7)]


class SentView(BaseModel):
    """`message_id` is also the id of the action that sent it."""

    message_id: UUID
    kind: Kind
    state: State
    detail: str
    approvals: tuple[UUID, ...]
    created_at: datetime
    sent_at: datetime | None


@router.get("/approvals/whatsapp-rules")
async def rules(who: Reader, gateway: GatewayDep) -> BriefRules:
    """What the tenant lets out by WhatsApp."""
    async with gateway.store.unit(who.tenant_id) as unit:
        found = await unit.briefs.rules()
    return BriefRules(
        enabled=found.enabled, risks=[one for one in ("low", "medium") if one in found.risks], action_types=list(found.action_types),
        template=found.template, language=found.language,
    )  # fmt: skip


@router.put("/approvals/whatsapp-rules")
async def set_rules(body: BriefRules, who: Keeper, gateway: GatewayDep) -> BriefRules:
    """Choose which requests are sent to the people who decide them."""
    await keep_rules(gateway, who, body)
    return body


async def keep_rules(gateway: Gateway, who: Principal, body: BriefRules) -> None:
    """Set the tenant's rules, on record."""
    chosen = Rules(
        who.tenant_id, body.enabled, tuple(dict.fromkeys(body.risks)), tuple(body.action_types), body.template, body.language, who.id
    )  # fmt: skip
    async with gateway.store.unit(who.tenant_id) as unit:
        await unit.briefs.set_rules(chosen)
        await gateway.authentication.record(
            unit, who.tenant_id, "approval.brief_rules_changed", who.id, f"tenant:{who.tenant_id}",
            enabled=str(body.enabled).lower(), risks=",".join(chosen.risks), action_types=",".join(chosen.action_types),
        )  # fmt: skip


@router.get("/me/whatsapp-hours")
async def hours(who: Approver, caller: CallerDep, gateway: GatewayDep) -> HoursView:
    """When you want to be written to. Without hours nothing is sent."""
    async with gateway.store.unit(who.tenant_id) as unit:
        found = await unit.briefs.hours(caller.user.user_id)
    if found is None:
        raise NotFound
    return HoursView(opens=_clock(found.opens_minute), closes=_clock(found.closes_minute), days=list(found.days))


@router.put("/me/whatsapp-hours")
async def set_hours(body: HoursView, who: Approver, caller: CallerDep, gateway: GatewayDep) -> HoursView:
    """Set your hours. They hold for briefs and for answers alike."""
    await keep_hours(gateway, caller, body)
    return body


async def keep_hours(gateway: Gateway, caller: Caller, body: HoursView) -> None:
    """Set a person's own hours, on record. Raises Unprocessable."""
    who = caller.principal
    opens, closes = _minute(body.opens), _minute(body.closes)
    if opens >= closes:
        raise Unprocessable("hours_reversed", "The hours open before they close.", "يجب أن تبدأ الساعات قبل أن تنتهي.")
    found = BriefHours(opens_minute=opens, closes_minute=closes, days=tuple(day for day in DAYS if day in body.days))
    async with gateway.store.unit(who.tenant_id) as unit:
        await unit.briefs.set_hours(caller.user.user_id, found)
        await gateway.authentication.record(
            unit, who.tenant_id, "number.hours_set", who.id, who.id, opens=body.opens, closes=body.closes
        )


@router.delete("/me/whatsapp-hours", status_code=204, response_class=Response)
async def drop_hours(who: Approver, caller: CallerDep, gateway: GatewayDep) -> None:
    """Nothing is sent to you any more. Whatever waits for you stays in the console."""
    await forget_hours(gateway, caller)


async def forget_hours(gateway: Gateway, caller: Caller) -> None:
    """Nothing is sent to this person any more, on record."""
    who = caller.principal
    async with gateway.store.unit(who.tenant_id) as unit:
        await unit.briefs.set_hours(caller.user.user_id, None)
        await gateway.authentication.record(unit, who.tenant_id, "number.hours_removed", who.id, who.id)


@router.get("/me/whatsapp-messages")
async def messages(who: Approver, caller: CallerDep, gateway: GatewayDep, paging: PagingDep) -> Items[SentView]:
    """What was sent to you, or waits for your hours, the newest first."""
    after = paging.after(gateway, who)
    async with gateway.store.unit(who.tenant_id) as unit:
        found = await unit.briefs.page(caller.user.user_id, UUID(after) if after else None, paging.limit + 1)
    more, found = len(found) > paging.limit, found[: paging.limit]
    return items(gateway, who, [_view(one) for one in found], str(found[-1].message_id) if more else None)


def _view(one: Outgoing) -> SentView:
    return SentView(
        message_id=one.message_id, kind=one.kind, state=one.state, detail=one.detail, approvals=one.approvals, created_at=one.created_at,
        sent_at=one.sent_at,
    )  # fmt: skip


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
