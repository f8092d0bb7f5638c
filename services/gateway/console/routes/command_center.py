"""The Command Center: what needs this reader now, and what a card's button does."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import decision, execution, trust
from libs.contracts.catalogue.cards import cards as card_catalogue
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import (
    ACTIONS,
    APPROVALS,
    CARDS,
    DECIDE_CARD,
    OPPORTUNITIES,
)
from services.gateway.console import pages, present, views
from services.gateway.console.actors import RECORD
from services.gateway.console.desk import DeskDep
from services.gateway.console.urls import PATHS, url
from services.gateway.http.cards import feed_role
from services.gateway.http.guards import require

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)


@router.get(PATHS["command_center"], dependencies=[Reading])
async def command_center(desk: DeskDep, role: Annotated[str | None, Query(max_length=50)] = None) -> Response:
    """What needs this reader now: the role's cards, and four figures that say unknown when nobody answers."""
    chosen = feed_role(desk.who, role)
    feed = await desk.call(CARDS, decision.CardsRequest(principal=desk.who, role=chosen))
    now = desk.gateway.now()
    names = await desk.records(filter(RECORD.fullmatch, map(present.about, feed.items)))
    shown = tuple(present.decision_card(desk.lang, card, now, names) for card in feed.items)
    tabs = tuple(
        views.Tab(key, present.pick(desk.lang, named.ar, named.en), url("command_center", role=key), key == chosen)
        for key, named in card_catalogue().roles.items()
        if key in ("ceo", "sales_manager", "growth_manager", "support")
    )
    figures, has_leads = await _figures(desk)
    due = [card.sla for card in shown if card.sla is not None and card.sla.minutes_left >= 0]
    page = pages.CommandCenterPage(
        kpis=figures,
        cards=shown,
        roles=tabs,
        waiting=feed.waiting + len(shown),
        next_sla=min(due, key=lambda clock: clock.due_at) if due else None,
        has_leads=has_leads,
    )
    return await desk.show(page)


async def _figures(desk: DeskDep) -> tuple[tuple[views.Kpi, ...], bool]:
    now = desk.gateway.now()
    waiting = await _count(
        desk,
        APPROVALS,
        trust.ApprovalsRequest(principal=desk.who, state=trust.ApprovalState.PENDING, page=Page(limit=200)),
    )
    done = await _count(
        desk,
        ACTIONS,
        execution.ActionsRequest(principal=desk.who, state=execution.ActionState.SUCCEEDED, page=Page(limit=200)),
    )
    safe = await _total(desk, "safe")
    everyone = await _total(desk, None)
    say = desk.say
    figures = (
        views.Kpi(
            "approvals_waiting", say("موافقات بانتظارك", "Approvals waiting"), waiting, href=url("approvals"), as_of=now
        ),
        views.Kpi(
            "leads_safe",
            say("عملاء يجوز التواصل معهم", "Leads that may be contacted"),
            safe,
            href=url("opportunities"),
            as_of=now,
        ),
        views.Kpi("leads_ranked", say("عملاء مرتّبون", "Leads ranked"), everyone, href=url("opportunities"), as_of=now),
        views.Kpi(
            "actions_done",
            say("إجراءات نُفّذت", "Actions carried out"),
            done,
            tag="sandbox",
            href=url("sandbox_mailbox"),
            as_of=now,
        ),
    )
    return figures, bool(everyone)


async def _count(desk: DeskDep, call: Any, request: Any) -> int | None:
    try:
        return len((await desk.call(call, request)).items)
    except DealixError:
        return None


async def _total(desk: DeskDep, contactability: str | None) -> int | None:
    request = decision.OpportunitiesRequest(principal=desk.who, contactability=contactability, page=Page(limit=1))
    try:
        return int((await desk.call(OPPORTUNITIES, request)).total)
    except DealixError:
        return None


@router.post(PATHS["card_decision"], dependencies=[require("submit")])
async def card_decision(
    id: UUID, desk: DeskDep, button: Text, payload_hash: Text = "", view_hash: Text = "", note: Text = ""
) -> Response:
    request = decision.DecideCard(
        principal=desk.who,
        card_id=id,
        button=button,
        note=note,
        payload_hash=payload_hash or None,
        view_hash=view_hash or None,
    )
    reply = await desk.call(DECIDE_CARD, request)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "cards")
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals")
    if reply.approval_id is not None:
        return desk.go("approval", str(reply.approval_id))
    return desk.go("command_center", role=reply.card.role)
