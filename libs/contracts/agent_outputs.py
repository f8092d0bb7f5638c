"""What agents answer, as closed schemas: an output that does not fit its own is no answer, whoever wrote it.

Scores run from 0 to 100, shares from 0 to 1, amounts are SAR.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.decision import Part
from libs.contracts.memos import ProposalPack
from libs.contracts.message import Message, Text

Score = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Level = Literal["low", "medium", "high"]


class LeadQualification(Message):
    """`signals` are reasons to act now; `missing_critical` says that there is nobody to write to."""

    lead_id: UUID
    score: Score
    tier: Literal["P0", "P1", "P2", "P3"]
    signals: tuple[str, ...]
    recommendation: Literal["act", "review", "wait"]
    reasoning: Text
    parts: Part
    contactability: str
    missing_critical: bool
    reasons_en: tuple[str, ...]
    reasons_ar: tuple[str, ...]


class OutreachDraft(Message):
    """A message as it would be sent. `time` is the next hour at which people work; `variant` names the texts that it is made of."""

    draft: Annotated[str, Field(min_length=1)]
    subject: str
    time: datetime
    variant: str
    channel: Literal["email", "whatsapp"]
    language: Literal["ar", "en"]
    body: str
    draft_id: UUID | None = None
    action_id: UUID | None = None
    created: bool = False


class ObjectionAnswer(Message):
    """`objection` is null where nothing clear was said; `reply` is then empty, because there is nothing to answer."""

    objection: str | None
    confidence: Share
    reply: str
    language: Literal["ar", "en", "mixed"]
    evidence: tuple[str, ...]
    next_step: Text | None = None


class Issue(Message):
    """One thing that a reviewer found."""

    code: str
    severity: Literal["violation", "doubt", "flaw"]
    en: str
    ar: str


class QualityVerdict(Message):
    score: Score
    issues: tuple[Issue, ...]
    verdict: Literal["pass", "revise", "fail"]


class ComplianceVerdict(Message):
    """`references` name the rules behind the findings, as the reviewer's own data has them."""

    status: Literal["clear", "ambiguous", "violation"]
    violations: tuple[Issue, ...]
    references: tuple[str, ...]


class FoundPassage(Message):
    """A piece of a document with where it stands. `score` orders and is no probability."""

    document_id: UUID
    title: str
    heading: str
    page: int | None
    text: str
    score: float


class KnowledgePassages(Message):
    passages: Annotated[tuple[FoundPassage, ...], Field(min_length=1)]


class SummaryFigure(Message):
    """`before` is the period before; null where there is no data, which is not zero."""

    metric: str
    en: str
    ar: str
    unit: str
    value: str
    before: str | None = None


class Alert(Message):
    code: str
    level: Level
    en: str
    ar: str
    subject: str = ""


class ManagementSummary(Message):
    period: str
    summary: Text
    figures: tuple[SummaryFigure, ...]
    alerts: tuple[Alert, ...]
    revenue_change_percent: float | None


class RiskAlerts(Message):
    """What in the records speaks of a risk, the gravest first; `looked_at` says what was read."""

    alerts: tuple[Alert, ...]
    critical: bool
    looked_at: tuple[str, ...]


class ApprovalLines(Message):
    """Two lines above a payload: what would happen, and what it means to say yes."""

    brief: Text


class SuggestedContradiction(Message):
    """Two claims that can't both hold, by their place in what was asked."""

    subject: str
    key: str
    kind: ContradictionKind
    severity: Level
    first: str
    second: str
    sources: tuple[str, str]


class ContradictionSuggestions(Message):
    """Suggestions for a person; `read` says how many claims could be compared, `unread` which could not."""

    suggestions: tuple[SuggestedContradiction, ...]
    read: int
    unread: tuple[str, ...]


class SectorBrief(Message):
    """What the passages given say of a sector. `evidence` quotes them; `pricing_guide` is empty where they name no prices."""

    brief: Text
    pricing_guide: tuple[str, ...]
    evidence: tuple[str, ...]


OUTPUTS: Mapping[str, type[Message]] = {
    "lead_qualification": LeadQualification,
    "outreach_writer": OutreachDraft,
    "objection_handler": ObjectionAnswer,
    "proposal_drafter": ProposalPack,
    "qa_reviewer": QualityVerdict,
    "compliance_reviewer": ComplianceVerdict,
    "knowledge_retrieval": KnowledgePassages,
    "management_summary": ManagementSummary,
    "contradiction_scout": ContradictionSuggestions,
    "approval_briefer": ApprovalLines,
    "risk_sentinel": RiskAlerts,
}
"""The schema of each agent that answers without a model."""
MODEL_OUTPUTS: Mapping[str, type[Message]] = {"sector_strategist": SectorBrief}
"""The schema of each agent that only a model answers for; without one a person does."""


def schema_of(agent: str) -> type[Message]:
    """Raises KeyError for an agent that nothing answers for."""
    return OUTPUTS[agent] if agent in OUTPUTS else MODEL_OUTPUTS[agent]


def output(agent: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """An agent's output as JSON values, checked. Raises KeyError for an agent without an engine, pydantic.ValidationError for what does not fit."""
    checked: dict[str, Any] = schema_of(agent).model_validate(dict(said)).model_dump(mode="json")
    return checked
