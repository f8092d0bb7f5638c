"""The service tower: thirteen services, each whole in both languages, each with a proof that the dictionary defines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.services import ServiceRule, services

PRICES = {
    "diagnostic": (0, 0), "list_intelligence": (499, 1500), "first_opportunities": (499, 1500), "self_growth": (999, 1999),
    "growth_os": (2999, 9999), "partner_sprint": (3000, 7500), "agency_programme": (5000, 25000), "email_rescue": (1500, 5000),
    "whatsapp_compliance": (1500, 4000), "linkedin_lead_forms": (2000, 7500), "meeting_sprint": (1500, 5000), "local_growth": (999, 2999),
    "executive_brief": (499, 999),
}  # fmt: skip
ARABIC = re.compile(r"[\u0621-\u064a]")


def test_every_service_is_there_with_its_price_range() -> None:
    assert {key: (rule.price.least, rule.price.most) for key, rule in services().items()} == PRICES


def test_every_proof_is_a_metric_of_the_dictionary_that_is_asked_over_a_period() -> None:
    for key, rule in services().items():
        assert metrics()[rule.proof_metric].period, key


def test_every_text_is_written_in_both_languages_and_promises_nothing() -> None:
    for key, rule in services().items():
        for text in (rule.name, *rule.deliverables, *rule.inputs, *rule.workflow):
            assert text.en.strip() and ARABIC.search(text.ar), (key, text)
            assert not re.search(r"guarantee|نضمن|مضمون", f"{text.en} {text.ar}", re.I), (key, text)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"proof_metric": "happiness"}, "no metric"), ({"price": {"from": 2, "to": 1}}, "upwards"), ({"deliverables": []}, "at least 1"), ({"discount": 1}, "extra")],
)  # fmt: skip
def test_a_service_without_proof_with_a_wrong_price_or_with_nothing_to_deliver_is_refused(
    change: dict[str, Any], said: str
) -> None:
    whole = services()["growth_os"].model_dump(by_alias=True)
    with pytest.raises(ValueError, match=said):
        ServiceRule.model_validate({**whole, **change})
