"""Amounts, percentages, dates, days and headcounts that a text states of a subject, by typed rules.

Digits of both kinds and both scripts; a number without a unit, and a sentence that asks, denies or compares, state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.message import Message
from libs.screening.text import fold

FILE = Path(__file__).with_name("patterns.yaml")
SURE, VAGUE = 0.8, 0.6
"""How far a rule is trusted that read a plain sentence, and a hedged one. A person's word is worth 1."""
MOST = 50
LONGEST = 262_144

Type = Literal["percent", "amount", "days", "date", "people"]

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(الاف|الف|مليون|ملايين|thousand|million|mn|k|m)?(?![\w%])?"
_TIMES = {
    "k": 1000,
    "thousand": 1000,
    "الف": 1000,
    "الاف": 1000,
    "m": 10**6,
    "mn": 10**6,
    "million": 10**6,
    "مليون": 10**6,
    "ملايين": 10**6,
}
_MONEY = r"(?:sar|s\.?r\.?|riyals?|ريال(?: سعودي)?|ر\.? ?س\.?|﷼)"
_VALUES: Mapping[Type, tuple[str, ...]] = {
    "percent": (r"(\d{1,3}(?:\.\d+)?)\s*(?:%|percent\b|per cent\b|بالميه|بالمايه|في الميه|في المايه)",),
    "amount": (rf"{_NUMBER}\s*{_MONEY}", rf"{_MONEY}\s*{_NUMBER}"),
    "days": (r"\bnet\s+(\d{1,3})\b", r"(\d{1,3})\s*(?:calendar |business |working )?(?:days?\b|يوما?\b|ايام\b)"),
    "people": (r"(\d{1,3}(?:,\d{3})+|\d+)\s*(?:employees|staff|people|موظف\w*|عامل\w*)",),
    "date": (),
}
_ENDS = re.compile(r"(?<!\d)[.](?:\s|$)|(?<=\d)[.](?=\s|$)|[!\n;]|(?<=\?)")
_PLAIN = str.maketrans({"٫": ".", "٬": ",", "٪": "%", "؟": "?", "؛": ";"})


class _Rule(Message):
    value: Type
    words: Annotated[tuple[str, ...], Field(min_length=1)]


class _Patterns(Message):
    version: str
    reach: int
    back: int
    unsaid: tuple[str, ...]
    hedged: tuple[str, ...]
    keys: dict[str, _Rule]
    months: dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Stated:
    """One thing that a text states: which, its value and unit, in which sentence (from 1), and how sure the rules are (0-1)."""

    key: str
    value: str
    unit: str
    sentence: int
    confidence: float


@cache
def patterns() -> _Patterns:
    """Raises ValueError when the file does not fit, or names a claim that there is not."""
    found = _Patterns.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    if unknown := set(found.keys) - set(claim_keys()):
        raise ValueError(f"no such claims: {sorted(unknown)}")
    return found


def stated(text: str, kind: str) -> tuple[Stated, ...]:
    """What a text states of a subject of this kind (`deal`, `account`), each claim once, at most `MOST`."""
    found: dict[tuple[str, str, str], Stated] = {}
    for number, sentence in enumerate(_sentences(text[:LONGEST]), 1):
        sure = _sure(sentence)
        if sure is None:
            continue
        for key, value, unit in _in_sentence(sentence, kind):
            found.setdefault((key, value, unit), Stated(key, value, unit, number, sure))
            if len(found) >= MOST:
                return tuple(found.values())
    return tuple(found.values())


def _sentences(text: str) -> Iterator[str]:
    for one in _ENDS.split(fold(text.translate(_PLAIN))):
        if one and one.strip():
            yield one.strip()


def _sure(sentence: str) -> float | None:
    """None for a sentence that states nothing."""
    rules = patterns()
    if any(_has(sentence, word) for word in rules.unsaid):
        return None
    return VAGUE if any(_has(sentence, word) for word in rules.hedged) else SURE


def _has(sentence: str, word: str) -> bool:
    plain = fold(word)
    return (
        plain in sentence
        if not plain[0].isalnum()
        else re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", sentence) is not None
    )


def _in_sentence(sentence: str, kind: str) -> Iterator[tuple[str, str, str]]:
    for key, rule in patterns().keys.items():
        claim = claim_keys()[key]
        if kind not in claim.about:
            continue
        unit = next(iter(claim.units), "")
        values = list(_dates(sentence) if rule.value == "date" else _numbers(sentence, rule.value))
        for value in _beside(sentence, rule, values):
            try:
                yield key, *claim.read(value, unit)
            except ValueError:
                continue


def _beside(sentence: str, rule: _Rule, values: list[tuple[int, int, str]]) -> Iterator[str]:
    """For each of the rule's words the nearest value that follows it, else the one before it; a value counts once."""
    taken: set[int] = set()
    for word in rule.words:
        for match in re.finditer(rf"(?<!\w)[وبلف]?(?:ال)?{re.escape(fold(word))}(?!\w)", sentence):
            # A count of people is its own word: the number stands before it.
            after = [one for one in values if 0 <= one[0] - match.end() <= patterns().reach]
            before = [one for one in values if 0 <= match.start() - one[1] <= patterns().back]
            within = [one for one in values if one[0] <= match.start() < one[1]]
            near = within or sorted(after) or sorted(before, reverse=True)
            if near and near[0][0] not in taken:
                taken.add(near[0][0])
                yield near[0][2]


def _numbers(sentence: str, type: Type) -> Iterator[tuple[int, int, str]]:
    for pattern in _VALUES[type]:
        for match in re.finditer(pattern, sentence):
            times = _TIMES.get((match[2] or "") if match.lastindex and match.lastindex > 1 else "", 1)
            value = Decimal(match[1].replace(",", "")) * times
            if type == "percent" and value > 100:
                continue
            yield match.start(), match.end(), format(value, "f")


def _dates(sentence: str) -> Iterator[tuple[int, int, str]]:
    """ISO dates, day first with slashes or dashes, and days of named months. A date without a year is left out: nobody knows which."""
    names = {fold(name): month for month, known in patterns().months.items() for name in known}
    named = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    forms = (
        (r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", lambda m: (m[1], m[2], m[3])),
        (r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)", lambda m: (m[3], m[2], m[1])),
        (rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({named})[ ,]+(\d{{4}})(?!\d)", lambda m: (m[3], names[m[2]], m[1])),
        (rf"(?<!\w)({named})\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?!\d)", lambda m: (m[3], names[m[1]], m[2])),
    )  # fmt: skip
    for pattern, parts in forms:
        for match in re.finditer(pattern, sentence):
            year, month, day = (int(part) for part in parts(match))
            try:
                yield match.start(), match.end(), date(year, month, day).isoformat()
            except ValueError:
                continue
