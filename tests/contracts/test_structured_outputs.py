"""The structured outputs: every schema that the catalogue names is there with every field, and its provenance is computed from evidence."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.contracts import memos
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import Record
from libs.contracts.decision import Opportunity
from libs.contracts.memos import MEMOS, Memo, MemoName
from libs.contracts.message import Provenance, new_id
from libs.contracts.metrics import MetricValue
from libs.contracts.trust import Approval, EvidenceReply
from services.decision.memos.desk import RECIPES, compose
from services.decision.memos.domain.made import Facts, rules
from tests.contracts.examples import example
from tests.contracts.golden_files import path_of

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SERVICES = Path(__file__).parents[2] / "services" / "decision"
# The catalogue's table, written out a second time on purpose: schema, and the fields beyond tenant and provenance. More may be there.
CATALOGUE = {
    "LeadScoreCard": "lead_id score tier signals company_size_score industry_fit_score engagement_score budget_signal_score timing_score "
    "recommendation reasoning_en reasoning_ar",
    "QualificationMemo": "deal_id lead_score_card qualification_status decision_factors risks next_steps evidence",
    "ProposalPack": "deal_id version title title_ar value_proposition value_proposition_ar line_items total discount_percent "
    "discount_requires_approval payment_terms validity_days",
    "PricingDecisionRecord": "deal_id base_price final_price discount_percent discount_reason approval_required approval_status approved_by policy_class",
    "HandoffChecklist": "deal_id items all_complete blockers",
    "PartnerDossier": "partner_name partner_name_ar partner_type strategic_fit_score revenue_potential risk_assessment saudization_status "
    "cr_verified recommendation",
    "EconomicsModel": "entity revenue_upside cost net_value payback_months irr_percent assumptions sensitivity_scenarios",
    "ApprovalPacket": "action action_class resource requested_by priority sla_hours context risk_summary reversibility payload_hash view_hash",
    "TargetProfile": "company_name company_name_ar sector revenue employee_count geographic_fit strategic_fit_score saudization_ratio "
    "cr_number recommendation",
    "DDPlan": "target_id workstreams total completed critical_findings",
    "ValuationMemo": "target_id methodology low mid high key_assumptions sensitivity",
    "SynergyModel": "target_id revenue_synergies cost_synergies integration_costs net realization_months risk_factors",
    "ICMemo": "target_id recommendation valuation synergies key_risks key_mitigants conditions vote_required",
    "BoardPackDraft": "period sections revenue_actual revenue_forecast key_risks decisions_required",
    "ExpansionPlan": "market market_ar phase regulatory_complexity dialect_support gtm_strategy canary_criteria stop_loss_triggers",
    "StopLossPolicy": "market metrics active",
    "PMIProgramPlan": "acquisition_id phases critical_path risk_register synergy_targets",
    "ExecWeeklyPack": "week_of overall_rag completed planned blockers synergy_actual synergy_target people_update risk_summary",
    "ExecutiveSnapshot": "kpis risks pending_decisions contradictions as_of",
    "EvidencePack": "pack_id title title_ar pack_type scope status contents assembler reviewer checkpoint cosignatures statement",
    "ForecastVariance": "metric actual forecast variance root_causes accuracy horizon",
}  # fmt: skip
PROVENANCE = {
    "generated_at", "generated_by", "model_provider", "model_id", "prompt_version", "confidence", "freshness_hours", "trace_id", "sources",
    "policy_version",
}  # fmt: skip


def test_every_schema_of_the_catalogue_is_there_and_can_be_made() -> None:
    declared = {
        one.__name__: one for one in vars(memos).values() if isinstance(one, type) and issubclass(one, Memo) and one is not Memo
    }  # fmt: skip
    assert set(declared) == set(CATALOGUE) == {one.__name__ for one in MEMOS.values()}
    assert set(MEMOS) == set(MemoName) == set(RECIPES)


@pytest.mark.parametrize("schema", MEMOS.values(), ids=lambda schema: schema.__name__)
def test_a_schema_has_every_field_that_the_catalogue_names_and_is_closed(schema: type[Memo]) -> None:
    assert set(CATALOGUE[schema.__name__].split()) <= set(schema.model_fields)
    assert schema.model_fields["provenance"].is_required() and schema.model_fields["tenant_id"].is_required()
    assert schema.model_config["extra"] == "forbid" and schema.model_config["frozen"]
    assert schema.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("name", MemoName)
def test_a_schema_has_golden_bytes_that_show_its_provenance(name: MemoName) -> None:
    golden = json.loads(path_of(f"memo.{name.value}").read_bytes())
    assert set(golden) == set(MEMOS[name].model_fields)
    assert set(golden["provenance"]) == PROVENANCE == set(Provenance.model_fields)


def test_nobody_but_the_evidence_says_how_sure_a_memo_is() -> None:
    """Only one place under memos makes a provenance, and it writes no number for confidence or freshness."""
    made = []
    for path in sorted((SERVICES / "memos").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Provenance", "local"):
                made.append(path.name)
                given = {word.arg: word.value for word in node.keywords}
                assert not any(isinstance(given.get(name), ast.Constant) for name in ("confidence", "freshness"))
            elif isinstance(node, ast.keyword) and node.arg in ("confidence", "freshness_hours"):
                assert not isinstance(node.value, ast.Constant), path
    assert made == ["made.py"]


def _deal(hours: float) -> Record:
    values = {"title": "Ofoq", "stage": "won", "amount": "9000", "account_id": str(new_id()), "owner": "user:2"}
    at = NOW - timedelta(hours=hours)
    return Record(kind=RecordKind.DEAL, id=new_id(), version=1, values=values, created_at=at, updated_at=at)


def _figure(name: str, hours: float) -> MetricValue:
    said = metrics()[name].model_dump(
        include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"}
    )
    at = NOW - timedelta(hours=hours)
    return MetricValue(
        **said, value=1, no_data=False, since=at - timedelta(days=30), until=at, as_of=at, rows=4, counted=4
    )  # fmt: skip


def _read(hours: float) -> dict[str, Any]:
    """Everything that a memo could be made from, all of it so many hours old."""
    at = NOW - timedelta(hours=hours)
    one, approval, pack = example(Opportunity), example(Approval), example(EvidenceReply)
    assert isinstance(one, Opportunity) and isinstance(approval, Approval) and isinstance(pack, EvidenceReply)
    return {
        "deal": {"deal": _deal(hours)},
        "lead": {"opportunity": one.evolve(score=70.0, provenance=one.provenance.evolve(generated_at=at, confidence=0.8))},
        "approval": {"approval": approval.evolve(payload="{}", requested_at=at, due_at=NOW)},
        "pack": {"pack": pack.evolve(created_at=at)},
        "metrics": {"metrics": {"revenue_actual": _figure("revenue_actual", hours), "win_rate": _figure("win_rate", hours)}},
        "waiting": {"waiting": 2},
    }  # fmt: skip


STATED: dict[MemoName, dict[str, Any]] = {
    MemoName.PROPOSAL_PACK: {
        "title": "T", "value_proposition": "V", "payment_terms": "30 days", "line_items": [{"name": "Seats", "quantity": 1, "unit_price": "5"}],
    },
    MemoName.PRICING_DECISION_RECORD: {"base_price": "1000", "discount_percent": "5", "discount_reason": "annual"},
    MemoName.PARTNER_DOSSIER: {
        "partner_name": "R", "partner_type": "software_vendor", "revenue_potential": "5", "risk_assessment": "small",
    },
    MemoName.ECONOMICS_MODEL: {
        "entity": "E", "investment": 1000, "yearly_upside": 700, "yearly_cost": 200, "years": 3, "rate": 0.1,
    },
    MemoName.TARGET_PROFILE: {
        "company_name": "C", "sector": "retail", "revenue": "5", "employee_count": 3, "geographic_fit": 5, "sector_fit": 5, "size_fit": 5,
        "saudization_ratio": 0.5,
    },
    MemoName.DD_PLAN: {"target_id": "t", "workstreams": [{"key": "legal"}]},
    MemoName.VALUATION_MEMO: {"target_id": "t", "earnings": 100, "multiples": [5, 6, 7]},
    MemoName.SYNERGY_MODEL: {
        "target_id": "t", "revenue_synergies": 5, "cost_synergies": 3, "integration_costs": 2, "realization_months": 12,
    },
    MemoName.IC_MEMO: {"target_id": "t", "valuation": 10, "synergies": 2, "standalone_value": 9},
    MemoName.BOARD_PACK_DRAFT: {"period": "2026-Q4"},
    MemoName.EXPANSION_PLAN: {"market": "m", "phase": "scan", "regulatory_complexity": "low", "gtm_strategy": "partners"},
    MemoName.STOP_LOSS_POLICY: {"market": "m", "metrics": [{"metric": "x", "when": "below", "threshold": "1", "actual": "2"}]},
    MemoName.PMI_PROGRAM_PLAN: {"acquisition_id": "x", "phases": [{"key": "a", "days": 1}]},
    MemoName.EXEC_WEEKLY_PACK: {"week_of": "2026-11-15"},
    MemoName.EVIDENCE_PACK: {"title": "T", "pack_type": "deal_closure"},
    MemoName.FORECAST_VARIANCE: {"metric": "revenue_actual", "forecast": "1000"},
}  # fmt: skip


def _facts(name: MemoName, hours: float) -> Facts:
    known: dict[str, Any] = {}
    for need in RECIPES[name].needs:
        known |= _read(hours)["metrics" if need == "metric" else need] if need in (*_read(hours), "metric") else {}
    return Facts(tenant_id=new_id(), now=NOW, stated_by="user:1", inputs=STATED.get(name, {}), **known)


@pytest.mark.parametrize("name", MemoName)
def test_how_sure_and_how_fresh_a_memo_is_follows_from_what_it_was_made_from(name: MemoName) -> None:
    """The mean trust in its evidence, times the share of its fields that have something in them; as old as the newest of it."""
    facts = _facts(name, hours=5)
    memo = compose(name, facts)
    origin, evidence = memo["provenance"], facts.evidence()
    assert origin["sources"] == list(dict.fromkeys(one.source for one in evidence)) and evidence
    fields = [value for key, value in memo.items() if key not in ("tenant_id", "provenance")]
    filled = sum(value is not None and value not in ("", [], {}) for value in fields) / len(fields)
    trust = sum(one.weight for one in evidence) / len(evidence)
    assert origin["confidence"] == pytest.approx(trust * filled, abs=2e-4)
    assert origin["freshness_hours"] == (0.0 if facts.inputs else 5.0)
    if not facts.inputs:
        assert compose(name, _facts(name, hours=9))["provenance"]["freshness_hours"] == 9.0
    assert set(rules()["weights"].values()) != {1.0}, "kinds of evidence are trusted differently"
