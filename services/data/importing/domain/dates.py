"""Dates as lists write them, Gregorian or Hijri, to Gregorian. Day before month, as Saudi Arabia writes."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache

from hijridate import Hijri

from services.data.importing.domain.text import clean, fold, latin_digits
from services.data.importing.domain.vocabulary import load

HIJRI_YEARS = range(1343, 1501)
"""What hijridate converts by the Umm al-Qura calendar."""
GREGORIAN_YEARS = range(1990, 2101)

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ]\d{1,2}:\d{2}.*)?\Z")
_ERA = re.compile(r"\s*(هـ|ه|م|ad|ah|h)\.?\s*\Z", re.IGNORECASE)
_NAMED = re.compile(r"(\d{1,2})\s+([^\W\d]+(?: [^\W\d]+)?)\s+(\d{4})\Z")
_NAMED_US = re.compile(r"([a-z]+)\s+(\d{1,2})\s+(\d{4})\Z")


@lru_cache(maxsize=8192)
def read_date(text: str) -> date | None:
    """The Gregorian date, or None when it cannot be read with certainty.

    `2026-03-05`, `5/3/2026` (day first), `5 مارس 2026`, `1447/9/10`, `10 رمضان 1447هـ`. A month above 12 is not
    silently swapped with the day, and years outside the two calendars' plausible ranges are refused.
    """
    text = latin_digits(clean(text))
    era = _ERA.search(text)
    if era:
        text = text[: era.start()].strip()
    if found := _YEAR_FIRST.match(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _DAY_FIRST.match(text):
        day, month, year = int(found[1]), int(found[2]), int(found[3])
    else:
        return _named(fold(text))
    hijri = year in HIJRI_YEARS
    if era and hijri != (era[1].lower() in ("هـ", "ه", "ah", "h")):
        return None  # the letter says one calendar and the year another
    return _make(year, month, day, hijri=hijri)


def _named(text: str) -> date | None:
    if found := _NAMED.match(text):
        day, name, year = int(found[1]), found[2], int(found[3])
    elif found := _NAMED_US.match(text):
        name, day, year = found[1], int(found[2]), int(found[3])
    else:
        return None
    month = _months().get(name)
    if month is None or month[1] != (year in HIJRI_YEARS):
        return None
    return _make(year, month[0], day, hijri=month[1])


@cache
def _months() -> dict[str, tuple[int, bool]]:
    """Folded month name to its number and whether the calendar is Hijri."""
    return {
        fold(name): (number, calendar == "hijri")
        for calendar, months in load("months").items()
        for number, names in enumerate(months, 1)
        for name in names
    }


def _make(year: int, month: int, day: int, *, hijri: bool) -> date | None:
    try:
        if hijri:
            return date.fromordinal(Hijri(year, month, day).to_gregorian().toordinal())
        return date(year, month, day) if year in GREGORIAN_YEARS else None
    except (ValueError, OverflowError):
        return None
