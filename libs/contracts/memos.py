"""Structured outputs of the decision plane: every memo is a closed schema with the provenance of what it was made from.

Scores run from 0 to 100, shares and rates from 0 to 1, amounts are SAR unless `Money` says otherwise.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Principal, Provenance, TenantId

Score = Annotated[float, Field(ge=0, le=100)]
Amount = Annotated[Decimal, Field(max_digits=16, decimal_places=2)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
Lines = tuple[Words, ...]
Class = Literal["low", "medium", "high"]


class Memo(Message):
    """What every structured output carries. Confidence and freshness of its provenance are computed from the evidence used."""

    tenant_id: TenantId
    provenance: Provenance


class LeadScoreCard(Memo):
    lead_id: UUID
    score: Score
    tier: str
    signals: Lines
    company_size_score: Score
    industry_fit_score: Score
    engagement_score: Score
    budget_signal_score: Score
    timing_score: Score
    recommendation: Literal["act", "review", "wait"]
    reasoning_en: str
    reasoning_ar: str


class QualificationMemo(Memo):
    deal_id: UUID
    lead_score_card: LeadScoreCard | None
    qualification_status: Literal["qualified", "incomplete", "unqualified"]
    decision_factors: Lines
    risks: Lines
    next_steps: Lines
    evidence: Lines


class LineItem(Message):
    name: Words
    name_ar: str = ""
    quantity: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=2)]
    unit_price: Amount


class ProposalPack(Memo):
    deal_id: UUID
    version: Annotated[int, Field(ge=1)]
    title: Words
    title_ar: str
    value_proposition: Words
    value_proposition_ar: str
    line_items: Annotated[tuple[LineItem, ...], Field(min_length=1)]
    total: Amount
    discount_percent: Percent
    discount_requires_approval: bool
    payment_terms: Words
    validity_days: Annotated[int, Field(ge=1, le=365)]


class PricingDecisionRecord(Memo):
    deal_id: UUID
    base_price: Amount
    final_price: Amount
    discount_percent: Percent
    discount_reason: Words
    approval_required: bool
    approval_status: Literal["not_required", "required"]
    approved_by: str
    policy_class: Literal["manager", "director", "vice_president"]


class HandoffItem(Message):
    key: str
    en: str
    ar: str
    done: bool


class HandoffChecklist(Memo):
    deal_id: UUID
    items: tuple[HandoffItem, ...]
    all_complete: bool
    blockers: Lines


class PartnerDossier(Memo):
    partner_name: Words
    partner_name_ar: str
    partner_type: Words
    strategic_fit_score: Score
    revenue_potential: Amount
    risk_assessment: Words
    saudization_status: str
    cr_verified: bool
    recommendation: Literal["none", "referral", "co_branded_diagnostic", "co_authored_proof"]


class Scenario(Message):
    """One input changed by `change` (a share), and what the result is then."""

    input: str
    change: float
    result: Amount


class EconomicsModel(Memo):
    """`revenue_upside` and `cost` are of the whole term; `net_value` is discounted. No rate of return is None, not zero."""

    entity: Words
    revenue_upside: Amount
    cost: Amount
    net_value: Amount
    payback_months: int | None
    irr_percent: float | None
    assumptions: Lines
    sensitivity_scenarios: tuple[Scenario, ...]


class ApprovalPacket(Memo):
    approval_id: UUID
    action: str
    action_class: str
    resource: str
    requested_by: str
    priority: Class
    sla_hours: float
    context: dict[str, Any]
    risk_summary: str
    reversibility: str
    payload_hash: str
    view_hash: str


class TargetProfile(Memo):
    company_name: Words
    company_name_ar: str
    sector: Words
    revenue: Amount
    employee_count: Annotated[int, Field(ge=0)]
    geographic_fit: Score
    strategic_fit_score: Score
    saudization_ratio: Annotated[float, Field(ge=0, le=1)]
    cr_number: str
    recommendation: Literal["pursue", "watch", "pass"]


class Workstream(Message):
    key: Words
    owner: str = ""
    done: bool = False
    findings: Lines = ()
    critical: bool = False


class DDPlan(Memo):
    target_id: Words
    workstreams: Annotated[tuple[Workstream, ...], Field(min_length=1)]
    total: int
    completed: int
    critical_findings: Lines


class ValuationMemo(Memo):
    target_id: Words
    methodology: Words
    low: Amount
    mid: Amount
    high: Amount
    key_assumptions: Lines
    sensitivity: tuple[Scenario, ...]


class SynergyModel(Memo):
    target_id: Words
    revenue_synergies: Amount
    cost_synergies: Amount
    integration_costs: Amount
    net: Amount
    realization_months: Annotated[int, Field(ge=1, le=120)]
    risk_factors: Lines


class ICMemo(Memo):
    target_id: Words
    recommendation: Literal["approve", "approve_with_conditions", "reject"]
    valuation: Amount
    synergies: Amount
    key_risks: Lines
    key_mitigants: Lines
    conditions: Lines
    vote_required: bool


class Figure(Message):
    """A number by its metric's name, with its basis; None is no data."""

    metric: str
    unit: str
    value: Decimal | None
    rows: int
    as_of: datetime
    why_en: str = ""
    why_ar: str = ""


class BoardSection(Message):
    key: str
    en: str
    ar: str
    figures: tuple[Figure, ...] = ()
    lines: Lines = ()


