"""Claims are read out of texts by typed rules: both scripts, digits of both kinds, and nothing that is only asked or imagined."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.claims.reading import SURE, VAGUE, patterns, stated
from libs.contracts.catalogue.claims import claim_keys
from services.data.claims.telling import of_activity


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("قيمة العقد ١٥٠٬٠٠٠ ريال، والخصم ١٠٪، والسداد خلال ٣٠ يومًا.", {("deal_value", "150000"), ("discount_percent", "10"), ("payment_days", "30")}),
        ("The total is SAR 120,000 and the discount is 7.5%. Payment net 45.", {("deal_value", "120000"), ("discount_percent", "7.5"), ("payment_days", "45")}),
        ("بسعر 1.5 مليون ريال", {("deal_value", "1500000")}),
        ("السعر ٢٥ ألف ر.س", {("deal_value", "25000")}),
        ("Contract value: 250k SAR", {("deal_value", "250000")}),
        ("ينتهي العقد في 31 ديسمبر 2026 ويبدأ في 1/1/2026", {("contract_ends_on", "2026-12-31"), ("contract_starts_on", "2026-01-01")}),
        ("The contract ends on 2027-01-31.", {("contract_ends_on", "2027-01-31")}),
        ("It starts March 1st, 2026", {("contract_starts_on", "2026-03-01")}),
        ("الاجتماع يوم ١٢ مارس ٢٠٢٦", {("meeting_on", "2026-03-12")}),
        ("خصم 15 بالمئة", {("discount_percent", "15")}),
        ("Payment within 60 days of invoice", {("payment_days", "60")}),
    ],
)  # fmt: skip
def test_what_a_text_states_is_read(text: str, found: set[tuple[str, str]]) -> None:
    assert {(one.key, one.value) for one in stated(text, "deal")} == found


@pytest.mark.parametrize(
    "text",
    [
        "Is the discount 20%?",
        "هل الخصم 20٪؟",
        "لو كان الخصم 20%",
        "If the discount were 20% we would sign.",
        "The price was SAR 90,000.",
        "السعر ليس 90,000 ريال",
        "السعر 500",
        "Invoice 4417 was sent",
        "Call 0501234567 for the price",
        "The contract ends in December",
        "ينتهي العقد في 31 فبراير 2026",
        "خصم 250%",
        "",
    ],
)
def test_what_is_asked_denied_or_has_no_unit_is_not(text: str) -> None:
    assert stated(text, "deal") == ()


def test_a_hedged_sentence_is_less_sure() -> None:
    (plain,) = stated("The total is SAR 120,000.", "deal")
    (vague,) = stated("The total is about SAR 120,000.", "deal")
    assert (plain.confidence, vague.confidence) == (SURE, VAGUE)


def test_only_what_may_be_claimed_of_such_a_subject_is_read() -> None:
    text = "We have 250 employees. The total is SAR 5,000."
    assert [one.key for one in stated(text, "account")] == ["employees"]
    assert [one.key for one in stated(text, "deal")] == ["deal_value"]
    assert stated(text, "planet") == ()


def test_a_long_text_is_read_whole_and_says_where() -> None:
    text = "Nothing here. " * 500 + "The discount is 5%. " + "Nothing here. " * 500 + "The discount is 8%."
    assert [(one.value, one.sentence > 400) for one in stated(text, "deal")] == [("5", True), ("8", True)]


def test_every_rule_reads_values_of_its_claims_type() -> None:
    types = {"percent": "number", "amount": "number", "days": "number", "people": "number", "date": "date"}
    for key, rule in patterns().keys.items():
        assert claim_keys()[key].type == types[rule.value], key


def test_only_inbound_messages_about_a_deal_or_a_company_are_read() -> None:
    deal, account = str(UUID(int=1)), str(UUID(int=2))
    said = {
        "direction": "inbound",
        "subject": "Re: offer",
        "body": "Total SAR 5,000",
        "deal_id": deal,
        "account_id": account,
    }
    assert of_activity(said) == (f"deal:{deal}", "Re: offer\nTotal SAR 5,000")
    assert of_activity({**said, "deal_id": None}) == (f"account:{account}", "Re: offer\nTotal SAR 5,000")
    assert of_activity({**said, "direction": "outbound"}) is None
    assert of_activity({**said, "deal_id": None, "account_id": None}) is None
