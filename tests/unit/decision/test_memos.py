"""Memos: computed from what is on record, never from what somebody would like them to say; provenance follows from the evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import Record
from libs.contracts.decision import Opportunity
from libs.contracts.errors import NotFound
from libs.contracts.forecasts import Ahead, Variance
from libs.contracts.memos import MEMOS, MemoName
from libs.contracts.message import new_id
from libs.contracts.metrics import MetricValue
from services.decision.memos.desk import RECIPES, checked, compose
from services.decision.memos.domain.finance import internal_rate, longest_path, net_present_value, payback_months
from services.decision.memos.domain.made import BadInputs, Facts, rules
from tests.contracts.examples import example

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
M = MemoName


def facts(**changes: Any) -> Facts:
    return Facts(**{"tenant_id": new_id(), "now": NOW, "stated_by": "user:1", **changes})


def deal(**values: Any) -> Record:
    known = {
        "title": "Ofoq",
        "stage": "won",
        "amount": "9000",
        "account_id": str(new_id()),
        "owner": "user:2",
        **values,
    }
    at = NOW - timedelta(hours=6)
    return Record(kind=RecordKind.DEAL, id=new_id(), version=1, values=known, created_at=at, updated_at=at)


def figure(name: str, value: str | None, **more: Any) -> MetricValue:
    rule = metrics()[name]
    said = rule.model_dump(include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"})
    return MetricValue(
        **said, value=None if value is None else Decimal(value), no_data=value is None, since=NOW - timedelta(days=30), until=NOW, as_of=NOW,
        rows=4, counted=3, excluded=1, **more,
    )  # fmt: skip


def test_every_schema_of_the_catalogue_has_a_recipe_and_the_metrics_that_memos_show_exist() -> None:
    assert set(MEMOS) == set(MemoName) == set(RECIPES) and len(MEMOS) == 21
    named = {*rules()["kpis"], *(name for section in rules()["board"] for name in section["figures"])}
    assert named <= set(metrics())


@pytest.mark.parametrize("name", MemoName)
def test_provenance_and_what_is_computed_are_nobodys_to_state(name: MemoName) -> None:
    given = dict.fromkeys(RECIPES[name].required, "x")
    for field in ("provenance", "tenant_id", "confidence"):
        with pytest.raises(BadInputs):
            checked(name, {**given, field: "x"})
    for field in RECIPES[name].required:
        with pytest.raises(BadInputs) as missing:
            checked(name, {key: value for key, value in given.items() if key != field})
        assert field in missing.value.en and field in missing.value.ar


def test_confidence_and_freshness_follow_from_the_evidence() -> None:
    stated = {
        "target_id": "t",
        "revenue_synergies": 5,
        "cost_synergies": 3,
        "integration_costs": 2,
        "realization_months": 12,
    }
    memo = compose(M.SYNERGY_MODEL, facts(inputs=stated))
    assert memo["net"] == "6" and memo["provenance"]["sources"] == ["statement:user:1"]
    fuller = compose(M.SYNERGY_MODEL, facts(inputs={**stated, "risk_factors": ["churn"]}))
    assert 0 < memo["provenance"]["confidence"] < fuller["provenance"]["confidence"] < 1

    record = deal()
    from_record = compose(M.HANDOFF_CHECKLIST, facts(deal=record, activities=1, people=1))
    assert from_record["provenance"]["freshness_hours"] == 6.0
    assert from_record["provenance"]["sources"] == [f"deal:{record.id}"]
    assert from_record["provenance"]["confidence"] > memo["provenance"]["confidence"]


def test_a_memo_about_nothing_is_not_made() -> None:
    with pytest.raises(NotFound):
        compose(M.EXECUTIVE_SNAPSHOT, facts(metrics={"win_rate": figure("win_rate", None)}))
    with pytest.raises(NotFound):
        compose(M.LEAD_SCORE_CARD, facts())


def test_a_score_card_shows_the_rankings_own_parts() -> None:
    one = example(Opportunity)
    assert isinstance(one, Opportunity)
    one = one.evolve(score=70.0, contactability="blocked")
    memo = compose(M.LEAD_SCORE_CARD, facts(opportunity=one))
    assert memo["industry_fit_score"] == one.parts.fit and memo["recommendation"] == "review"
    assert compose(M.LEAD_SCORE_CARD, facts(opportunity=one.evolve(contactability="safe")))["recommendation"] == "act"


@pytest.mark.parametrize(
    ("percent", "who", "needed"),
    [(0, "manager", False), (10, "manager", False), ("10.01", "director", True), (26, "vice_president", True)],
)
def test_a_discount_needs_the_one_who_may_give_it(percent: Any, who: str, needed: bool) -> None:
    stated = {"base_price": "1000", "discount_percent": percent, "discount_reason": "annual"}
    memo = compose(M.PRICING_DECISION_RECORD, facts(deal=deal(), inputs=stated))
    assert (memo["policy_class"], memo["approval_required"]) == (who, needed)
    assert Decimal(memo["final_price"]) == (1000 - Decimal(str(percent)) * 10)


def test_a_proposal_adds_up_and_a_handoff_names_what_is_missing() -> None:
    lines = [
        {"name": "Seats", "quantity": 10, "unit_price": "49.50"},
        {"name": "Setup", "quantity": 1, "unit_price": "505"},
    ]
    stated = {
        "title": "T",
        "value_proposition": "V",
        "payment_terms": "30 days",
        "line_items": lines,
        "discount_percent": 20,
    }
    memo = compose(M.PROPOSAL_PACK, facts(deal=deal(), inputs=stated))
    assert (memo["total"], memo["discount_requires_approval"]) == ("800.00", True)
    checklist = compose(M.HANDOFF_CHECKLIST, facts(deal=deal(owner=None)))
    assert not checklist["all_complete"] and "It has an owner" in checklist["blockers"]


def test_money_over_time_is_computed() -> None:
    flows = [-1000.0, 500.0, 500.0, 500.0]
    assert net_present_value(0.1, flows) == pytest.approx(243.43, abs=0.01)
    assert internal_rate(flows) == pytest.approx(0.2338, abs=0.0001)
    assert payback_months(flows) == 24 and payback_months([-1000.0, 100.0]) is None
    assert payback_months([-600.0, 500.0, 1200.0]) == 13
    assert internal_rate([100.0, 100.0]) is None and internal_rate([-1.0, 3.0, -1.0]) is None
    stated = {"entity": "E", "investment": 1000, "yearly_upside": 700, "yearly_cost": 200, "years": 3, "rate": 0.1}
    memo = compose(M.ECONOMICS_MODEL, facts(inputs=stated))
    assert (
        memo["net_value"] == "243.43"
        and memo["payback_months"] == 24
        and memo["irr_percent"] == pytest.approx(23.38, abs=0.01)
    )
    results = {(s["input"], s["change"]): Decimal(s["result"]) for s in memo["sensitivity_scenarios"]}
    assert results["yearly_upside", 0.1] > Decimal("243.43") > results["yearly_cost", 0.1]


def test_a_plan_is_as_long_as_its_longest_chain_and_a_circle_is_refused() -> None:
    assert longest_path({"a": 2, "b": 5, "c": 1}, {"c": ("a", "b")}) == (("b", "c"), 6)
    phases = [
        {"key": "day1", "days": 1},
        {"key": "hr", "days": 30, "after": ["day1"]},
        {"key": "it", "days": 60, "after": ["day1"]},
    ]
    memo = compose(M.PMI_PROGRAM_PLAN, facts(inputs={"acquisition_id": "x", "phases": phases}))
    assert (memo["critical_path"], memo["critical_days"]) == (["day1", "it"], 61)
    around = [{"key": "a", "days": 1, "after": ["b"]}, {"key": "b", "days": 1, "after": ["a"]}]
    with pytest.raises(BadInputs):
        compose(M.PMI_PROGRAM_PLAN, facts(inputs={"acquisition_id": "x", "phases": around}))


def test_a_stop_loss_without_an_actual_value_is_neither_tripped_nor_safe() -> None:
    asked = [
        {"metric": "conversion", "when": "below", "threshold": "0.05", "actual": "0.04"},
        {"metric": "churn", "when": "above", "threshold": "0.2"},
    ]
    memo = compose(M.STOP_LOSS_POLICY, facts(inputs={"market": "m", "metrics": asked}))
    assert [one["tripped"] for one in memo["metrics"]] == [True, None] and memo["tripped"] is True


def test_a_variance_without_an_actual_is_not_zero_and_a_pack_says_what_has_no_data() -> None:
    stated = {"metric": "revenue_actual", "forecast": "1000"}
    known = compose(
        M.FORECAST_VARIANCE, facts(inputs=stated, metrics={"revenue_actual": figure("revenue_actual", "800")})
    )
    assert (known["variance"], known["accuracy"]) == ("-200", 0.75)
    unknown = compose(
        M.FORECAST_VARIANCE, facts(inputs=stated, metrics={"revenue_actual": figure("revenue_actual", None)})
    )
    assert (unknown["actual"], unknown["variance"], unknown["accuracy"]) == (None, None, None)
    with pytest.raises(BadInputs):
        compose(M.FORECAST_VARIANCE, facts(inputs={**stated, "metric": "invented"}))
    with pytest.raises(BadInputs, match="forecast"):
        compose(
            M.FORECAST_VARIANCE,
            facts(inputs={"metric": "revenue_actual"}, metrics={"revenue_actual": figure("revenue_actual", "800")}),
        )
    shown = {
        "revenue_actual": figure("revenue_actual", None, why_en="No records."),
        "win_rate": figure("win_rate", "0.4"),
    }
    pack = compose(M.BOARD_PACK_DRAFT, facts(inputs={"period": "2026-Q4"}, metrics=shown))
    assert len(pack["sections"]) == 8 and pack["revenue_actual"] is None
    assert pack["sections"][0]["figures"][0]["why_en"] == "No records."


def test_what_was_forecast_counts_before_what_somebody_says_it_was() -> None:
    gap, ahead = example(Variance), example(Ahead)
    assert isinstance(gap, Variance) and isinstance(ahead, Ahead)
    known = {"revenue_actual": figure("revenue_actual", "800")}
    memo = compose(M.FORECAST_VARIANCE, facts(metrics=known, gap=gap.evolve(metric="revenue_actual")))
    assert (memo["forecast"], memo["actual"]) == (str(gap.expected), str(gap.actual))
    assert (
        len(memo["root_causes"]) == len(gap.by_timing)
        and f"forecast:{gap.forecast_id}" in memo["provenance"]["sources"]
    )
    pack = compose(
        M.BOARD_PACK_DRAFT, facts(inputs={"period": "Q4", "revenue_forecast": "1"}, metrics=known, ahead=ahead)
    )
    assert pack["revenue_forecast"] == str(ahead.expected)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        (M.VALUATION_MEMO, {"target_id": "t", "earnings": 10, "multiples": [3, 4]}),
        (
            M.ECONOMICS_MODEL,
            {"entity": "E", "investment": "much", "yearly_upside": 1, "yearly_cost": 1, "years": 1, "rate": 0.1},
        ),
        (
            M.PARTNER_DOSSIER,
            {"partner_name": "p", "partner_type": "wizard", "revenue_potential": 1, "risk_assessment": "r"},
        ),
        (M.DD_PLAN, {"target_id": "t", "workstreams": []}),
    ],
)
def test_inputs_that_make_no_sense_are_refused_by_name(name: MemoName, inputs: dict[str, Any]) -> None:
    with pytest.raises(BadInputs) as refused:
        compose(name, facts(inputs=inputs))
    assert refused.value.en != refused.value.ar


def test_the_rest_of_the_schemas_are_made_from_what_is_stated() -> None:
    partner = {
        "partner_name": "p",
        "partner_type": "marketing_agency",
        "revenue_potential": "1",
        "risk_assessment": "r",
        "b2b": True,
        "shares_customers": True,
    }
    dossier = compose(M.PARTNER_DOSSIER, facts(inputs=partner))
    assert (dossier["strategic_fit_score"], dossier["recommendation"]) == (75, "co_branded_diagnostic")
    target = {
        "company_name": "c",
        "sector": "s",
        "revenue": "1",
        "employee_count": 3,
        "geographic_fit": 90,
        "sector_fit": 90,
        "size_fit": 60,
        "saudization_ratio": 0.4,
    }
    assert compose(M.TARGET_PROFILE, facts(inputs=target))["strategic_fit_score"] == 80.0
    value = compose(
        M.VALUATION_MEMO, facts(inputs={"target_id": "t", "earnings": 10, "multiples": [3, 5, 4], "net_debt": 5})
    )
    assert (value["low"], value["mid"], value["high"]) == ("25.00", "35.00", "45.00")
    worth = {"target_id": "t", "valuation": "6000000", "synergies": "1000000", "standalone_value": "4000000"}
    assert compose(M.IC_MEMO, facts(inputs=worth))["recommendation"] == "reject"
    streams = [{"key": "legal", "done": True, "critical": True, "findings": ["lien"]}, {"key": "tax"}]
    plan = compose(M.DD_PLAN, facts(inputs={"target_id": "t", "workstreams": streams}))
    assert (plan["total"], plan["completed"], plan["critical_findings"]) == (2, 1, ["lien"])
    market = {"market": "Kuwait", "phase": "scan", "regulatory_complexity": "low", "gtm_strategy": "partners"}
    assert compose(M.EXPANSION_PLAN, facts(inputs=market))["phase"] == "scan"
    week = compose(
        M.EXEC_WEEKLY_PACK,
        facts(
            inputs={"week_of": "2026-11-21"},
            metrics={"approval_sla_compliance": figure("approval_sla_compliance", "0.95")},
        ),
    )
    assert week["overall_rag"] == "green"
