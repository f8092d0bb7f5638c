"""The fit of a partner: the catalogue's points and nothing else."""

import pytest

from libs.contracts.catalogue.partners import partner_rules
from services.decision.partners.domain.fit import fit

FULL = {
    "type": "marketing_agency",
    "sells_to": "businesses",
    "customers": 80,
    "saudi": "yes",
    "city": "الرياض",
    "intros": 2,
    "paid_pilots": 3,
}


def test_all_that_a_partner_can_have_makes_a_hundred_and_earns_the_highest_offer() -> None:
    found = fit(FULL, partner_rules())
    assert found.score == 100 - 0 and sum(found.parts.values()) >= 100
    assert partner_rules().offer(found.score).key == "co_authored_proof" and found.white_label and not found.missing


@pytest.mark.parametrize(
    ("values", "offer"),
    [
        ({"type": "industry_influencer"}, "none"),
        ({"type": "training_provider", "sells_to": "businesses"}, "referral"),
        ({"type": "software_vendor", "sells_to": "businesses", "saudi": "yes"}, "co_branded_diagnostic"),
    ],
)
def test_thresholds_follow_the_catalogue(values: dict[str, str], offer: str) -> None:
    assert partner_rules().offer(fit(values, partner_rules()).score).key == offer


def test_what_is_not_known_earns_nothing_and_is_named() -> None:
    found = fit({"type": "sales_consultant", "saudi": "unknown"}, partner_rules())
    assert found.parts["saudi"] == 0 and set(found.missing) == {"sells_to", "customers", "saudi", "city"}
    assert found.confidence < fit(FULL, partner_rules()).confidence


def test_white_label_takes_three_paid_pilots_and_introductions() -> None:
    assert not fit({**FULL, "paid_pilots": 2}, partner_rules()).white_label
    assert not fit({**FULL, "intros": 0}, partner_rules()).white_label
