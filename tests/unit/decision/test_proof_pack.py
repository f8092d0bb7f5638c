"""The estimate has its basis and is none without one; the next step is the first that holds; a path is earned by proof alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.work_units import NAMED, WorkUnitRules, work_units
from libs.contracts.forecasts import Missing
from libs.contracts.message import Text
from libs.contracts.predictive import Calibration
from libs.contracts.proof_pack import WaitingApproval
from services.decision.forecasting.domain.predicting import Chances
from services.decision.proving.domain.impact import of_company, of_deal
from services.decision.proving.domain.onward import Standing, path, recommend
from services.decision.proving.rules import ProofRules, rules

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CHANCES = Chances(
    {"new": 0.1, "open": 0.25, "negotiating": 0.6},
    (
        Calibration(stage="new", deals=0, predicted=None, actual=None, low=None, high=None, probability=0.1),
        Calibration(stage="open", deals=40, predicted=0.2, actual=0.3, low=0.2, high=0.4, probability=0.25),
        Calibration(stage="negotiating", deals=9, predicted=0.5, actual=0.6, low=0.4, high=0.8, probability=0.6),
    ),
    0.2,
    12,
)
SHORT = Missing(code="months", have=1, need=6, en="6 months are needed.", ar="يلزم 6 أشهر.")


def test_the_estimate_is_the_deals_value_at_the_chance_of_its_stage() -> None:
    found = of_deal(Decimal("80000.00"), "SAR", "open", CHANCES, (), rules())
    assert (found.kind, found.value, found.low, found.high) == (
        "estimate", Decimal("20000.00"), Decimal("16000.00"), Decimal("32000.00"),
    )  # fmt: skip
    assert found.label == Text(en="Estimate", ar="تقدير")
    basis = found.basis
    assert basis is not None
    assert (basis.deal_value, basis.probability, basis.tested, basis.months) == (Decimal(80000), 0.25, 40, 12)
    assert "مفتوحة" in found.because.ar


@pytest.mark.parametrize(
    ("amount", "stage", "chances", "missing"),
    [
        (None, "open", CHANCES, ()),
        (Decimal(80000), "lost", CHANCES, ()),
        (Decimal(80000), "open", CHANCES, (SHORT,)),
        (Decimal(80000), "open", None, ()),
    ],
)
def test_without_a_basis_there_is_no_figure_and_a_reason(
    amount: Decimal | None, stage: str, chances: Chances | None, missing: tuple[Missing, ...]
) -> None:
    found = of_deal(amount, "SAR", stage, chances, missing, rules())
    assert (found.kind, found.value, found.low, found.high, found.basis) == ("none", None, None, None, None)
    assert found.because.ar and found.because.en and found.missing == missing


def test_a_stage_that_was_never_tested_has_no_interval() -> None:
    found = of_deal(Decimal(1000), "USD", "new", CHANCES, (), rules())
    assert (found.value, found.low, found.high, found.currency) == (Decimal("100.00"), None, None, "USD")


def test_a_deal_that_is_won_shows_its_value_and_calls_it_no_estimate() -> None:
    found = of_deal(Decimal(5000), "SAR", "won", None, (), rules())
    assert (found.kind, found.value, found.basis, found.label.en) == ("actual", Decimal(5000), None, "Actual")


def test_a_company_whose_deals_could_not_be_read_gets_no_figure() -> None:
    assert of_company(None, rules()).kind == "none"


def waiting(hours: int) -> WaitingApproval:
    return WaitingApproval(
        approval_id=UUID(int=hours), action_id=UUID(int=1), title=Text(en="Send", ar="إرسال"), role="owner", risk="low",
        due_at=NOW + timedelta(hours=hours),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("standing", "code", "kind"),
    [
        (Standing(waiting=(waiting(9), waiting(2)), contradiction="x", stage="open"), "approvals", "approval"),
        (Standing(contradiction="x", stage="open", overdue=("t", NOW)), "contradictions", "contradiction"),
        (Standing(stage="negotiating", overdue=("t", NOW), idle_days=30), "overdue", "task"),
        (Standing(stage="open", deal_id="d", idle_days=7), "idle", "deal"),
        (Standing(stage="won", deal_id="d", idle_days=70, has_amount=False), "won", "deal"),
        (Standing(stage="new", deal_id="d", has_amount=False), "no_amount", "deal"),
        (Standing(stage="negotiating", deal_id="d"), "negotiating", "deal"),
        (Standing(worked=False), "no_work", ""),
        (Standing(), "always", ""),
    ],
)
def test_the_first_recommendation_that_holds_is_given_with_its_reason(standing: Standing, code: str, kind: str) -> None:
    found = recommend(standing, rules())
    assert (found.code, found.kind) == (code, kind)
    assert all(text and "{" not in text for text in (found.text.ar, found.text.en, found.because.ar, found.because.en))


def test_of_what_waits_the_first_due_is_named() -> None:
    found = recommend(Standing(waiting=(waiting(9), waiting(2))), rules())
    assert found.id == str(UUID(int=2)) and "(2)" in found.text.en


def test_a_step_of_the_path_is_earned_by_proved_work_alone() -> None:
    none = path({}, rules())
    assert (none.offer, none.next) == ("diagnostic", "list_intelligence")
    some = path({"opportunity_created": 4, "target_ranked": 9}, rules())
    assert (some.offer, some.next) == ("list_intelligence", "first_10_opportunities")
    assert [(one.have, one.need) for one in some.steps[2].needs] == [(9, 10)]
    everything = path(dict.fromkeys(NAMED, 1000), rules())
    assert everything.next is None and all(one.earned for one in everything.steps)


def test_rules_that_name_what_there_is_not_do_not_load() -> None:
    document = rules().model_dump(by_alias=True)
    document["path"][1]["needs"] = {"revenue": 1}
    with pytest.raises(ValueError, match="a unit that there is not"):
        ProofRules.model_validate(document)


def test_cards_name_only_units_that_have_a_weight() -> None:
    assert {event.proof_impact for event in cards().events.values()} <= set(work_units().units)


def test_a_unit_of_an_effect_that_is_not_registered_does_not_load() -> None:
    document = work_units().model_dump(by_alias=True, mode="json")
    document["units"]["draft_created"]["from"][0]["effects"] = ["send_pigeon"]
    with pytest.raises(ValueError, match="no registered effects"):
        WorkUnitRules.model_validate(document)


def test_a_missing_unit_does_not_load() -> None:
    document = work_units().model_dump(by_alias=True, mode="json")
    del document["units"]["risk_blocked"]
    with pytest.raises(ValueError, match="every unit"):
        WorkUnitRules.model_validate(document)


def test_weights_are_as_agreed() -> None:
    assert {name: float(rule.weight) for name, rule in work_units().units.items()} == {
        "opportunity_created": 1, "target_ranked": 0.5, "contact_blocked": 1, "draft_created": 0.7, "approval_collected": 0.6,
        "meeting_drafted": 1.2, "partner_suggested": 0.8, "proof_generated": 2, "payment_link_drafted": 1.5, "deal_risk_detected": 1,
        "risk_blocked": 1, "followup_created": 0.4, "support_ticket_resolved": 1,
    }  # fmt: skip
