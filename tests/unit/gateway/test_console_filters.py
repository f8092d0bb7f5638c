"""Values on pages: isolated, with Latin digits, in the reader's language."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.gateway.console.filters import bdi_ltr, bdi_name, canonical_json, filters, mixed, num, percent, sha_short
from services.gateway.console.messages import messages

AR = filters("ar", messages("ar"))
EN = filters("en", messages("en"))


def test_a_phone_is_isolated_left_to_right() -> None:
    assert bdi_ltr("+966 50 123 4567") == '<bdi dir="ltr" class="ltr">+966 50 123 4567</bdi>'


def test_imported_text_is_escaped_wherever_it_is_shown() -> None:
    hostile = '"><script>alert(1)</script>'
    for shown in (
        bdi_ltr(hostile),
        bdi_name(hostile),
        sha_short(hostile),
        AR["value"](hostile),
        canonical_json(f'"{hostile}"'),
    ):
        assert "<script" not in str(shown)


def test_dates_come_in_both_calendars() -> None:
    text = str(AR["date_both"](date(2026, 11, 21)))
    assert "<bdi>11 جمادى الآخرة 1448 هـ</bdi> · <bdi>21 نوفمبر 2026</bdi>" in text
    assert "1448 AH" in str(EN["date_both"](date(2026, 11, 21)))


def test_a_moment_near_midnight_belongs_to_the_day_in_riyadh() -> None:
    late = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    assert "21 نوفمبر 2026" in str(AR["moment"](late))
    assert "00:30" in str(AR["moment"](late))


@pytest.mark.parametrize(
    ("amount", "arabic"),
    [(Decimal(1250000), "1,250,000.00"), (Decimal("-1250.5"), "-1,250.50"), (0, "0.00")],
)
def test_money_isolates_the_number_with_its_sign(amount: Decimal, arabic: str) -> None:
    shown = str(AR["money"](amount))
    assert f'<bdi dir="ltr">{arabic}</bdi>' in shown
    assert "ر.س" in shown


def test_negative_numbers_and_percentages_are_isolated() -> None:
    assert num(-1250) == bdi_ltr("-1,250")
    assert num(1250) == "1,250"
    assert percent(Decimal("0.125")) == bdi_ltr("12.5%")


@pytest.mark.parametrize(
    ("minutes", "text"), [(42, "42 د"), (178, "2 س 58 د"), (-15, "15 د"), (0, "0 د"), (1441, "1 ي 1 د")]
)
def test_durations_show_their_two_largest_units(minutes: int, text: str) -> None:
    assert text in str(AR["duration"](minutes))


def test_canonical_text_keeps_every_character() -> None:
    text = '{"a":[],"b":{"c":"قال \\"نعم\\", {ثم} ذهب","d":[1,-2.5e3,null,true]},"e":{}}'
    assert canonical_json(text).striptags() == text  # nothing to strip but the layout's own tags
    assert canonical_json(text).count("json-line") > 5


def test_a_sentence_isolates_what_runs_from_left_to_right_and_escapes_the_rest() -> None:
    said = str(
        mixed(
            "<b>اتصل</b> على +966 50 123 4567 قبل 2026-12-01 الساعة 09:30، والفرق -1,250 أو +5.0 أو -3، مثل 20 50 100. a.b@c.example"
        )
    )
    for value in ("+966 50 123 4567", "2026-12-01", "09:30", "-1,250", "+5.0", "-3", "20 50 100", "a.b@c.example"):
        assert f'<bdi dir="ltr" class="ltr">{value}</bdi>' in said, value
    assert "<b>" not in said and said.count("<bdi") == 8


def test_a_day_beyond_the_published_hijri_calendar_is_shown_in_the_gregorian_one() -> None:
    shown = str(filters("ar", messages("ar"))["date_both"](date(2099, 1, 1)))
    assert "2099" in shown and "هـ" not in shown
