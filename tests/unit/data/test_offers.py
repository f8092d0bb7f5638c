"""What a tenant says it sells: its own words, each in its own language, one line."""

from __future__ import annotations

import pytest

from services.data.offers import BadOffer, check


def test_texts_are_kept_as_they_stand_in_a_sentence() -> None:
    assert check("  حلول إدارة العقود. ", "contract management") == ("حلول إدارة العقود", "contract management")
    assert check("", "") == ("", "")


@pytest.mark.parametrize(
    ("ar", "en"),
    [
        ("contract management", ""),
        ("", "حلول العقود"),
        ("حلول\nالعقود", ""),
        ("", "see https://x.example"),
        ("حلول\u202eالعقود", ""),
    ],
)
def test_a_text_in_the_other_language_with_lines_or_links_is_refused(ar: str, en: str) -> None:
    with pytest.raises(BadOffer) as refused:
        check(ar, en)
    assert refused.value.en and refused.value.ar
