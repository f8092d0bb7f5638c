"""Cities and regions: each has a name for readers of either language, and what nobody knows is shown as it was written."""

import pytest

from libs.contracts.catalogue.places import places
from libs.contracts.catalogue.records import FieldType, RecordKind, records
from services.data.importing.domain import values
from services.gateway.console.present_crm import value_word


@pytest.mark.parametrize(
    ("lang", "city", "shown"),
    [
        ("ar", "jeddah", "جدة"),
        ("en", "jeddah", "Jeddah"),
        ("ar", "Springfield", "Springfield"),
        ("ar", "جده", "جدة"),
        ("ar", "Riyadh", "الرياض"),
        ("en", "الدمّام", "Dammam"),
        ("en", "أبها", "Abha"),
        ("en", "قرية", "قرية"),
    ],
)
def test_a_city_is_shown_in_the_readers_language(lang: str, city: str, shown: str) -> None:
    field = records().kinds[RecordKind.ACCOUNT].fields["city"]
    assert field.type is FieldType.TEXT
    assert value_word(lang, "city", field, city) == shown  # type: ignore[arg-type]  # a parametrised language is a plain string


def test_every_place_is_found_by_its_name_in_either_language() -> None:
    for key, place in places().cities.items():
        assert values.city(place.ar) == values.city(place.en) == key
        assert values.region_of(key) in places().regions
    for key, place in places().regions.items():
        assert values.region(place.ar) == values.region(place.en) == key
