"""A partner's health adds up and has a tier; an offer is what the fit earned, promises nothing and leaves open what is not agreed."""

from datetime import date
from decimal import Decimal

import pytest

from libs.contracts.catalogue.partners import HealthRules, partner_rules
from libs.contracts.message import Text
from libs.contracts.partners import OfferKind
from services.decision.partners.domain.fit import Fit
from services.decision.partners.domain.health import health, whole_months
from services.decision.partners.domain.offering import (
    NoOfferFits,
    OfferNotEarned,
    Terms,
    WhiteLabelNotEarned,
    document,
    form_of,
    offer_texts,
)

RULES = partner_rules().health
TERMS = Terms(
    partner=Text(en="Sada Agency", ar="وكالة صدى"), sender=Text(en="Ofoq", ar="أفق"), person="سارة", email="sara@ofoq.example",
    commission=None, until=date(2026, 12, 21),
)  # fmt: skip


@pytest.mark.parametrize(
    ("intros", "deals", "months", "score", "tier"),
    [
        (0, 0, 0, 0, "dormant"),
        (3, 0, 0, 24, "dormant"),
        (2, 0, 5, 26, "developing"),
        (1, 2, 6, 50, "active"),
        (2, 3, 7, 75, "strategic"),
        (0, 0, 400, 20, "dormant"),
        (40, 40, 40, 100, "strategic"),
    ],
)
def test_health_is_the_points_of_introductions_deals_and_months(
    intros: int, deals: int, months: int, score: float, tier: str
) -> None:
    found = health(intros, deals, months, RULES)
    assert (found.score, found.tier.key) == (score, tier)
    assert sum(part.points for part in found.parts) == score, "the parts add up"
    assert {part.key: part.count for part in found.parts} == {"intros": intros, "deals": deals, "months": months}


def test_the_next_tier_is_named_with_what_it_takes() -> None:
    found = health(1, 2, 0, RULES)
    assert found.after is not None and (found.after.key, found.to_next) == ("active", 12.0)
    top = health(9, 9, 9, RULES)
    assert (top.after, top.to_next) == (None, None)


@pytest.mark.parametrize(
    ("since", "months"),
    [(date(2026, 11, 21), 0), (date(2026, 10, 22), 0), (date(2026, 10, 21), 1), (date(2025, 11, 21), 12), (date(2027, 1, 1), 0)],
)  # fmt: skip
def test_only_whole_months_count(since: date, months: int) -> None:
    assert whole_months(since, date(2026, 11, 21)) == months


def test_tiers_that_do_not_rise_from_zero_do_not_load() -> None:
    document = RULES.model_dump(by_alias=True)
    document["tiers"][0]["from"] = 5
    with pytest.raises(ValueError, match="rise from zero"):
        HealthRules.model_validate(document)


def fit(score: float, *, white_label: bool = False) -> Fit:
    return Fit(score, {}, (), white_label)


@pytest.mark.parametrize(
    ("score", "kind"), [(40, "referral"), (60, "co_branded_diagnostic"), (95, "co_authored_proof")]
)
def test_the_fit_earns_the_form_and_never_white_label_by_itself(score: float, kind: OfferKind) -> None:
    assert form_of(fit(score, white_label=True), None, 3) == kind


def test_what_the_fit_does_not_earn_is_refused_with_a_sentence_in_both_languages() -> None:
    for wrong, wanted, raised in (
        (fit(39.9), None, NoOfferFits),
        (fit(59), "co_branded_diagnostic", OfferNotEarned),
        (fit(90), "white_label", WhiteLabelNotEarned),
    ):
        with pytest.raises(raised) as told:
            form_of(wrong, wanted, 3)  # type: ignore[arg-type]  # forms of offers
        assert told.value.en and any("\u0600" <= letter <= "\u06ff" for letter in told.value.ar)
    assert form_of(fit(90, white_label=True), "white_label", 3) == "white_label"


@pytest.mark.parametrize("kind", offer_texts().kinds)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_offer_is_whole_binds_nobody_and_names_both_sides(kind: OfferKind, language: str) -> None:
    made = document(kind, language, TERMS)
    assert [one.number for one in made.clauses] == list(range(1, len(made.clauses) + 1))
    assert made.clauses[-1].key == "binding" and "promises no results" in made.clauses[-1].text.en
    texts = [made.subject, made.body, *(text for one in made.clauses for text in (one.text.ar, one.text.en))]
    assert not any("{" in text or "}" in text for text in texts)
    assert (TERMS.partner.ar if language == "ar" else TERMS.partner.en) in made.body
    assert all((one.text.ar if language == "ar" else one.text.en) in made.body for one in made.clauses)


def test_a_commission_that_is_not_agreed_is_an_open_point_and_no_clause() -> None:
    without = document("referral", "ar", TERMS)
    assert "commission" not in {one.key for one in without.clauses} and without.open_points[0].ar in without.body
    agreed = Terms(**{**vars(TERMS), "commission": Decimal("12.50")})
    made = document("referral", "en", agreed)
    assert made.open_points == () and "12.5 % of what a customer" in made.body
