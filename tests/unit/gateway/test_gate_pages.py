"""The gate's pages: findings with their records, agents with a counted score, and who may release or suspend."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.agents import agents
from libs.contracts.governance import ScorePart, ScoreState, StandingsReply, TrustScore
from libs.contracts.screening import FindingsReply, FindingState
from services.gateway.console import present
from tests.flows.world import TENANT
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter
from tests.unit.gateway.test_governance_routes import AT, FINDING, STOPPED
from tests.unit.trust.store_promises import approval, prepared

pytestmark = pytest.mark.asyncio
WHY = "Read it: the customer's own words."


def answers(site: Site, *, score: float | None = None) -> None:
    site.planes.answer(
        subjects.FINDINGS, FindingsReply(items=(FINDING.evolve(en="<b>It tries</b>", ar="<b>يحاول</b>"),))
    )
    site.planes.answer(subjects.STANDINGS, StandingsReply(items=(STOPPED,)))
    rows = 0 if score is None else 40
    part = ScorePart(
        key="allowed", en="Attempts", ar="محاولات", weight=0.35, rows=rows, good=20 if rows else 0, value=score
    )
    site.planes.answer(
        subjects.TRUST_SCORE,
        TrustScore(
            kind="agent", id="outreach_writer", score=score, state=ScoreState.SCORED if rows else ScoreState.NO_DATA, rows=rows, parts=(part,),
            window_days=90, computed_at=AT, effect_en="It lowers.", effect_ar="تخفض.",
        ),
    )  # fmt: skip


async def test_an_auditor_reads_findings_and_agents_escaped_and_has_no_form(site: Site) -> None:
    answers(site)
    await enter(site, "auditor")
    page = (await site.client.get("/console/gate")).text
    assert "lead:1" in page and "LLM01" in page and "&lt;b&gt;يحاول" in page and "<b>يحاول" not in page
    assert all(agent in page for agent in agents().agents) and "موقوف" in page
    finding = (await site.client.get(f"/console/gate/findings/{FINDING.finding_id}")).text
    agent = (await site.client.get("/console/gate/agents/outreach_writer")).text
    assert "/decide" not in finding and "/standing" not in agent
    assert "لا بيانات" in agent, "no rows, no number"


async def test_an_owner_releases_with_a_reason_and_suspends(site: Site) -> None:
    answers(site, score=50.0)
    site.planes.answer(subjects.DECIDE_FINDING, FINDING)
    site.planes.answer(subjects.SET_STANDING, STOPPED)
    token = await enter(site, "owner")
    decide = f"/console/gate/findings/{FINDING.finding_id}/decide"
    assert (await site.client.post(f"{decide}?state=released", data={"csrf": token, "reason": "ok"})).status_code == 422
    assert (await site.client.post(f"{decide}?state=released", data={"csrf": token, "reason": WHY})).status_code == 303
    (asked,) = site.planes.requests(subjects.DECIDE_FINDING)
    assert (asked.state, asked.reason) == (FindingState.RELEASED, WHY)
    stand = "/console/gate/agents/outreach_writer/standing"
    assert "50 / 100" in (await site.client.get("/console/gate/agents/outreach_writer")).text
    assert (
        await site.client.post(f"{stand}?suspended=false", data={"csrf": token, "reason": "Checked"})
    ).status_code == 303
    assert (
        await site.client.post(f"{stand}?suspended=false", data={"csrf": "x", "reason": "Checked"})
    ).status_code == 403
    (change,) = site.planes.requests(subjects.SET_STANDING)
    assert (change.id, change.suspended) == ("outreach_writer", False)


async def test_an_approval_says_what_the_gate_found_and_where() -> None:
    found = {
        "field": "body",
        "code": "link",
        "level": "review",
        "owasp": "LLM05",
        "en": "It links.",
        "ar": "يحتوي رابطًا.",
    }
    shown = present.reasons("ar", approval(prepared(TENANT), view={"reasons": [], "screening": [found]}))
    assert [reason.text for reason in shown] == ["body: يحتوي رابطًا. (OWASP LLM05)"]
