"""What a fact from a file does to what a record holds: a person's statement is never overwritten."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from libs.contracts.catalogue.enrichment import enrichment
from libs.contracts.enrichment import FactState
from services.data.enriching.domain.weigh import Earlier, same, weigh

DAY = date(2026, 11, 1)


def _weigh(current: object, value: object, earlier: Earlier | None = None, on: date = DAY) -> FactState:
    return weigh("employees", current, value, source="public_register", obtained_on=on, earlier=earlier)


def test_a_persons_statement_is_disputed_and_never_overwritten() -> None:
    assert _weigh(40, 55) is FactState.DISPUTED
    assert _weigh(40, 55, Earlier("public_register", "30", date(2026, 1, 1))) is FactState.DISPUTED, (
        "somebody stated 40 since"
    )
    assert _weigh(40, 55, Earlier("website_form", "40", date(2026, 1, 1))) is FactState.DISPUTED, "another source's"


def test_what_is_empty_is_filled_and_what_is_the_same_is_confirmed() -> None:
    assert _weigh(None, 55) is _weigh("", 55) is FactState.APPLIED
    assert _weigh(55, 55) is _weigh(55, "55") is FactState.CONFIRMED


def test_the_same_source_may_follow_itself_forward_in_time_alone() -> None:
    earlier = Earlier("public_register", "40", date(2026, 1, 1))
    assert _weigh(40, 55, earlier) is FactState.APPLIED
    assert _weigh(40, 55, earlier, on=date(2025, 1, 1)) is FactState.DISPUTED


@pytest.mark.parametrize(
    ("field", "one", "other", "equal"),
    [
        ("city", "الرياض", "Riyadh", True), ("city", "Riyadh", "Jeddah", False), ("name_ar", "شركة الأفق", "شركة الافق", True),
        ("domain", "a.example", "b.example", False),
    ],
)  # fmt: skip
def test_values_are_compared_by_what_they_mean(field: str, one: str, other: str, equal: bool) -> None:
    assert same(field, one, other) is equal


def test_no_adapter_takes_from_a_source_that_is_refused_or_reviewed() -> None:
    for adapter in enrichment().adapters.values():
        assert adapter.bases and adapter.match
        for source in ("scraped", "purchased", "cold_list", "nothing"):
            with pytest.raises(ValidationError):
                adapter.evolve(source=source)
