"""The day's plan: whom to write to today and why, how far each draft is, and what a person decides about it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts.arabic import counted
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.catalogue.words import word
from libs.contracts.decision import DecideCard, PrepareDraft
from libs.contracts.errors import DealixError
from libs.contracts.growth import DailyPlanReply, DailyPlanRequest, PlannedLead
from libs.contracts.subjects import DAILY_PLAN, DECIDE_CARD, PREPARE_DRAFT
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_plan import DayPlanPage, Planned, PlanPart
from services.gateway.console.routes.actions import TONES
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Button, Kpi
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
DECIDING = require("submit")
APPROVE, SKIP = "prepare_drafts", "skip"
WAITING = "awaiting_approval"


@router.get(PATHS["day_plan"], dependencies=[READING])
async def day_plan(desk: DeskDep) -> Response:
    return await _plan(desk)


@router.post(PATHS["day_plan_decide"], dependencies=[DECIDING])
async def decide(id: UUID, desk: DeskDep, button: Annotated[str, Form(pattern="^(prepare_drafts|skip)$")]) -> Response:
    """Approve the plan, or take one lead out of it: a button of its card. What speaks against it is told on the same page."""
    return await _done(desk, DECIDE_CARD, DecideCard(principal=desk.who, card_id=id, button=button))


@router.post(PATHS["day_plan_draft"], dependencies=[DECIDING])
async def draft(id: UUID, desk: DeskDep) -> Response:
    """A draft for one lead of the plan."""
    return await _done(desk, PREPARE_DRAFT, PrepareDraft(principal=desk.who, lead_id=id))


async def _done(desk: Desk, call: object, request: object) -> Response:
    try:
        await desk.call(call, request)
    except DealixError as error:
        return await _plan(desk, error=desk.error(error), status=error.status)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "cards", "approvals")
    return desk.go("day_plan")


async def _plan(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    plan: DailyPlanReply = await desk.call(DAILY_PLAN, DailyPlanRequest(principal=desk.who))
    may = allowed(desk.who, "submit") is not None
    today = [one for one in plan.prospects if one.drafted]
    later = [one for one in plan.prospects if not one.drafted]
    parts = (
        PlanPart(
            "today", desk.say("من نراسل اليوم", "Whom to write to today"),
            desk.say("الأعلى ترتيبًا ممن يجوز التواصل معهم، ورسالة واحدة لكل منشأة.", "The best ranked of those who may be contacted, one message to a company."),
            tuple(_lead(desk, at, one, may) for at, one in enumerate(today, 1)),
        ),
        PlanPart(
            "later", desk.say("التالون في الترتيب", "Next in line"),
            desk.say("خارج خطة اليوم، ولك أن تجهّز مسودة لأي منهم.", "Not in today's plan; a draft can be prepared for any of them."),
            tuple(_lead(desk, at, one, may) for at, one in enumerate(later, len(today) + 1)),
        ),
    )  # fmt: skip
    left = sum(one.draft_id is None for one in today)
    page = DayPlanPage(
        title=desk.say("خطة اليوم", "Today's plan"), day=desk.day(plan.day), back_label=desk.say("الاستهداف", "Targeting"),
        summary=desk.say(f"يجوز التواصل مع {plan.safe:,} من أصل {plan.ranked:,}", f"{plan.safe:,} of {plan.ranked:,} may be contacted") if plan.ranked else "",
        kpis_label=desk.say("حصيلة اليوم", "Today's counts"), kpis=_counts(desk, plan), parts=tuple(part for part in parts if part.leads),
        why=desk.say("بقية الأسباب", "The other reasons"), error=error,
        waits=desk.say(
            f"اعتمد الخطة لتُجهَّز {_drafts(left)}. لا يُرسل شيء قبل أن تعتمد كل مسودة على حدة.",
            f"Approve the plan to prepare {left} draft{'s' * (left != 1)}. Nothing is sent before you approve each of them.",
        ),
        approve=Button(desk.say("اعتمد الخطة", "Approve the plan"), url("day_plan_decide", str(plan.plan_card)), post=True, hidden={"button": APPROVE})
        if may and left and plan.plan_open else None,
        decided=await _decided(desk, plan), decided_at=plan.decided_at,
        set_aside=desk.say(
            f"خارج الخطة {_parties(plan.set_aside)} تخطّيتموها أو أجّلتموها.", f"Left out: {plan.set_aside} that were skipped or put off."
        ) if plan.set_aside else "",
        **_empty(desk, plan),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _lead(desk: Desk, place: int, one: PlannedLead, may: bool) -> Planned:
    channel = targeting().channels.get(one.channel or "")
    state = word("action_state", one.state) if one.state else None
    if state is not None:
        said, tone = desk.say(state.ar, state.en), TONES.get(one.state, "neutral")  # type: ignore[call-overload]  # its values are the keys' own
    else:
        said, tone = (
            (desk.say("بلا مسودة", "No draft yet"), "neutral")
            if one.draft_id is None and one.drafted
            else ("", "neutral")
        )
    reasons = one.reasons_ar if desk.lang == "ar" else one.reasons_en
    return Planned(
        lead_id=str(one.lead_id), place=place, account=one.account_name, score=round(one.score), tier=one.tier,
        channel=present.pick(desk.lang, channel.ar, channel.en) if channel else "", reasons=reasons, state=said, tone=tone,
        buttons=_buttons(desk, one, may),
    )  # fmt: skip


def _buttons(desk: Desk, one: PlannedLead, may: bool) -> tuple[Button, ...]:
    """To the approval that waits, to what became of it, or the two things that can be done about a lead without a draft."""
    if one.state == WAITING and one.approval_id is not None:
        return (
            Button(desk.say("راجِع المسودة", "Review the draft"), url("approval", str(one.approval_id)), kind="outline"),
        )
    if one.action_id is not None:
        return (Button(desk.say("تابع الإجراء", "Follow the action"), url("action", str(one.action_id)), kind="quiet"),)
    if not may:
        return ()
    prepare = Button(
        desk.say("جهّز المسودة", "Prepare the draft"), url("day_plan_draft", str(one.lead_id)), kind="outline", post=True
    )
    if one.skip_card is None:
        return (prepare,)
    skip = Button(
        desk.say("تخطَّ", "Skip"),
        url("day_plan_decide", str(one.skip_card)),
        kind="quiet",
        post=True,
        hidden={"button": SKIP},
    )
    return prepare, skip


def _counts(desk: Desk, plan: DailyPlanReply) -> tuple[Kpi, ...]:
    counts = plan.scorecard
    return (
        Kpi("drafts_prepared", desk.say("مسودات اليوم", "Drafts today"), counts.drafts_prepared, href=url("approvals")),
        Kpi("cards_decided", desk.say("قرارات اليوم", "Decisions today"), counts.cards_decided),
        Kpi("cards_open", desk.say("قرارات معلّقة", "Decisions waiting"), counts.cards_open, href=url("command_center")),
        Kpi("follow_ups_open", desk.say("متابعات مطلوبة", "Follow-ups due"), counts.follow_ups_open),
    )


async def _decided(desk: Desk, plan: DailyPlanReply) -> str:
    """Who approved the plan; empty while it waits, and where nobody did."""
    if plan.plan_open or plan.decided_button != APPROVE or not plan.decided_by:
        return ""
    name = (await desk.called([plan.decided_by]))[plan.decided_by]
    return desk.say(f"الخطة معتمدة · {name}", f"Approved · {name}")


def _empty(desk: Desk, plan: DailyPlanReply) -> dict[str, str]:
    """What is said when the plan has nobody: no list yet, nobody left to write to, or nobody who may be contacted."""
    if plan.prospects:
        return {}
    if not plan.ranked:
        return _nobody(
            desk.say("لا خطة بعد", "No plan yet"),
            desk.say(
                "استورد قائمة، فتظهر لك هنا كل يوم خطة: من تراسل، ولماذا، وعبر أي قناة.",
                "Import a list, and a plan appears here every day: whom to write to, why, and by which channel.",
            ),
            url("targeting"), desk.say("استورد قائمة", "Import a list"),
        )  # fmt: skip
    if plan.safe:
        return _nobody(
            desk.say("راسلتم كل من يجوز التواصل معهم", "Everyone who may be contacted was written to"),
            desk.say("أو تخطّيتموهم. أضف قائمة جديدة لتتجدد الخطة.", "Or was skipped. Add a new list for a new plan."),
            url("targeting"), desk.say("استورد قائمة", "Import a list"),
        )  # fmt: skip
    return _nobody(
        desk.say("لا أحد يجوز التواصل معه اليوم", "Nobody may be contacted today"),
        desk.say(f"تحتاج {_parties(plan.needs_review)} إلى مراجعة قبل التواصل.", f"{plan.needs_review:,} need a review first.")
        if plan.needs_review
        else desk.say("كل من في القائمة محظور.", "Everyone on the list is blocked."),
        url("opportunities", contactability="needs_review" if plan.needs_review else "blocked"), desk.say("اعرض القائمة", "Show the list"),
    )  # fmt: skip


def _nobody(title: str, text: str, href: str, link: str) -> dict[str, str]:
    return {"empty_title": title, "empty_text": text, "empty_href": href, "empty_link": link}


def _drafts(number: int) -> str:
    return counted(number, one="مسودة واحدة", two="مسودتان", few="مسودات", many="مسودة", other="مسودة")


def _parties(number: int) -> str:
    return counted(number, one="جهة واحدة", two="جهتان", few="جهات", many="جهة", other="جهة")
