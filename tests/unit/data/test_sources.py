"""The source catalogue and how files name its entries."""

import pytest

from libs.contracts.catalogue.sources import Handling, SourceRule, sources
from services.data.importing.domain.source_policy import resolve_source
from services.data.importing.domain.text import fold

RISKS = {
    "own_crm": 10, "website_form": 10, "event": 20, "referral": 15, "partner_intro": 20, "public_register": 30,
    "inbound_message": 10, "enrichment_vendor": 60, "cold_list": 85, "purchased": 90, "scraped": None, "opted_out": 100,
    "unknown": None,
}  # fmt: skip


def test_every_source_has_its_risk() -> None:
    assert {key: rule.risk for key, rule in sources().items()} == RISKS


@pytest.mark.parametrize("key", RISKS)
def test_every_source_is_found_by_its_key_its_labels_and_its_names(key: str) -> None:
    rule = sources()[key]
    for name in (rule.key, rule.key.upper(), rule.en, rule.ar, *rule.names, *rule.contains):
        assert resolve_source(name).key == key, name


def test_no_two_sources_share_a_name() -> None:
    owners: dict[str, set[str]] = {}
    for rule in sources().values():
        for name in (rule.key, rule.en, rule.ar, *rule.names):
            owners.setdefault(fold(name), set()).add(rule.key)
    assert {name: keys for name, keys in owners.items() if len(keys) > 1} == {}


@pytest.mark.parametrize("text", ["", "who knows", "Facebook", "مجهول", "own", "crm2"])
def test_a_source_nobody_knows_waits_for_a_person(text: str) -> None:
    assert resolve_source(text).key == "unknown"
    assert resolve_source(text).handling is Handling.REVIEW


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("event list, purchased", "purchased"),
        ("CRM (scraped)", "scraped"),
        ("LinkedIn scraping tool", "scraped"),
        ("قائمة مشتراة من معرض", "purchased"),
    ],
)
def test_the_stricter_of_two_named_sources_counts(text: str, key: str) -> None:
    assert resolve_source(text).key == key


def test_a_source_cannot_be_accepted_without_a_risk() -> None:
    with pytest.raises(ValueError, match="needs a risk"):
        SourceRule(key="friends", en="Friends", ar="أصدقاء", handling=Handling.ACCEPT, collection="direct")
