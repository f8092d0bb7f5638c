"""Runs one agent on one input, where it has an engine. It recommends: nothing is committed, and a person or trust decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.contracts.agents import AgentRun, RunAgent
from libs.contracts.catalogue.agents import Agent, agents, reason
from libs.contracts.catalogue.skills import skills
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import LeadsRequest
from libs.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from libs.contracts.governance import StandingsRequest
from libs.contracts.subjects import LEADS, STANDINGS
from libs.contracts.trust import Contactability
from libs.runtime.plane import Runtime
from libs.screening.screen import suspect, texts
from services.decision.agents.choosing import Choosing
from services.decision.agents.outreach.writer import AGENT as WRITER
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import Content
from services.decision.drafting import Drafting
from services.decision.targeting.domain.facts import facts_of
from services.decision.targeting.domain.rank import rank

Engine = Callable[[RunAgent, Agent], Awaitable[dict[str, Any]]]
RUNNERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})


class NoEngine(Conflict):
    def __init__(self, agent: Agent) -> None:
        super().__init__(
            "no_engine",
            f"{agent.id} has no engine without a model, and no model is connected. It hands over to a person.",
            f"لا محرك للوكيل {agent.id} دون نموذج، ولا نموذج موصول. يُحال الأمر إلى شخص.",
        )


class AgentStopped(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "agent_stopped",
            "This agent or its skill is suspended, or its skill has changed.",
            "هذا الوكيل أو مهارته موقوف، أو تغيّرت مهارته.",
        )


class BadInput(Invalid):
    def __init__(self, agent: Agent) -> None:
        named = ", ".join(agent.input)
        super().__init__(
            "bad_agent_input", f"The input of {agent.id} is: {named}.", f"مدخلات الوكيل {agent.id} هي: {named}."
        )


class Running:
    def __init__(self, runtime: Runtime, drafting: Drafting, choosing: Choosing) -> None:
        self._runtime = runtime
        self._drafting = drafting
        self._choosing = choosing
        self._engines: Mapping[str, Engine] = {
            "lead_qualification": self._qualify,
            "outreach_writer": self._write,
            "qa_reviewer": self._judge,
            "compliance_reviewer": self._judge,
        }

    async def run(self, request: RunAgent) -> AgentRun:
        """Raises NotFound, Forbidden, NoEngine, AgentStopped, BadInput, TextsChanged, and what its engine refuses."""
        if not RUNNERS & set(request.principal.roles):
            raise Forbidden
        agent = agents().agents.get(request.agent_id)
        if agent is None:
            raise NotFound
        engine = self._engines.get(agent.id)
        if engine is None or agent.engine == "none":
            raise NoEngine(agent)
        await self._check_standing(request, agent)
        if not set(request.input) <= set(agent.input):
            raise BadInput(agent)
        output = await self._answered(request, agent, engine)
        seen = tuple(sorted({code for _, text in texts(request.input) for code in suspect(text)}))
        over = agent.escalation({**output, **({"findings": output["codes"]} if "codes" in output else {})})
        return AgentRun(
            agent_id=agent.id, engine=agent.engine, output=output, screening=seen, escalation=reason(over) if over else None,
            to=over.to if over else "",
        )  # fmt: skip

    async def _answered(self, request: RunAgent, agent: Agent, engine: Engine) -> dict[str, Any]:
        """The engine's answer in the version that this run takes. The writer's version is chosen where its draft is written."""
        if agent.id == WRITER:
            return await engine(request, agent)
        return await self._choosing.run(
            request.principal.tenant_id, agent.id, lambda _: engine(request, agent), refused=lambda _: False
        )

    async def _check_standing(self, request: RunAgent, agent: Agent) -> None:
        """Trust says who is suspended; where it is silent, nobody runs."""
        found = await self._runtime.bus.call(STANDINGS, StandingsRequest(principal=request.principal))
        stopped = {(one.kind.value, one.id) for one in found.items if one.suspended}
        if {("agent", agent.id), ("skill", agent.skill)} & stopped or skills().skills[agent.skill].changed:
            raise AgentStopped

    async def _qualify(self, request: RunAgent, agent: Agent) -> dict[str, Any]:
        wanted = LeadsRequest(tenant_id=request.principal.tenant_id, lead_ids=(_lead(request, agent),))
        leads = (await self._runtime.bus.call(LEADS, wanted)).items
        if not leads:
            raise NotFound
        one = rank([facts_of(leads[0])], targeting(), self._runtime.now())[0]
        return {
            "score": one.score,
            "tier": one.tier,
            "missing_critical": leads[0].email is None and leads[0].phone is None,
        }

    async def _write(self, request: RunAgent, agent: Agent) -> dict[str, Any]:
        """The lead's draft: submitted as an action that waits for a person, as every draft is."""
        draft, created = await self._drafting.ensure(request.principal.tenant_id, _lead(request, agent))
        return {
            "draft_id": str(draft.draft_id), "action_id": str(draft.action_id), "subject": draft.subject or "", "draft": draft.body,
            "channel": draft.channel, "created": created,
        }  # fmt: skip

    async def _judge(self, request: RunAgent, agent: Agent) -> dict[str, Any]:
        given = request.input.get("content")
        if not isinstance(given, dict) or not isinstance(given.get("body"), str):
            raise BadInput(agent)
        plain = {name: value for name, value in given.items() if isinstance(value, str)}
        content = Content(
            channel=plain.get("channel", "email"), language=plain.get("language", "ar"), subject=plain.get("subject"), body=plain["body"],
            status=Contactability.UNKNOWN, sender=(plain["from_name"],) if plain.get("from_name") else (), opt_out_url=plain.get("opt_out_url", ""),
        )  # fmt: skip
        report = asdict(quality.review(content) if agent.id == "qa_reviewer" else compliance.review(content))
        return {**report, "codes": [one["code"] for one in report.get("findings", report.get("issues", ()))]}


def _lead(request: RunAgent, agent: Agent) -> UUID:
    try:
        return UUID(str(request.input.get("lead")))
    except ValueError as error:
        raise BadInput(agent) from error
