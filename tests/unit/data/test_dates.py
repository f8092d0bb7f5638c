"""Hijri and Gregorian dates."""

from datetime import date

import pytest
from hijridate import Gregorian
from hypothesis import given
from hypothesis import strategies as st

from services.data.importing.domain.dates import read_date


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05",
        "5/3/2026",
        "05.03.2026",
        "٢٠٢٦/٠٣/٠٥",
        "5 مارس 2026",
        "Mar 5, 2026",
        "2026-03-05 10:00:00",
        "05/03/2026م",
        "1447/9/16",
        "16 رمضان 1447هـ",
        "16-9-1447 هـ",
    ],
)
def test_one_day_is_read_however_it_is_written(text: str) -> None:
    assert read_date(text) == date(2026, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "03/25/2026",
        "2026-13-01",
        "5-3-26",
        "1447/13/1",
        "16 رمضان 2026",
        "2026/3/5 هـ",
        "1447/9/16 م",
        "1847-01-01",
        "قريبًا",
        "",
        "31/02/2026",
    ],
)
def test_a_date_that_is_not_certain_is_left_out(text: str) -> None:
    assert read_date(text) is None


@given(st.dates(date(1990, 1, 1), date(2070, 12, 31)))
def test_every_day_reads_the_same_in_both_calendars(day: date) -> None:
    hijri = Gregorian.fromdate(day).to_hijri()
    assert read_date(day.isoformat()) == read_date(f"{hijri.day}/{hijri.month}/{hijri.year}") == day
    assert type(read_date(f"{hijri.day}/{hijri.month}/{hijri.year}")) is date
