"""Onboarding over HTTP and as pages: how far each customer is, and what a person says about a step."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from libs.contracts import onboarding, subjects
from libs.contracts.catalogue.onboarding import onboarding as rules
from libs.contracts.errors import Conflict
from libs.contracts.message import Text
from libs.contracts.onboarding import CustomerOnboarding, OnboardingState, StepShown, StepState
from tests.contracts.examples import AT
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

ONE, TWO = UUID(int=2**123), UUID(int=2**123 + 1)


def customer(id: UUID = ONE, state: OnboardingState = OnboardingState.STUCK) -> CustomerOnboarding:
    steps = [
        StepShown(step=key, name=Text(en=rule.en, ar=rule.ar), state=StepState.OPEN)
        for key, rule in rules().steps.items()
    ]
    steps[0] = steps[0].evolve(state=StepState.DONE, at=AT - timedelta(days=4), by="user:1", note="سُلّم الملف")
    steps[1] = steps[1].evolve(state=StepState.DONE, at=AT - timedelta(days=3), source="activity:1")
    rule = rules().steps["kickoff_held"]
    return CustomerOnboarding(
        onboarding_id=id, account_id=UUID(int=3), account_name="شركة الرياض للتقنية", deal_title="نظام إدارة المبيعات", owner="نورة",
        state=state, started_at=AT - timedelta(days=5), moved_at=AT - timedelta(days=3), stuck_hours=72.0, done=2, steps=tuple(steps),
        current="kickoff_held", next_step=rule.next, message=Text(en=rule.message.en.format(account="Riyadh Tech"), ar=rule.message.ar.format(account="شركة الرياض للتقنية")),
    )  # fmt: skip


def fill(site: Site) -> None:
    items = (customer(), customer(TWO, OnboardingState.ACTIVE))
    site.planes.answer(subjects.ONBOARDINGS, onboarding.OnboardingsReply(items=items, counts={"stuck": 1, "active": 1}))
    site.planes.answer(subjects.ONBOARDING, customer())
    site.planes.answer(subjects.MARK_ONBOARDING, customer())


async def test_the_list_and_one_customer_are_served_and_a_step_is_marked(site: Site) -> None:
    fill(site)
    headers = await site.bearer("operator")
    listed = await site.client.get("/api/v1/onboarding", params={"state": "stuck"}, headers=headers)
    assert listed.status_code == 200 and listed.json()["counts"] == {"stuck": 1, "active": 1}, listed.text
    assert site.planes.requests(subjects.ONBOARDINGS)[-1].state is OnboardingState.STUCK
    marked = await site.client.post(
        f"/api/v1/onboarding/{ONE}/steps/handover", json={"state": "skipped", "note": "لا ينطبق"}, headers=headers
    )
    assert marked.status_code == 200, marked.text
    (sent,) = site.planes.requests(subjects.MARK_ONBOARDING)
    assert (sent.onboarding_id, sent.step, sent.state, sent.note) == (ONE, "handover", "skipped", "لا ينطبق")


async def test_who_may_only_look_marks_nothing(site: Site) -> None:
    fill(site)
    headers = await site.bearer("auditor")
    refused = await site.client.post(
        f"/api/v1/onboarding/{ONE}/steps/handover", json={"state": "done"}, headers=headers
    )
    assert refused.status_code == 403 and not site.planes.requests(subjects.MARK_ONBOARDING)
    await enter(site, "auditor")
    page = await site.client.get(f"/console/onboarding/{ONE}")
    assert page.status_code == 200 and "/steps" not in page.text


async def test_the_pages_show_the_steps_what_shows_them_and_what_to_do_next(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    listed = await site.client.get("/console/onboarding")
    for said in ("شركة الرياض للتقنية", "متوقف", "2/7", "عقد اجتماع الانطلاق"):
        assert said in listed.text, said
    page = await site.client.get(f"/console/onboarding/{ONE}")
    for said in ("الخطوة التالية: عقد اجتماع الانطلاق", "نشاط مسجّل", "سُلّم الملف", "لم يُرسل", "48 ساعة"):
        assert said in page.text, said
    assert page.text.count('<option value="kickoff_set"') == 0, "a step that a row shows is not to be marked"
    kept = await site.client.post(
        f"/console/onboarding/{ONE}/steps", data={"csrf": token, "step": "handover", "state": "open"}
    )
    assert kept.status_code == 303 and kept.headers["location"] == f"/console/onboarding/{ONE}"
    site.planes.answer(subjects.MARK_ONBOARDING, Conflict("shown_by_rows", "The rows show it.", "تُظهرها السجلات."))
    told = await site.client.post(
        f"/console/onboarding/{ONE}/steps", data={"csrf": token, "step": "kickoff_set", "state": "open"}
    )
    assert told.status_code == 409 and "تُظهرها السجلات." in told.text
