"""Experiments and the weekly report over HTTP and as pages: what is not known is said, and only whoever may decides."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from libs.contracts import experiments, subjects
from libs.contracts.errors import Conflict
from libs.contracts.experiments import (
    Experiment,
    ExperimentArm,
    ExperimentPlan,
    ExperimentResult,
    ExperimentState,
    PossibleArm,
    Varies,
    Verdict,
)
from libs.contracts.learning import Arm, Compared, ToStop, WeeklyReport, WeekTried
from libs.contracts.message import Text
from tests.contracts.examples import AT, example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

ONE = UUID(int=2**123)
PLAN = ExperimentPlan(
    hypothesis="سؤال واحد في الرسالة يأتي بردود أكثر", metric="experiment_reply_rate", varies=Varies.MESSAGE, arms=("outreach-2", "outreach-3"),
    baseline=0.1, detects=0.2, sample_size=199, max_days=60,
)  # fmt: skip


def named(key: str) -> Text:
    return Text(en=key, ar=key)


POSSIBLE = tuple(
    PossibleArm(varies=varies, key=key, name=named(key))
    for varies, key in ((Varies.MESSAGE, "outreach-2"), (Varies.MESSAGE, "outreach-3"), (Varies.TONE, "warm"))
)


def experiment(state: ExperimentState = ExperimentState.RUNNING) -> Experiment:
    told = state in (ExperimentState.READY, ExperimentState.DECIDED)
    arms = tuple(
        ExperimentArm(
            key=key, name=named(key), assigned=210, reached=205, counted=200, replied=replied if told else None,
            rate=replied / 200 if told else None, low=0.05 if told else None, high=0.4 if told else None,
        )
        for key, replied in (("outreach-2", 20), ("outreach-3", 60))
    )  # fmt: skip
    said = (
        ("الخيار المجرَّب أفضل بما يتجاوز الصدفة (60/200 – 20/200).", "Better.")
        if told
        else ("لا يُعرف بعد: احتُسبت 200 من 199 جهة.", "Not known yet.")
    )
    return Experiment(
        experiment_id=ONE, plan=PLAN, state=state, started_by="user:1", started_at=AT, ends_at=AT + timedelta(days=60), needed=199,
        underpowered=False, arms=(arms[0], arms[1]), said=Text(ar=said[0], en=said[1]),
        result=ExperimentResult(verdict=Verdict.BETTER, difference=0.2, low=0.12, high=0.28) if told else None,
    )  # fmt: skip


def report() -> WeeklyReport:
    email = Arm(
        key="email", name=Text(en="E-mail", ar="البريد"), reached=60, replied=3, rate=0.05, low=0.017, high=0.137
    )
    compared = Compared(
        dimension="channel", arms=(email,), enough=False, said=Text(en="Not enough data.", ar="البيانات لا تكفي.")
    )
    made = example(WeeklyReport)
    assert isinstance(made, WeeklyReport)
    changed: WeeklyReport = made.evolve(
        week=date(2026, 11, 15), said=Text(en="Prepared: 4.", ar="أُعدّ: 4."), channels=compared, messages=compared, segments=compared,
        tried=WeekTried(drafted=4, withheld=(), refused=1, reached=60, replied=3), experiments=(experiment(),), improve=None,
        stop=(ToStop(dimension="channel", key="email", why=Text(en="Few answers.", ar="ردود قليلة.")),),
        next_said=Text(en="One at a time.", ar="توجد تجربة جارية."),
        figures=(made.figures[0].evolve(name="meetings_held", unit="count", ar="الاجتماعات المنعقدة", en="Meetings held"),),
    )  # fmt: skip
    return changed


def fill(site: Site, state: ExperimentState = ExperimentState.RUNNING) -> None:
    site.planes.answer(
        subjects.EXPERIMENTS, experiments.ExperimentsReply(items=(experiment(state),), possible=POSSIBLE)
    )
    for call in (subjects.EXPERIMENT, subjects.START_EXPERIMENT, subjects.DECIDE_EXPERIMENT):
        site.planes.answer(call, experiment(state))
    site.planes.answer(subjects.WEEKLY_REPORT, report())


async def test_experiments_are_listed_started_and_decided_over_http(site: Site) -> None:
    fill(site)
    headers = await site.bearer("operator")
    listed = await site.client.get("/api/v1/growth/experiments", headers=headers)
    assert listed.status_code == 200 and listed.json()["items"][0]["result"] is None and "next_cursor" in listed.json()
    body = PLAN.model_dump(mode="json")
    begun = await site.client.post("/api/v1/growth/experiments", json=body, headers=headers)
    assert begun.status_code == 201, begun.text
    assert site.planes.requests(subjects.START_EXPERIMENT)[-1].plan == PLAN
    said = await site.client.post(
        f"/api/v1/growth/experiments/{ONE}/decision", json={"decision": "keep"}, headers=headers
    )
    assert said.status_code == 200 and site.planes.requests(subjects.DECIDE_EXPERIMENT)[-1].decision == "keep"


async def test_a_plan_that_leaves_anything_out_reaches_nobody(site: Site) -> None:
    fill(site)
    headers = await site.bearer("operator")
    for name in ("hypothesis", "metric", "varies", "arms", "baseline", "detects", "sample_size", "max_days"):
        body = {key: value for key, value in PLAN.model_dump(mode="json").items() if key != name}
        refused = await site.client.post("/api/v1/growth/experiments", json=body, headers=headers)
        assert refused.status_code in (400, 422), name
    assert not site.planes.requests(subjects.START_EXPERIMENT)


async def test_who_may_only_look_starts_and_decides_nothing(site: Site) -> None:
    fill(site, ExperimentState.READY)
    headers = await site.bearer("auditor")
    body = PLAN.model_dump(mode="json")
    assert (await site.client.post("/api/v1/growth/experiments", json=body, headers=headers)).status_code == 403
    path = f"/api/v1/growth/experiments/{ONE}/decision"
    assert (await site.client.post(path, json={"decision": "keep"}, headers=headers)).status_code == 403
    await enter(site, "auditor")
    page = await site.client.get(f"/console/growth/experiments/{ONE}")
    assert page.status_code == 200 and "/decision" not in page.text
    assert 'name="hypothesis"' not in (await site.client.get("/console/growth/experiments")).text


async def test_the_weeks_page_shows_what_was_tried_what_is_weak_and_leads_to_the_rows(site: Site) -> None:
    await enter(site, "operator")
    fill(site)
    page = await site.client.get("/console/growth/weekly", params={"week": "2026-11-15"})
    assert page.status_code == 200, page.text
    for said in ("أُعدّ: 4.", "البيانات لا تكفي.", "ردود قليلة.", "توجد تجربة جارية.", "/meetings_held", "سؤال واحد"):
        assert said in page.text, said
    assert site.planes.requests(subjects.WEEKLY_REPORT)[-1].week == date(2026, 11, 15)


async def test_a_running_experiment_shows_no_answers_and_one_that_ended_asks_for_a_decision(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    running = await site.client.get(f"/console/growth/experiments/{ONE}")
    assert "لا يُعرف بعد" in running.text and "10.0%" not in running.text.split("ما تقوله")[1].split("</table>")[0]
    assert "أوقف التجربة" in running.text and "سجّل القرار" not in running.text
    fill(site, ExperimentState.READY)
    ready = await site.client.get(f"/console/growth/experiments/{ONE}")
    assert "30.0%" in ready.text and "سجّل القرار" in ready.text
    form = {"csrf": token, "decision": "keep", "note": "نعتمد"}
    done = await site.client.post(f"/console/growth/experiments/{ONE}/decision", data=form)
    assert done.status_code == 303 and site.planes.requests(subjects.DECIDE_EXPERIMENT)[-1].note == "نعتمد"
    site.planes.answer(
        subjects.DECIDE_EXPERIMENT, Conflict("already_decided", "It was decided.", "حُسمت التجربة من قبل.")
    )
    late = await site.client.post(f"/console/growth/experiments/{ONE}/decision", data=form)
    assert late.status_code == 409 and "حُسمت التجربة من قبل." in late.text


async def test_an_experiment_is_started_from_the_page_and_a_bad_plan_is_told_there(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    form = {
        "csrf": token, "hypothesis": PLAN.hypothesis, "first": "message:outreach-2", "second": "message:outreach-3", "baseline": "10",
        "detects": "20", "sample_size": "199", "max_days": "60",
    }  # fmt: skip
    page = (await site.client.get("/console/growth/experiments")).text
    for one in POSSIBLE:
        assert page.count(f'value="{one.varies}:{one.key}"') == 2, "what is done now and what is tried are chosen"
    begun = await site.client.post("/console/growth/experiments", data=form)
    assert begun.status_code == 303, begun.text
    assert site.planes.requests(subjects.START_EXPERIMENT)[-1].plan == PLAN
    wrong = await site.client.post("/console/growth/experiments", data={**form, "sample_size": "3"})
    assert wrong.status_code == 422 and "30 جهة على الأقل" in wrong.text
    unlike = await site.client.post("/console/growth/experiments", data={**form, "second": "tone:warm"})
    assert unlike.status_code == 422 and "من نوع واحد" in unlike.text
    unknown = await site.client.post("/console/growth/experiments", data={**form, "first": "x:y", "second": "x:z"})
    assert unknown.status_code == 422
    assert len(site.planes.requests(subjects.START_EXPERIMENT)) == 1
