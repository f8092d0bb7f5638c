"""Decision cards: what a role has to decide now."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.contracts import decision
from libs.contracts.catalogue.roles import roles
from libs.contracts.decision import BriefAnswered, BriefReply, Card, DecideCardReply
from libs.contracts.errors import Forbidden
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.subjects import ANSWER_BRIEF, CARD, CARDS, DECIDE_CARD, WHATSAPP_BRIEF
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Hash, Id, Note
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/cards", tags=["cards"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Decider = Annotated[Principal, require("submit")]
EVERY_FEED = frozenset({"owner", "admin", "operator", "auditor", "compliance_officer"})
Role = Annotated[str | None, Query(max_length=50, description="business role; your own when left out")]
Limit = Annotated[int, Query(ge=1, le=7)]


class Feed(BaseModel):
    """The most urgent first; `waiting` counts what comes behind them."""

    role: str
    items: list[Card]
    waiting: int
    next_cursor: str | None = None


class Choice(Body):
    """A button of the card. The hashes of what was shown are needed when it approves something."""

    button: Annotated[str, Field(min_length=1, max_length=50)]
    note: Note = ""
    payload_hash: Hash | None = None
    view_hash: Hash | None = None
    password: Annotated[str, Field(min_length=1, max_length=1024)] | None = None


class BriefAnswer(Body):
    """A reply to a brief, and the brief's cards in the order of their numbers."""

    cards: Annotated[list[Id], Field(min_length=1, max_length=3)]
    text: Annotated[str, Field(min_length=1, max_length=4096)]
    note: Note = ""


def feed_role(who: Principal, role: str | None) -> str:
    """The role whose feed is shown: one's own, or any for those who answer for all.

    Raises Unprocessable, Forbidden.
    """
    chosen = role or who.business_role or "ceo"
    if chosen not in roles().business_roles:
        names = ", ".join(roles().business_roles)
        raise Unprocessable("unknown_role", f"role is one of {names}.", f"الدور واحد من: {names}.")
    if chosen != who.business_role and not EVERY_FEED & set(who.roles) and who.kind is not PrincipalKind.API_KEY:
        raise Forbidden("other_feed", "You see the feed of your own role.", "تظهر لك بطاقات دورك فقط.")
    return chosen


@router.get("/feed")
async def feed(who: Reader, gateway: GatewayDep, role: Role = None, limit: Limit = 7) -> Feed:
    """At most seven decisions, the most urgent first."""
    chosen = feed_role(who, role)
    reply = await gateway.bus.call(CARDS, decision.CardsRequest(principal=who, role=chosen, limit=limit))
    return Feed(role=chosen, items=list(reply.items), waiting=reply.waiting)


@router.get("/whatsapp-brief")
async def whatsapp_brief(who: Reader, gateway: GatewayDep, role: Role = None) -> BriefReply:
    """The day's decisions as a WhatsApp text with numbered choices. Nothing is sent."""
    request = decision.CardsRequest(principal=who, role=feed_role(who, role), limit=3)
    return await gateway.bus.call(WHATSAPP_BRIEF, request)


@router.post("/whatsapp-brief/reply")
async def answer_brief(body: BriefAnswer, who: Decider, gateway: GatewayDep) -> BriefAnswered:
    """What somebody answered to a brief: `2-1`, a button's id or its words. An unclear answer decides nothing, and says so."""
    request = decision.AnswerBrief(principal=who, cards=tuple(body.cards), text=body.text, note=body.note)
    reply = await gateway.bus.call(ANSWER_BRIEF, request)
    if reply.decided is not None:
        gateway.pulse.nudge(who.tenant_id, "cards", "approvals")
    return reply


@router.get("/{card_id}")
async def card(card_id: UUID, who: Reader, gateway: GatewayDep) -> Card:
    """One card."""
    return await gateway.bus.call(CARD, decision.CardGet(principal=who, card_id=card_id))


@router.post("/{card_id}/decision")
async def decide(card_id: UUID, body: Choice, who: Decider, caller: CallerDep, gateway: GatewayDep) -> DecideCardReply:
    """Press a button of a card: it becomes an action, an approval's vote or a note, under your name."""
    if body.password is not None:
        await gateway.authentication.again(caller.user, body.password)
    request = decision.DecideCard(
        principal=who, card_id=card_id, button=body.button, note=body.note, payload_hash=body.payload_hash,
        view_hash=body.view_hash, reauthenticated=body.password is not None,
    )  # fmt: skip
    reply = await gateway.bus.call(DECIDE_CARD, request)
    gateway.pulse.nudge(who.tenant_id, "cards", "approvals")
    return reply
