"""Opt-outs err towards yes, opt-ins towards no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.importing.domain.answers import is_cold, opted_in, opted_out
from services.data.importing.domain.records import OptOut
from services.data.importing.domain.text import clean, fold
from services.data.importing.domain.vocabulary import load


@pytest.mark.parametrize(
    "cell",
    ["yes", "YES", " Yes ", "y", "نعم", "نَعَم", "1", "1.0", "١", "2", "true", "TRUE", "opted out", "Opted-Out", "opted_out", "لا ترسل", "لا يرغب", "لا يرغب في التواصل حاليا",
     "ألغى الاشتراك", "DNC", "do not contact!", "unsubscribed", "stop", "✓", "x", "yes - by phone", "نعم، طلب عدم التواصل", "منسحب", "client said do not call again"],
)  # fmt: skip
def test_every_truthy_spelling_of_an_opt_out_counts(cell: str) -> None:
    assert opted_out(cell) is OptOut.YES


@pytest.mark.parametrize("cell", ["", "  ", "no", "No", "لا", "0", "0.0", "٠", "false", "subscribed", "مشترك", "n"])
def test_an_empty_cell_or_a_plain_no_is_no_opt_out(cell: str) -> None:
    assert opted_out(cell) is OptOut.NO


@pytest.mark.parametrize("cell", ["-", "maybe", "ربما", "?", "❌", "later", "asked", "to check", "لاحقا", "N/A"])
def test_an_unclear_opt_out_is_unknown_and_never_safe(cell: str) -> None:
    assert opted_out(cell) is OptOut.UNKNOWN


@given(st.text(min_size=1, max_size=20))
def test_only_words_known_to_mean_no_are_safe(cell: str) -> None:
    if opted_out(cell) is OptOut.NO:
        words = {fold(word) for group in ("no", "not_opted_out") for word in load("answers")[group]}
        assert not clean(cell) or fold(cell) in words or float(cell) == 0


@pytest.mark.parametrize("cell", ["yes", "نعم", "1", "TRUE", "opted in", "موافق", "✓"])
def test_a_plain_yes_is_an_opt_in(cell: str) -> None:
    assert opted_in(cell) is True


@pytest.mark.parametrize("cell", ["no", "لا", "0", "opted out", "سحب الموافقة", "لا يرغب"])
def test_a_refusal_is_no_opt_in(cell: str) -> None:
    assert opted_in(cell) is False


@pytest.mark.parametrize("cell", ["", "maybe", "x", "-", "تقريبا", "2", "yes?? maybe", "form"])
def test_what_is_not_a_plain_yes_proves_no_consent(cell: str) -> None:
    assert opted_in(cell) is None


@pytest.mark.parametrize(
    ("cell", "cold"),
    [("yes", True), ("بارد", True), ("maybe", True), ("", False), ("no", False), ("0", False), ("لا", False)],
)
def test_a_cold_mark_holds_unless_it_is_a_plain_no(cell: str, cold: bool) -> None:
    assert is_cold(cell) is cold
