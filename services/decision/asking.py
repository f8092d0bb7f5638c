"""Agents answering a flow's question, from their own local provider. An agent without an engine says so, and to whom it hands over.

Nothing here has an effect, so that the same question may be asked twice. What goes beyond an agent's confidence, or meets one of its
escalation rules, comes back as a suggestion for a person and never as an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.agents import Agent, Band, agents, reason
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import LeadsRequest, TenantRequest
from libs.contracts.errors import Invalid, NotFound
from libs.contracts.flows import AgentAnswer, AskAgent
from libs.contracts.message import Reason, new_id
from libs.contracts.subjects import LEADS, TENANT
from libs.contracts.trust import ActionClass, Contactability
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.choosing import Choosing
from services.decision.agents.outreach.writer import Withheld, write
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import Content, Finding, Severity
from services.decision.store import Recommendations
from services.decision.targeting.domain.facts import facts_of
from services.decision.targeting.domain.rank import rank

NO_ENGINE = Reason(
    code="no_engine", en="No model answers for this agent here: a person does.", ar="لا يوجد نموذج يجيب عن هذا الوكيل هنا، فيجيب شخص."
)  # fmt: skip
UNSURE = Reason(code="unsure", en="The agent is not sure enough.", ar="درجة ثقة الوكيل غير كافية.")
NOTHING_KNOWN = Reason(
    code="nothing_known", en="Nothing is known of this lead yet.", ar="لا تتوفر معلومات عن هذا العميل المحتمل بعد."
)


class NotAsked(Invalid):
    def __init__(self, field: str) -> None:
        super().__init__("not_asked", f"The question lacks {field}.", f"السؤال ينقصه {field}.")


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine said: its output, how sure it is (0-1), the facts that escalation rules look at."""

    output: dict[str, Any]
    confidence: float
    facts: Mapping[str, Any]
    withheld: Reason | None = None
    to: str = ""


class Asking:
    def __init__(self, runtime: Runtime, choosing: Choosing) -> None:
        self._runtime = runtime
        self._choosing = choosing
        self._engines: dict[str, Callable[[AskAgent, str], Awaitable[Said]]] = {
            "lead_qualification": self._qualify,
            "outreach_writer": self._write,
            "qa_reviewer": self._quality,
            "compliance_reviewer": self._compliance,
        }

    async def ask(self, request: AskAgent) -> AgentAnswer:
        """Raises NotFound for an agent that does not exist, NotAsked for a question without what the agent needs, TextsChanged."""
        agent = agents().agents.get(request.agent)
        if agent is None:
            raise NotFound
        engine = self._engines.get(agent.id)
        if engine is None:
            return AgentAnswer(agent=agent.id, answered=False, to=agent.escalate[0].to, reason=NO_ENGINE)
        said = await self._choosing.run(
            request.principal.tenant_id,
            agent.id,
            lambda version: engine(request, version),
            refused=lambda one: one.withheld is not None,
        )
        return _judged(agent, said)

    async def _qualify(self, request: AskAgent, version: str) -> Said:
        lead_id = _id(request.input.get("lead"), "lead.lead_id")
        async with self._runtime.database.batch(request.principal.tenant_id) as work:
            found = await Recommendations(work).opportunity(request.principal.tenant_id, lead_id)
        if found is None:
            return Said({}, 0.0, {}, NOTHING_KNOWN, "sales_manager")
        output = {
            "lead_id": str(lead_id), "score": found.score, "tier": found.tier, "parts": found.parts.model_dump(mode="json"),
            "contactability": found.contactability, "reasons_en": list(found.reasons_en), "reasons_ar": list(found.reasons_ar),
        }  # fmt: skip
        return Said(
            output, found.provenance.confidence, {"score": found.score, "missing_critical": found.contact_id is None}
        )

    async def _write(self, request: AskAgent, version: str) -> Said:
        lead_id, tenant = _id(request.input.get("lead"), "lead.lead_id"), request.principal.tenant_id
        reply = await self._runtime.bus.call(LEADS, LeadsRequest(tenant_id=tenant, lead_ids=(lead_id,)))
        if not reply.items:
            return Said({}, 0.0, {}, NOTHING_KNOWN, "sales_manager")
        profile = await self._runtime.bus.call(TENANT, TenantRequest(tenant_id=tenant))
        now = self._runtime.now()
        one = rank([facts_of(reply.items[0])], targeting(), now)[0]
        channel = request.input.get("channel") or None
        draft = write(
            one, profile, targeting(), now, draft_id=new_id(), channel=channel, version=version, trace_id=telemetry.trace_id()
        )  # fmt: skip
        if isinstance(draft, Withheld):
            return Said({}, 0.0, {}, draft.reasons[0], draft.to)
        output = {
            "channel": draft.channel,
            "language": draft.language,
            "subject": draft.subject or "",
            "body": draft.body,
        }
        return Said(output, draft.provenance.confidence, {"findings": list(draft.findings)})

    async def _quality(self, request: AskAgent, version: str) -> Said:
        rated = quality.review(_content(request.input))
        output = {
            "score": rated.score,
            "verdict": rated.verdict.value,
            "issues": [_finding(one) for one in rated.findings],
        }
        return Said(output, _decided(rated.findings), {"score": rated.score})

    async def _compliance(self, request: AskAgent, version: str) -> Said:
        checked = compliance.review(_content(request.input))
        output = {"status": checked.status.value, "violations": [_finding(one) for one in checked.findings]}
        return Said(output, _decided(checked.findings), {"status": checked.status.value})


def _judged(agent: Agent, said: Said) -> AgentAnswer:
    """An answer where the agent may give one, else a suggestion for a person."""
    shared = {"agent": agent.id, "output": said.output, "confidence": said.confidence}
    if said.withheld is not None:
        return AgentAnswer(**shared, answered=False, to=said.to, reason=said.withheld)
    rule = agent.escalation(said.facts)
    if rule is not None:
        return AgentAnswer(**shared, answered=False, to=rule.to, reason=reason(rule))
    if agents().bands.band(said.confidence, ActionClass.A) in (Band.REVIEW, Band.REFUSE):
        return AgentAnswer(**shared, answered=False, to=agent.escalate[0].to, reason=UNSURE)
    return AgentAnswer(**shared, answered=True)


def _decided(findings: tuple[Finding, ...]) -> float:
    """The share of a review's findings that are no matter of judgement; 1.0 without any."""
    return 1.0 - sum(one.severity is Severity.DOUBT for one in findings) / max(1, len(findings))


def _content(given: Mapping[str, Any]) -> Content:
    """Raises NotAsked without a body."""
    content = given.get("content")
    asked = content if isinstance(content, dict) else {}
    body = asked.get("body")
    if not isinstance(body, str) or not body:
        raise NotAsked("content.body")
    status = asked.get("status")
    return Content(
        channel=str(asked.get("channel") or "email"), language=str(asked.get("language") or "ar"), subject=asked.get("subject") or None,
        body=body, status=Contactability(status) if status in set(Contactability) else Contactability.UNKNOWN,
        sender=tuple(str(part) for part in asked.get("sender") or ()), opt_out_url=str(asked.get("opt_out_url") or ""),
    )  # fmt: skip


def _finding(one: Finding) -> dict[str, str]:
    return {"code": one.code, "severity": one.severity.value, "en": one.en, "ar": one.ar}


def _id(lead: object, field: str) -> UUID:
    """Raises NotAsked when the lead's id is not there."""
    try:
        return UUID(str(lead["lead_id"])) if isinstance(lead, dict) else UUID(str(lead))
    except (KeyError, ValueError) as error:
        raise NotAsked(field) from error
