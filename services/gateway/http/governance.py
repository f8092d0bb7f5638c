"""`/agents`, `/skills`, `/trust-scores`: who may act and for what, and what the rows say."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from libs.contracts import governance
from libs.contracts.agents import AgentRun, RunAgent
from libs.contracts.catalogue.agent_versions import Evaluated, agent_versions
from libs.contracts.catalogue.agents import Agent, agents
from libs.contracts.catalogue.skills import Skill, skills
from libs.contracts.governance import Kind, Standing, TrustScore
from libs.contracts.message import Principal, Text
from libs.contracts.subjects import RUN_AGENT, SET_STANDING, STANDINGS, TRUST_SCORE
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Auditor = Annotated[Principal, require("evidence")]
Runner = Annotated[Principal, require("submit")]
Controller = Annotated[Principal, require("control")]
Id = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,59}$")]


class ShownAgent(BaseModel):
    """An agent by the catalogue, and whether it may act here. `version` answers, `beside` are those that a canary may name; both were
    evaluated, and `evaluation` says what was measured. Empty and null for an agent without an engine."""

    agent: Agent
    version: str
    beside: tuple[str, ...]
    evaluation: Evaluated | None
    purpose: Text
    skill_changed: bool
    state: str
    standing: Standing | None


class ShownSkill(BaseModel):
    """A skill by the catalogue: its hash, the one it was admitted by, its score, and whether it may be used here."""

    skill: Skill
    admission_score: float
    changed: bool
    state: str
    standing: Standing | None


class Change(RequestBody):
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class Run(RequestBody):
    """What the catalogue names as the agent's input (`GET /agents`)."""

    input: dict[str, Any]


async def _standings(gateway: Gateway, who: Principal) -> dict[tuple[str, str], Standing]:
    found = await gateway.bus.call(STANDINGS, governance.StandingsRequest(principal=who))
    return {(one.kind.value, one.id): one for one in found.items}


def _state(*standings: Standing | None, changed: bool) -> str:
    if any(one is not None and one.suspended for one in standings):
        return "suspended"
    return "skill_changed" if changed else "active"


async def shown_agents(gateway: Gateway, who: Principal) -> list[ShownAgent]:
    """Every agent with its standing; a suspended or changed skill stops the agents that act with it."""
    held, known = await _standings(gateway, who), skills().skills
    out = []
    for one in agents().agents.values():
        own, skill = held.get(("agent", one.id)), held.get(("skill", one.skill))
        changed = known[one.skill].changed
        of = agent_versions().agents.get(one.id)
        usual = of.usual if of is not None else ""
        out.append(
            ShownAgent(
                agent=one,
                version=usual,
                beside=agent_versions().beside(one.id),
                evaluation=agent_versions().evaluations.get(one.id, {}).get(usual),
                purpose=one.purpose,
                skill_changed=changed,
                state=_state(own, skill, changed=changed),
                standing=own,
            )
        )
    return out


@router.get("/agents")
async def list_agents(who: Reader, gateway: GatewayDep) -> Items[ShownAgent]:
    """The agents: purpose, input, skill, engine, and whether they may act."""
    return Items(items=await shown_agents(gateway, who))


@router.get("/skills")
async def list_skills(who: Reader, gateway: GatewayDep) -> Items[ShownSkill]:
    """The skills: what each allows, the hash it was admitted by, and whether it may be used."""
    held = await _standings(gateway, who)
    return Items(items=[
        ShownSkill(
            skill=one, admission_score=one.admission.score, changed=one.changed,
            state=_state(held.get(("skill", one.skill_id)), changed=one.changed), standing=held.get(("skill", one.skill_id)),
        )
        for one in skills().skills.values()
    ])  # fmt: skip


@router.post("/agents/{agent_id}/run")
async def run(agent_id: Id, body: Run, who: Runner, gateway: GatewayDep) -> AgentRun:
    """Have an agent answer. It recommends; what it proposes waits for a person. 409 where it has no engine or is suspended."""
    return await gateway.bus.call(RUN_AGENT, RunAgent(principal=who, agent_id=agent_id, input=body.input))


@router.post("/agents/{agent_id}/suspend")
async def suspend_agent(agent_id: Id, body: Change, who: Controller, gateway: GatewayDep) -> Standing:
    """Stop an agent: whatever it asks for is refused from now on."""
    return await change(gateway, who, Kind.AGENT, agent_id, body.reason, suspended=True)


@router.post("/agents/{agent_id}/resume")
async def resume_agent(agent_id: Id, body: Change, who: Controller, gateway: GatewayDep) -> Standing:
    """Let an agent act again."""
    return await change(gateway, who, Kind.AGENT, agent_id, body.reason, suspended=False)


@router.post("/skills/{skill_id}/suspend")
async def suspend_skill(skill_id: Id, body: Change, who: Controller, gateway: GatewayDep) -> Standing:
    """Stop a skill, and with it every agent that acts with it."""
    return await change(gateway, who, Kind.SKILL, skill_id, body.reason, suspended=True)


@router.post("/skills/{skill_id}/resume")
async def resume_skill(skill_id: Id, body: Change, who: Controller, gateway: GatewayDep) -> Standing:
    return await change(gateway, who, Kind.SKILL, skill_id, body.reason, suspended=False)


async def change(gateway: Gateway, who: Principal, kind: Kind, id: str, reason: str, *, suspended: bool) -> Standing:
    """Raises what trust refuses."""
    asked = governance.SetStanding(principal=who, kind=kind, id=id, suspended=suspended, reason=reason)
    return await gateway.bus.call(SET_STANDING, asked)


@router.get("/trust-scores/{kind}/{id}")
async def trust_score(
    kind: Id, id: Annotated[str, Path(max_length=100)], who: Auditor, gateway: GatewayDep
) -> TrustScore:
    """The trust score of an agent, a connector, a source or a contact, with the rows behind each part. Without rows it is null."""
    return await gateway.bus.call(TRUST_SCORE, governance.TrustScoreGet(principal=who, kind=kind, id=id))
