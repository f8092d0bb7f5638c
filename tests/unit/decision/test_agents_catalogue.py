"""All agents of the catalogue: complete, skilled, and handing over when their rules say so."""

from typing import Any

import pytest
from pydantic import ValidationError

from libs.contracts.catalogue.agents import Agent, Band, Bands, EscalationRule, agents, reason
from libs.contracts.trust import ActionClass

NINETEEN = {
    "lead_qualification", "affiliate_evaluator", "onboarding_coach", "outreach_writer", "arabic_whatsapp", "english_conversation",
    "voice_call", "meeting_booking", "sector_strategist", "objection_handler", "proposal_drafter", "qa_reviewer",
    "compliance_reviewer", "knowledge_retrieval", "revenue_attribution", "fraud_reviewer", "guarantee_reviewer",
    "management_summary", "integration_concierge",
}  # fmt: skip
GOVERNANCE = {"policy_reviewer", "contradiction_scout", "evidence_assembler", "approval_briefer", "risk_sentinel"}


def fitting(rule: EscalationRule) -> Any:
    """A fact that the rule hands over for."""
    match rule.operator:
        case "missing":
            return None
        case "holds":
            return True
        case "between":
            return rule.value[0]
        case "any_of":
            return [rule.value[0]]
        case "in":
            return rule.value[0]
        case "lt":
            return rule.value - 1
        case "gt":
            return rule.value + 1
        case _:
            return rule.value


def test_the_nineteen_agents_and_the_five_of_governance_are_there() -> None:
    known = agents().agents
    assert {name for name, agent in known.items() if not agent.governance} == NINETEEN
    assert {name for name, agent in known.items() if agent.governance} == GOVERNANCE


@pytest.mark.parametrize("name", sorted(NINETEEN | GOVERNANCE))
def test_every_agent_hands_over_by_each_of_its_rules_and_explains_why(name: str) -> None:
    agent = agents().agents[name]
    assert agent.purpose.en
    assert agent.purpose.ar
    for rule in agent.escalate:
        assert rule.applies({rule.fact: fitting(rule)}), rule
        assert reason(rule).ar.endswith(".")
        assert reason(rule).en.endswith(".")


@pytest.mark.parametrize("name", sorted(NINETEEN | GOVERNANCE))
def test_an_agent_does_not_hand_over_for_nothing(name: str) -> None:
    agent = agents().agents[name]
    facts: dict[str, Any] = {rule.fact: "known" for rule in agent.escalate if rule.operator == "missing"}
    assert agent.escalation(facts) is None


@pytest.mark.parametrize(
    ("agent", "facts", "code"),
    [
        ("lead_qualification", {"score": 50}, "borderline_score"),
        ("lead_qualification", {"score": 40}, "borderline_score"),
        ("lead_qualification", {"score": 61}, None),
        ("objection_handler", {"price_deal_sar": 100_001}, "large_price_objection"),
        ("objection_handler", {"price_deal_sar": 100_000}, None),
        ("proposal_drafter", {"total_sar": 500_000, "custom_terms": False}, None),
        ("qa_reviewer", {"score": 49.9}, "poor_quality"),
        ("qa_reviewer", {"score": 50}, None),
        ("outreach_writer", {"contactability": "blocked"}, "do_not_contact"),
        ("outreach_writer", {"findings": ["regulated_content"]}, "regulated_content"),
        ("sector_strategist", {"sector": ""}, "unknown_sector"),
        ("management_summary", {"revenue_change_percent": -20}, "revenue_drop"),
    ],
)
def test_rules_hold_exactly_at_their_bounds(agent: str, facts: dict[str, Any], code: str | None) -> None:
    rule = agents().agents[agent].escalation(facts)
    assert (rule.code if rule else None) == code


@pytest.mark.parametrize(
    ("confidence", "action_class", "band"),
    [
        (0.95, ActionClass.A, Band.ACT),
        (0.85, ActionClass.A, Band.ACT),
        (0.99, ActionClass.B, Band.FLAG),
        (0.99, ActionClass.C, Band.FLAG),
        (0.70, ActionClass.A, Band.FLAG),
        (0.40, ActionClass.A, Band.REVIEW),
        (0.39, ActionClass.A, Band.REFUSE),
        (float("nan"), ActionClass.A, Band.REFUSE),
    ],
)
def test_only_class_a_is_ever_acted_on_by_confidence(confidence: float, action_class: ActionClass, band: Band) -> None:
    assert agents().bands.band(confidence, action_class) is band


def test_bands_out_of_order_and_unknown_skills_are_refused() -> None:
    with pytest.raises(ValidationError, match="rise"):
        Bands(act=0.5, flag=0.65, review=0.4)
    entry = agents().agents["qa_reviewer"].model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="no such skill"):
        Agent.model_validate({**entry, "skill": "world_domination"})
    with pytest.raises(ValidationError, match="at least 1"):
        Agent.model_validate({**entry, "escalate": []})
