"""Agents, skills, model routing, trust scores and the gate's findings over HTTP: who may do what, and what reaches trust."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libs.contracts import subjects
from libs.contracts.agents import AgentRun
from libs.contracts.catalogue.agents import agents
from libs.contracts.governance import Kind, ScoreState, Standing, StandingsReply, TrustScore
from libs.contracts.message import new_id
from libs.contracts.screening import FindingsReply, FindingState, GateFinding, ScreenReply
from services.decision.agents.desk import NoEngine
from tests.unit.gateway.fake_site import Site, problem

pytestmark = pytest.mark.asyncio
AT = datetime(2026, 11, 21, tzinfo=UTC)
WHY = {"reason": "The customer's own words."}
STOPPED = Standing(
    kind=Kind.AGENT, id="outreach_writer", suspended=True, reason="x", changed_by="user:1", changed_at=AT
)
FINDING = GateFinding(
    finding_id=new_id(), subject="lead:1", about=("lead:1",), source="record", field="notes", code="override", level="review", owasp="LLM01",
    en="e", ar="ع", state=FindingState.OPEN, found_at=AT,
)  # fmt: skip


@pytest.mark.parametrize(
    ("role", "reads", "stops", "decides"),
    [
        ("member", False, False, False),
        ("operator", False, True, False),
        ("auditor", True, False, False),
        ("owner", True, True, True),
    ],
)
async def test_roles_reach_what_is_theirs(site: Site, role: str, reads: bool, stops: bool, decides: bool) -> None:
    site.planes.answer(subjects.FINDINGS, FindingsReply(items=(FINDING,)))
    site.planes.answer(subjects.DECIDE_FINDING, FINDING)
    site.planes.answer(subjects.SET_STANDING, STOPPED)
    who = await site.bearer(role)
    findings = await site.client.get("/api/v1/screening/findings", headers=who)
    stopped = await site.client.post("/api/v1/agents/outreach_writer/suspend", json=WHY, headers=who)
    released = await site.client.post(f"/api/v1/screening/findings/{FINDING.finding_id}/release", json=WHY, headers=who)
    assert [findings.status_code == 200, stopped.status_code == 200, released.status_code == 200] == [
        reads,
        stops,
        decides,
    ]
    if decides:
        (asked,) = site.planes.requests(subjects.DECIDE_FINDING)
        assert (asked.state, asked.reason) == (FindingState.RELEASED, WHY["reason"])


async def test_agents_and_skills_say_whether_they_may_act(site: Site) -> None:
    site.planes.answer(
        subjects.STANDINGS,
        StandingsReply(items=(STOPPED, Standing(kind=Kind.SKILL, id="targeting_analyst", suspended=True))),
    )
    who = await site.bearer("member")
    found = {one["agent"]["id"]: one for one in (await site.client.get("/api/v1/agents", headers=who)).json()["items"]}
    assert len(found) == len(agents().agents)
    assert found["outreach_writer"]["state"] == found["lead_qualification"]["state"] == "suspended"
    assert found["qa_reviewer"]["state"] == "active"
    skills = {
        one["skill"]["skill_id"]: one for one in (await site.client.get("/api/v1/skills", headers=who)).json()["items"]
    }
    assert (skills["targeting_analyst"]["state"], skills["saudi_copywriter"]["state"]) == ("suspended", "active")
    assert not any(one["changed"] for one in skills.values())


async def test_running_an_agent_without_an_engine_is_refused_in_both_languages(site: Site) -> None:
    site.planes.answer(subjects.RUN_AGENT, NoEngine(agents().agents["voice_call"]))
    who = await site.bearer("operator")
    path, body = "/api/v1/agents/voice_call/run", {"input": {"transcript": "x"}}
    english = await site.client.post(path, json=body, headers=who)
    arabic = await site.client.post(path, json=body, headers={**who, "Accept-Language": "ar"})
    assert "person" in problem(english, 409, "no_engine")["detail"]
    assert "شخص" in problem(arabic, 409, "no_engine")["detail"]


async def test_what_an_agent_says_and_a_score_and_a_check_come_through(site: Site) -> None:
    site.planes.answer(subjects.RUN_AGENT, AgentRun(agent_id="qa_reviewer", engine="rules", output={"score": 90}))
    site.planes.answer(subjects.SCREEN, ScreenReply(level="clean", findings=()))
    site.planes.answer(
        subjects.TRUST_SCORE,
        TrustScore(
            kind="agent", id="qa_reviewer", score=None, state=ScoreState.NO_DATA, rows=0, parts=(), window_days=90, computed_at=AT, effect_en="e", effect_ar="ع",
        ),
    )  # fmt: skip
    owner = await site.bearer("owner")
    run = await site.client.post(
        "/api/v1/agents/qa_reviewer/run", json={"input": {"content": {"body": "x"}}}, headers=owner
    )
    assert run.json()["output"] == {"score": 90}
    score = (await site.client.get("/api/v1/trust-scores/agent/qa_reviewer", headers=owner)).json()
    assert (score["score"], score["state"]) == (None, "no_data")
    checked = await site.client.post(
        "/api/v1/screening/check", json={"text": "x", "direction": "outbound"}, headers=owner
    )
    assert checked.json()["level"] == "clean"
    assert (await site.client.post("/api/v1/screening/check", json={"text": 5}, headers=owner)).status_code == 422
