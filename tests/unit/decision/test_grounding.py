"""A figure of price or performance needs something that the writer was given."""

from __future__ import annotations

import pytest

from services.decision.agents.review.grounding import ungrounded

GIVEN = ("The offer: 1,500.00 SAR a month, 12% less for a year.", '{"estimated_value": "450000.00"}')


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs 1500 SAR, 12 % less.", ()),
        ("بسعر ١٬٥٠٠ ريال، أقل بنسبة ١٢٪", ()),
        ("SAR 450,000 of value", ()),
        ("Growth of 30%", ("30",)),
        ("نمو ٣٠ بالمئة، ونمو 30%", ("30",)),
        ("بسعر 999 ر.س", ("999",)),
        ("Sales rise 3x, costs 2 times less", ("3", "2")),
        ("Let us meet at 10:30 on the 12th; room 7.", ()),
        ("0% risk", ("0",)),
        ("", ()),
    ],
)
def test_a_figure_that_nobody_gave_is_found_in_both_languages(text: str, found: tuple[str, ...]) -> None:
    assert ungrounded(text, GIVEN) == found


def test_nothing_given_grounds_nothing() -> None:
    assert ungrounded("12% less", ()) == ("12",)
