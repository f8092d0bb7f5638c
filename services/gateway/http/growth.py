"""Negotiation, partnerships and the day's plan: what decision proposes from records, never what it does."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.contracts import growth, learning, negotiation, partners
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    ANSWER_OBJECTION,
    CLASSIFY_OBJECTION,
    DAILY_PLAN,
    PARTNER_BRIEF,
    PARTNER_MESSAGE,
    PARTNER_PIPELINE,
    SCORE_PARTNER,
    WEEKLY_REPORT,
)
from services.gateway.http import bodies
from services.gateway.http.bodies import Id, Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
# A question by POST is work that somebody asks for; looking alone gives no right to it.
Asker = Annotated[Principal, require("submit")]
SUGGESTED = 10
_EXAMPLES = (
    "السعر غالي علينا", "كلمونا بعد رمضان", "ما نعرفكم، هل عندكم عملاء سابقين؟", "We already have an agency", "لازم أعرضه على المدير",
    "Not a priority right now", "ارسل لي التفاصيل على الإيميل", "هل تضمنون نتائج؟", "السعر مناسب",
)  # fmt: skip


class Said(bodies.Request):
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class Answer(Said):
    lead_id: Id | None = None
    channel: Literal["email", "whatsapp"] = "email"
    language: Literal["ar", "en"] | None = None
    tone: Literal["formal", "warm"] | None = None


class OnPartner(bodies.Request):
    partner_id: Id


class ToPartner(OnPartner):
    language: Literal["ar", "en"] = "ar"


class Example(BaseModel):
    text: str
    reading: negotiation.ObjectionReply


@router.post("/negotiation/classify", tags=["negotiation"])
async def classify(body: Said, who: Asker, gateway: GatewayDep) -> negotiation.ObjectionReply:
    """Which objection a text raises, with the clauses that say so; none where nothing clear was said."""
    return await gateway.bus.call(CLASSIFY_OBJECTION, negotiation.ClassifyObjection(principal=who, text=body.text))


@router.post("/negotiation/respond", tags=["negotiation"])
async def respond(body: Answer, who: Asker, gateway: GatewayDep) -> negotiation.AnswerReply:
    """The playbook's answer as a proposal to a person; nothing is sent or kept."""
    request = negotiation.AnswerObjection(
        principal=who,
        text=body.text,
        lead_id=body.lead_id,
        channel=body.channel,
        language=body.language,
        tone=body.tone,
    )
    return await gateway.bus.call(ANSWER_OBJECTION, request)


@router.get("/negotiation/demo", tags=["negotiation"])
async def negotiation_demo(gateway: GatewayDep) -> Items[Example]:
    """Sentences as customers say them, classified by the running pipeline."""
    who = gateway.demo_principal()
    return Items(
        items=[
            Example(text=text, reading=await gateway.bus.call(CLASSIFY_OBJECTION, negotiation.ClassifyObjection(principal=who, text=text)))
            for text in _EXAMPLES
        ]
    )  # fmt: skip


@router.get("/partners/pipeline", tags=["partners"])
async def pipeline(who: Reader, gateway: GatewayDep) -> partners.PipelineReply:
    """Partners by stage, each with its fit, age and next step. Move one with `PATCH /partners/{id}`."""
    return await gateway.bus.call(PARTNER_PIPELINE, partners.PipelineRequest(principal=who))


@router.get("/partners/suggestions", tags=["partners"])
async def suggestions(who: Reader, gateway: GatewayDep) -> Items[partners.PipelinePartner]:
    """Whom to talk to next: partners that nobody negotiates with yet, the best fit first, without those that no offer suits."""
    board = await gateway.bus.call(PARTNER_PIPELINE, partners.PipelineRequest(principal=who))
    early = [one for stage in board.stages if stage.stage in ("scout", "evaluate") for one in stage.partners]
    worth = sorted((one for one in early if one.offer != "none"), key=lambda one: -one.fit)
    return Items(items=worth[:SUGGESTED])


@router.post("/partners/score", tags=["partners"])
async def score(body: OnPartner, who: Asker, gateway: GatewayDep) -> partners.PartnerScore:
    """How well a partner fits, with every part of it and what is not known."""
    return await gateway.bus.call(SCORE_PARTNER, partners.PartnerGet(principal=who, partner_id=body.partner_id))


@router.post("/partners/message-draft", tags=["partners"])
async def message_draft(body: ToPartner, who: Asker, gateway: GatewayDep) -> partners.PartnerMessageReply:
    """A first message to a partner as a proposal, with the reviewers' verdicts."""
    request = partners.PartnerMessage(principal=who, partner_id=body.partner_id, language=body.language)
    return await gateway.bus.call(PARTNER_MESSAGE, request)


@router.post("/partners/meeting-brief", tags=["partners"])
async def meeting_brief(body: OnPartner, who: Asker, gateway: GatewayDep) -> partners.MeetingBrief:
    """What to know, ask and settle in a meeting with a partner."""
    return await gateway.bus.call(PARTNER_BRIEF, partners.PartnerGet(principal=who, partner_id=body.partner_id))


@router.get("/growth/daily-plan", tags=["growth"])
async def daily_plan(who: Reader, gateway: GatewayDep) -> growth.DailyPlanReply:
    """Today's plan: whom may be contacted, who is drafted, how far each has come, and what today's counts are."""
    return await gateway.bus.call(DAILY_PLAN, growth.DailyPlanRequest(principal=who))


@router.get("/growth/weekly-report", tags=["growth"])
async def weekly_report(
    who: Reader,
    gateway: GatewayDep,
    week: Annotated[date | None, Query(description="Any day of the week; the last whole one otherwise.")] = None,
    weeks: Annotated[int, Query(ge=1, le=26, description="How far back comparisons look.")] = 4,
) -> learning.WeeklyReport:
    """What a week tried and was answered, what was refused, what the last weeks' rows say, and what to try or to stop."""
    return await gateway.bus.call(WEEKLY_REPORT, learning.WeeklyReportRequest(principal=who, week=week, weeks=weeks))
