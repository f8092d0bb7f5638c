"""Agents as people, flows and other parts of decision ask them. They recommend: nothing is committed, and a person or trust decides.

Every answer fits its agent's schema, carries where it came from, and is on record. What goes beyond an agent's confidence, or meets one of
its escalation rules, comes back as a suggestion for a person and never as an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from libs.contracts.agent_outputs import output, schema_of
from libs.contracts.agents import AgentRun, AgentVerdict, RunAgent
from libs.contracts.catalogue.agents import Agent, Band, agents, reason
from libs.contracts.catalogue.skills import skills
from libs.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from libs.contracts.flows import AgentAnswer, AskAgent
from libs.contracts.governance import StandingsRequest
from libs.contracts.message import Provenance, Reason, new_id
from libs.contracts.subjects import STANDINGS
from libs.contracts.trust import ActionClass
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from libs.screening.screen import suspect, texts
from services.decision.agents.asked import Engine, Question, Said, withheld
from services.decision.agents.choosing import MODEL, USUAL, Asked, Choosing, Ended
from services.decision.agents.models.answering import MODELLED, Answers
from services.decision.agents.models.asking import Models, Unfit
from services.decision.consumption.budget import BudgetSpent
from services.decision.domain import provenance

log = logging.getLogger(__name__)

RUNNERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
NO_ENGINE = Reason(
    code="no_engine", en="No model answers for this agent here: a person does.", ar="لا يوجد نموذج يجيب عن هذا الوكيل هنا، فيجيب شخص."
)  # fmt: skip
UNSURE = Reason(code="unsure", en="The agent is not sure enough.", ar="درجة ثقة الوكيل غير كافية.")
UNFIT = Reason(
    code="bad_output", en="What the agent made does not fit its form, so a person answers.", ar="ناتج الوكيل لا يطابق الصيغة المطلوبة، فيجيب شخص."
)  # fmt: skip
STOPPED = Reason(
    code="agent_stopped", en="This agent or its skill is suspended, or was changed.", ar="هذا الوكيل أو مهارته موقوف أو جرى تغييره."
)  # fmt: skip


NOT_CONNECTED = "no_provider"
"""What execution says where no model is connected that may see an agent's input."""


