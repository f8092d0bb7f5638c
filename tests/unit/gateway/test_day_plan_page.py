"""The day's plan as a page: whom, why, how far each draft is, and what may be decided there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.decision import DecideCardReply, PrepareDraftReply
from libs.contracts.errors import Conflict
from libs.contracts.growth import DailyPlanReply, PlannedLead, Scorecard
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

PAGE = "/console/targeting/plan"
CARD, SKIP, LEAD = UUID(int=2**124), UUID(int=2**124 + 1), UUID(int=2**124 + 2)
WHY = (
    "لماذا الآن: طلب عرض سعر (سُجّل ذلك قبل يومين).",
    "القيمة المقدّرة 450,000 ر.س، أعلى من نحو 91% من الفرص المعروفة القيمة.",
)


def planned(lead: UUID = LEAD, **more: Any) -> PlannedLead:
    given = {
        "lead_id": lead, "account_name": "عيادات ابتسامة الرياض", "score": 89.0, "tier": "P0", "channel": "whatsapp", "reasons_ar": WHY,
        "reasons_en": ("Why now: asked for a quote (noted 2 days ago).", "Estimated value SAR 450,000."), "drafted": True, "skip_card": SKIP,
    }  # fmt: skip
    return PlannedLead.model_validate(given | more)


def plan(*prospects: PlannedLead, **more: Any) -> DailyPlanReply:
    base = example(DailyPlanReply)
    counts = Scorecard(drafts_prepared=3, cards_decided=2, cards_open=12, follow_ups_open=1)
    given = {
        "prospects": prospects, "scorecard": counts, "plan_card": CARD, "plan_open": True, "decided_by": None, "decided_button": None,
        "decided_at": None, "ranked": 177, "safe": 144, "needs_review": 21, "blocked": 12, "set_aside": 0,
    }  # fmt: skip
    made: DailyPlanReply = base.evolve(**(given | more))
    return made


def fill(site: Site) -> None:
    waiting = planned(
        UUID(int=5), state="awaiting_approval", draft_id=UUID(int=6), action_id=UUID(int=6), approval_id=UUID(int=7), skip_card=None
    )  # fmt: skip
    sent = planned(UUID(int=8), state="succeeded", draft_id=UUID(int=9), action_id=UUID(int=9), skip_card=None)
    next_one = planned(UUID(int=10), account_name="Golden Corner Group", drafted=False, score=68.5, tier="P1")
    site.planes.answer(subjects.DAILY_PLAN, plan(waiting, sent, planned(), next_one, set_aside=2))
    site.planes.answer(subjects.DECIDE_CARD, example(DecideCardReply))
    site.planes.answer(subjects.PREPARE_DRAFT, example(PrepareDraftReply))


async def test_the_plan_says_whom_why_and_how_far_and_its_buttons_act(site: Site) -> None:
    fill(site)
    token = await enter(site, "operator")
    page = (await site.client.get(PAGE)).text
    assert WHY[0] in page.replace('<bdi dir="ltr">', "").replace("</bdi>", "") and "لتُجهَّز مسودة واحدة" in page
    assert f"/console/approvals/{UUID(int=7)}" in page and f"/console/actions/{UUID(int=9)}" in page
    assert "خارج الخطة جهتان" in page and "بانتظار الموافقة" in page
    approved = await site.client.post(f"{PAGE}/cards/{CARD}/decide", data={"csrf": token, "button": "prepare_drafts"})
    skipped = await site.client.post(f"{PAGE}/cards/{SKIP}/decide", data={"csrf": token, "button": "skip"})
    drafted = await site.client.post(f"{PAGE}/leads/{LEAD}/draft", data={"csrf": token})
    assert [one.status_code for one in (approved, skipped, drafted)] == [303, 303, 303]
    assert [one.headers["location"] for one in (approved, skipped, drafted)] == [PAGE] * 3
    said = [(one.card_id, one.button) for one in site.planes.requests(subjects.DECIDE_CARD)]
    assert said == [(CARD, "prepare_drafts"), (SKIP, "skip")]
    assert [one.lead_id for one in site.planes.requests(subjects.PREPARE_DRAFT)] == [LEAD]


async def test_no_other_button_of_a_card_is_pressed_from_the_plan(site: Site) -> None:
    fill(site)
    token = await enter(site, "operator")
    other = await site.client.post(f"{PAGE}/cards/{CARD}/decide", data={"csrf": token, "button": "approve"})
    assert other.status_code == 422 and not site.planes.requests(subjects.DECIDE_CARD)


async def test_who_may_only_look_sees_the_plan_and_decides_nothing(site: Site) -> None:
    fill(site)
    token = await enter(site, "auditor")
    page = await site.client.get(PAGE)
    assert page.status_code == 200 and "عيادات ابتسامة الرياض" in page.text
    assert "/decide" not in page.text and "/draft" not in page.text
    refused = await site.client.post(f"{PAGE}/cards/{CARD}/decide", data={"csrf": token, "button": "skip"})
    assert refused.status_code == 403 and not site.planes.requests(subjects.DECIDE_CARD)


async def test_a_refusal_is_told_on_the_page_of_the_plan(site: Site) -> None:
    fill(site)
    token = await enter(site, "operator")
    site.planes.answer(
        subjects.PREPARE_DRAFT, Conflict("draft_withheld", "No opt-in is on record.", "لا موافقة مسجّلة.")
    )
    answer = await site.client.post(f"{PAGE}/leads/{LEAD}/draft", data={"csrf": token})
    assert answer.status_code == 409 and "لا موافقة مسجّلة." in answer.text and "خطة اليوم" in answer.text


async def test_a_plan_that_was_approved_says_so_and_asks_nothing_again(site: Site) -> None:
    fill(site)
    await enter(site, "operator")
    site.planes.answer(
        subjects.DAILY_PLAN,
        plan(planned(), plan_open=False, decided_by="user:1", decided_button="prepare_drafts", decided_at=site.clock()),
    )
    page = (await site.client.get(PAGE)).text
    assert "الخطة معتمدة · " in page and 'value="prepare_drafts"' not in page
    site.planes.answer(subjects.DAILY_PLAN, plan(planned(draft_id=UUID(int=6), action_id=UUID(int=6))))
    assert 'value="prepare_drafts"' not in (await site.client.get(PAGE)).text


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"ranked": 0, "safe": 0, "needs_review": 0, "blocked": 0}, "لا خطة بعد"),
        ({"safe": 0}, "تحتاج 21 جهة إلى مراجعة قبل التواصل."),
        ({"safe": 0, "needs_review": 0}, "كل من في القائمة محظور."),
        ({}, "راسلتم كل من يجوز التواصل معهم"),
    ],
)  # fmt: skip
async def test_an_empty_plan_says_why(site: Site, counts: dict[str, int], said: str) -> None:
    fill(site)
    await enter(site, "operator")
    site.planes.answer(subjects.DAILY_PLAN, plan(**counts))
    page = (await site.client.get(PAGE)).text
    assert said in page.replace('<bdi dir="ltr">', "").replace("</bdi>", "")