class BoardPackDraft(Memo):
    period: Words
    sections: Annotated[tuple[BoardSection, ...], Field(min_length=8, max_length=8)]
    revenue_actual: Decimal | None
    revenue_forecast: Amount | None
    key_risks: Lines
    decisions_required: Lines


class ExpansionPlan(Memo):
    market: Words
    market_ar: str
    phase: Literal["scan", "prioritize", "ready", "canary", "scale", "monitor"]
    regulatory_complexity: Class
    dialect_support: Lines
    gtm_strategy: Words
    canary_criteria: Lines
    stop_loss_triggers: Lines


class StopLossRule(Message):
    """Trips when `actual` is beyond `threshold`, in the direction that `when` says."""

    metric: Words
    when: Literal["below", "above"]
    threshold: Decimal
    actual: Decimal | None = None
    tripped: bool | None = None


class StopLossPolicy(Memo):
    market: Words
    metrics: Annotated[tuple[StopLossRule, ...], Field(min_length=1)]
    active: bool
    tripped: bool


class PMIPhase(Message):
    key: Words
    days: Annotated[int, Field(ge=1, le=1000)]
    after: Lines = ()


class PMIProgramPlan(Memo):
    acquisition_id: Words
    phases: Annotated[tuple[PMIPhase, ...], Field(min_length=1)]
    critical_path: Lines
    critical_days: int
    risk_register: Lines
    synergy_targets: Lines


class ExecWeeklyPack(Memo):
    week_of: date
    overall_rag: Literal["green", "amber", "red"]
    completed: Lines
    planned: Lines
    blockers: Lines
    synergy_actual: Amount | None
    synergy_target: Amount | None
    people_update: str
    risk_summary: str


class ExecutiveSnapshot(Memo):
    kpis: tuple[Figure, ...]
    risks: Lines
    pending_decisions: int | None
    contradictions: int | None
    as_of: datetime


class EvidencePack(Memo):
    pack_id: UUID
    title: Words
    title_ar: str
    pack_type: Literal["deal_closure", "compliance_audit", "quarterly_review", "incident_response", "board_report"]
    scope: Words
    status: str
    contents: dict[str, int]
    assembler: str
    reviewer: str
    checkpoint: str
    cosignatures: int
    statement: str


class ForecastVariance(Memo):
    metric: Words
    actual: Decimal | None
    forecast: Amount
    variance: Decimal | None
    root_causes: Lines
    accuracy: float | None
    horizon: Words


class MemoName(StrEnum):
    """The names by which memos are asked for."""

    LEAD_SCORE_CARD = "lead_score_card"
    QUALIFICATION_MEMO = "qualification_memo"
    PROPOSAL_PACK = "proposal_pack"
    PRICING_DECISION_RECORD = "pricing_decision_record"
    HANDOFF_CHECKLIST = "handoff_checklist"
    PARTNER_DOSSIER = "partner_dossier"
    ECONOMICS_MODEL = "economics_model"
    APPROVAL_PACKET = "approval_packet"
    TARGET_PROFILE = "target_profile"
    DD_PLAN = "dd_plan"
    VALUATION_MEMO = "valuation_memo"
    SYNERGY_MODEL = "synergy_model"
    IC_MEMO = "ic_memo"
    BOARD_PACK_DRAFT = "board_pack_draft"
    EXPANSION_PLAN = "expansion_plan"
    STOP_LOSS_POLICY = "stop_loss_policy"
    PMI_PROGRAM_PLAN = "pmi_program_plan"
    EXEC_WEEKLY_PACK = "exec_weekly_pack"
    EXECUTIVE_SNAPSHOT = "executive_snapshot"
    EVIDENCE_PACK = "evidence_pack"
    FORECAST_VARIANCE = "forecast_variance"


MEMOS: dict[MemoName, type[Memo]] = {
    MemoName.LEAD_SCORE_CARD: LeadScoreCard, MemoName.QUALIFICATION_MEMO: QualificationMemo, MemoName.PROPOSAL_PACK: ProposalPack,
    MemoName.PRICING_DECISION_RECORD: PricingDecisionRecord, MemoName.HANDOFF_CHECKLIST: HandoffChecklist,
    MemoName.PARTNER_DOSSIER: PartnerDossier, MemoName.ECONOMICS_MODEL: EconomicsModel, MemoName.APPROVAL_PACKET: ApprovalPacket,
    MemoName.TARGET_PROFILE: TargetProfile, MemoName.DD_PLAN: DDPlan, MemoName.VALUATION_MEMO: ValuationMemo,
    MemoName.SYNERGY_MODEL: SynergyModel, MemoName.IC_MEMO: ICMemo, MemoName.BOARD_PACK_DRAFT: BoardPackDraft,
    MemoName.EXPANSION_PLAN: ExpansionPlan, MemoName.STOP_LOSS_POLICY: StopLossPolicy, MemoName.PMI_PROGRAM_PLAN: PMIProgramPlan,
    MemoName.EXEC_WEEKLY_PACK: ExecWeeklyPack, MemoName.EXECUTIVE_SNAPSHOT: ExecutiveSnapshot, MemoName.EVIDENCE_PACK: EvidencePack,
    MemoName.FORECAST_VARIANCE: ForecastVariance,
}  # fmt: skip


class MemoRequest(Message):
    """Make a memo. `inputs` are what people state; what can be read or computed is not taken from them."""

    principal: Principal
    name: MemoName
    inputs: dict[str, Any] = {}


class MemoReply(Message):
    """`memo` fits the schema of its name."""

    name: MemoName
    memo: dict[str, Any]
