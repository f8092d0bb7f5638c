"""Which engine answers for which agent."""

from __future__ import annotations

from collections.abc import Mapping

from libs.runtime.plane import Runtime
from services.decision.agents.asked import Engine
from services.decision.agents.engines.comparing import scout
from services.decision.agents.engines.reviewing import judge_compliance, judge_quality
from services.decision.agents.engines.selling import Selling
from services.decision.agents.engines.watching import Watching
from services.decision.drafting import Drafting


def engines(runtime: Runtime, drafting: Drafting) -> Mapping[str, Engine]:
    """One entry for every agent that answers without a model; the others hand over to a person."""
    selling, watching = Selling(runtime, drafting), Watching(runtime)
    return {
        "lead_qualification": selling.qualify,
        "outreach_writer": selling.write,
        "objection_handler": selling.answer_objection,
        "proposal_drafter": selling.propose,
        "qa_reviewer": judge_quality,
        "compliance_reviewer": judge_compliance,
        "knowledge_retrieval": watching.retrieve,
        "management_summary": watching.summarise,
        "approval_briefer": watching.brief,
        "risk_sentinel": watching.sentinel,
        "contradiction_scout": scout,
    }