class NoEngine(Conflict):
    def __init__(self, agent: Agent) -> None:
        super().__init__(
            "no_engine",
            f"{agent.id} has no engine without a model, and no model that may see its input is connected. It hands over to a person.",
            f"لا محرك للوكيل {agent.id} دون نموذج، ولا نموذج موصول يجوز له الاطلاع على مدخلاته. يُحال الأمر إلى شخص.",
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent said, checked, and what becomes of it: answered, or handed over to a role for a reason."""

    said: Said
    output: dict[str, Any]
    verdict: AgentVerdict
    origin: Provenance
    run_id: UUID
    to: str = ""
    why: Reason | None = None


class Agents:
    """`engines` has one entry for every agent that answers without a model."""

    def __init__(
        self,
        runtime: Runtime,
        choosing: Choosing,
        engines: Mapping[str, Engine],
        changed: Callable[[str], bool] = lambda skill: skills().skills[skill].changed,
        modelled: Mapping[str, Answers] = MODELLED,
    ) -> None:
        """`changed` says of a skill whether it is no longer what was admitted; an evaluation comes before that. `modelled` are the agents
        that a connected model answers for; their own engine does where none may, and a person where there is no engine."""
        if unlike := {one.id for one in agents().agents.values() if one.engine != "none"} ^ set(engines):
            raise ValueError(f"agents that the catalogue and the engines disagree on: {', '.join(sorted(unlike))}")
        self._runtime = runtime
        self._choosing = choosing
        self._engines = engines
        self._changed = changed
        self._modelled = modelled
        self._models = Models(runtime)

    async def run(self, request: RunAgent) -> AgentRun:
        """As a person asks. Raises NotFound, Forbidden, NoEngine, AgentStopped, BadInput, TextsChanged, and what its engine refuses."""
        if not RUNNERS & set(request.principal.roles):
            raise Forbidden
        agent = agents().agents.get(request.agent_id)
        if agent is None:
            raise NotFound
        if agent.id not in self._engines and agent.id not in self._modelled:
            raise NoEngine(agent)
        if await self._stopped(request.principal, agent):
            raise AgentStopped
        if not set(request.input) <= set(agent.input):
            raise BadInput(agent)
        question = Question(request.principal, request.input, "run", self._runtime.now())
        one = await self._answer(agent, question)
        seen = tuple(sorted({code for _, text in texts(request.input) for code in suspect(text)}))
        return AgentRun(
            agent_id=agent.id, engine=_engine(agent, one.said), output=one.output, escalation=one.why, to=one.to, screening=seen, confidence=one.said.confidence,
            provenance=one.origin, conversation_id=one.run_id,
        )  # fmt: skip

    async def ask(self, request: AskAgent) -> AgentAnswer:
        """As a flow asks. An agent without an engine, one that is stopped, and one whose day's budget is spent, hands over.

        Raises NotFound for an agent that does not exist, NotAsked for a question without what the agent needs, TextsChanged.
        """
        agent = agents().agents.get(request.agent)
        if agent is None:
            raise NotFound
        if agent.id not in self._engines and agent.id not in self._modelled:
            return AgentAnswer(agent=agent.id, answered=False, to=agent.escalate[0].to, reason=NO_ENGINE)
        if await self._stopped(request.principal, agent):
            return AgentAnswer(agent=agent.id, answered=False, to=agent.escalate[0].to, reason=STOPPED)
        try:
            one = await self._answer(agent, Question(request.principal, request.input, "flow", self._runtime.now()))
        except NoEngine:
            return AgentAnswer(agent=agent.id, answered=False, to=agent.escalate[0].to, reason=NO_ENGINE)
        except BudgetSpent as spent:
            why = Reason(code=spent.code, en=spent.en, ar=spent.ar)
            return AgentAnswer(agent=agent.id, answered=False, to=agent.escalate[0].to, reason=why)
        return AgentAnswer(
            agent=agent.id, answered=one.verdict is AgentVerdict.ANSWERED, output=one.output, confidence=one.said.confidence, to=one.to,
            reason=one.why,
        )  # fmt: skip

    async def _stopped(self, principal: Any, agent: Agent) -> bool:
        """Trust says who is suspended; where it is silent, nobody runs."""
        found = await self._runtime.bus.call(STANDINGS, StandingsRequest(principal=principal))
        stopped = {(one.kind.value, one.id) for one in found.items if one.suspended}
        return bool({("agent", agent.id), ("skill", agent.skill)} & stopped) or self._changed(agent.skill)

    async def _answer(self, agent: Agent, question: Question) -> Answer:
        """Raises what the engine refuses; what it makes wrongly is handed over to a person."""
        run_id = new_id()
        asked = Asked(
            question.tenant_id, question.principal.id, question.via, agent.id, question.input, schema_of(agent.id).__name__, run_id
        )  # fmt: skip

        async def work(version: str) -> Answer:
            said = await self._said(agent, question, version)
            checked = {} if said.withheld is not None else output(agent.id, said.output)
            return self._judged(agent, said, checked, version, run_id)

        if agent.id in OWN_RUNS and question.via == "run":
            # The writer's version is chosen, and its run recorded, where its draft is written.
            return replace(await work(""), run_id=run_id)
        try:
            if agent.id not in self._engines:
                return await self._choosing.alone(asked, work, _ended)
            return await self._choosing.run(
                asked,
                work,
                _ended,
            )
        except ValidationError:
            log.exception("an agent's output does not fit its schema", extra={"ids": {"agent": agent.id}})
            nothing = Said({}, 0.0)
            return replace(
                self._judged(agent, nothing, {}, "", run_id),
                verdict=AgentVerdict.FAILED,
                to=agent.escalate[0].to,
                why=UNFIT,
            )

    async def _said(self, agent: Agent, question: Question, version: str) -> Said:
        """What answers: a connected model, where one may and this run is on the usual version; else the agent's engine, else a person.

        Raises NoEngine where nobody may answer and no model was asked.
        """
        cost = None
        if agent.id in self._modelled and version == USUAL:
            found = await self._modelled[agent.id](self._models, question)
            if isinstance(found, Said):
                return found
            if isinstance(found, Unfit):
                return replace(withheld(UNFIT, agent.escalate[0].to), model=found.run, by_model=True)
            cost = found.run
            if agent.id not in self._engines:
                if found.reason.code == NOT_CONNECTED and cost is None:
                    raise NoEngine(agent)
                return replace(withheld(found.reason, agent.escalate[0].to), model=cost)
        return replace(await self._engines[agent.id](question, version), model=cost)

    def _judged(self, agent: Agent, said: Said, checked: dict[str, Any], version: str, run_id: UUID) -> Answer:
        """An answer where the agent may give one, else a suggestion for a person."""
        origin = self._origin(agent, said, version)
        made = Answer(said, checked, AgentVerdict.ANSWERED, origin, run_id)
        if said.withheld is UNFIT:
            return replace(made, verdict=AgentVerdict.FAILED, to=said.to, why=UNFIT)
        if said.withheld is not None:
            return replace(made, verdict=AgentVerdict.WITHHELD, to=said.to or agent.escalate[0].to, why=said.withheld)
        rule = agent.escalation(said.facts)
        if rule is not None:
            return replace(made, verdict=AgentVerdict.HANDED_OVER, to=rule.to, why=reason(rule))
        if agents().bands.band(said.confidence, ActionClass.A) in (Band.REVIEW, Band.REFUSE):
            return replace(made, verdict=AgentVerdict.HANDED_OVER, to=agent.escalate[0].to, why=UNSURE)
        return made

    def _origin(self, agent: Agent, said: Said, version: str) -> Provenance:
        now, trace = self._runtime.now(), telemetry.trace_id()
        if said.by_model and said.model is not None:
            return provenance.modelled(
                said.model, now=now, by=agent.id, confidence=said.confidence, freshness=said.freshness, sources=said.sources, trace_id=trace
            )  # fmt: skip
        return provenance.local(
            now=now, by=agent.id, engine=_engine(agent, said), version=said.wording or self._choosing.named(agent.id, version),
            confidence=said.confidence, freshness=said.freshness, sources=said.sources, trace_id=trace,
        )  # fmt: skip


def _engine(agent: Agent, said: Said) -> str:
    """What answered, as it is told: `model`, or the agent's own engine."""
    return MODEL if said.by_model else said.engine or agent.engine


def _ended(one: Answer) -> Ended:
    return Ended(
        one.verdict, one.why.code if one.why else "", one.to, one.said.confidence, model=one.said.model, by_model=one.said.by_model,
        engine=one.said.engine,
    )  # fmt: skip


OWN_RUNS = frozenset({"outreach_writer"})
"""Agents that, asked for by a person, do their work where it is done every day."""
