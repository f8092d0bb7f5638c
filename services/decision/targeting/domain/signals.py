"""Why-now signals: reasons to act read out of notes, activity and source, each with its date, source and decay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from libs.contracts.catalogue.targeting import Signal, Targeting, targeting
from services.decision.domain import untrusted
from services.decision.domain.text import MONTHS_AR, MONTHS_EN, fold, sentences, stems, words
from services.decision.targeting.domain.facts import LeadFacts

_GAP = 3
"""Other words that may stand between two words of a phrase: "asked us for a quote"."""
_NEGATION_REACH = 3
_UPCOMING_DAYS = 60
_MONTHS = {
    **{fold(name): i for i, name in enumerate((*MONTHS_EN, *MONTHS_AR))},
    **{fold(name[:3]): i for i, name in enumerate(MONTHS_EN)},
}
_ISO = re.compile(r"\b(20\d\d)[-/](\d{1,2})[-/](\d{1,2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[-/](\d{1,2})[-/](20\d\d)\b")
_NAMED = re.compile(r"\b(\d{1,2})\s+([^\W\d_]{3,9})\s+(20\d\d)\b")


@dataclass(frozen=True, slots=True)
class Found:
    """One signal with what is left of it today. `strength` is 0-1; `due` is a date still to come that the note names.

    `source` is where it was read (`notes`, or the way the lead was obtained); `observed_at` is None when nobody wrote a date.
    """

    key: str
    source: str
    observed_at: date | None
    due: date | None
    strength: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The signals of a lead, strongest first, and the findings that kept its notes from being read."""

    signals: tuple[Found, ...]
    withheld: tuple[str, ...] = ()


NOTHING = Reading(())


def read(lead: LeadFacts, today: date, catalogue: Targeting | None = None) -> Reading:
    """All signals of a lead. Notes that try to give instructions are not read; `withheld` says so."""
    rules = catalogue or targeting()
    found: list[Found] = []
    origin = rules.sources.get(lead.source)
    if origin is not None:
        share = _left(lead.obtained_at, today, origin.half_life_days, rules.undated_strength)
        found.append(Found(lead.source, lead.source, lead.obtained_at, None, share))
    if not lead.notes:
        return Reading(tuple(found)) if found else NOTHING
    notes = untrusted.notes(lead.notes)
    if notes.text is not None:
        found.extend(_in_notes(notes.text, lead, today, rules))
    return Reading(tuple(sorted(found, key=lambda s: -s.strength)), notes.findings)


def _in_notes(text: str, lead: LeadFacts, today: date, rules: Targeting) -> list[Found]:
    best: dict[str, Found] = {}
    for clause in sentences(fold(text)):
        keys = matches(clause)
        if not keys:
            continue
        written = _date(clause)
        for key in keys:
            signal = rules.signals[key]
            if written is not None and written > today:
                near = max(0, (written - today).days - _UPCOMING_DAYS)
                one = Found(key, "notes", lead.last_activity_at, written, _decay(near, signal.half_life_days))
            else:
                seen = written or lead.last_activity_at
                one = Found(key, "notes", seen, None, _left(seen, today, signal.half_life_days, rules.undated_strength))
            if key not in best or best[key].strength < one.strength:
                best[key] = one
    return list(best.values())


def matches(clause: str) -> tuple[str, ...]:
    """Keys of the signals whose phrases stand in a folded clause and are not negated."""
    tokens = words(clause)
    found: list[str] = []
    for start, token in enumerate(tokens):
        for key, phrase, against in _beginning(token):
            if key not in found and _continues(phrase, tokens, start) and (against or not _negated(tokens, start)):
                found.append(key)
    return tuple(found)


def _continues(phrase: Sequence[frozenset[str]], tokens: list[str], start: int) -> bool:
    at = start
    for word in phrase[1:]:
        reach = range(at + 1, min(len(tokens), at + 2 + _GAP))
        following = next((i for i in reach if not word.isdisjoint(stems(tokens[i]))), None)
        if following is None:
            return False
        at = following
    return True


def _negated(tokens: list[str], start: int) -> bool:
    return not _negations().isdisjoint(tokens[max(0, start - _NEGATION_REACH) : start])


@cache
def _negations() -> frozenset[str]:
    return frozenset(fold(word) for word in targeting().negations)


Opening = tuple[str, tuple[frozenset[str], ...], bool]
"""Signal, the phrase as sets of words, and whether it speaks against."""


@lru_cache(maxsize=65536)
def _beginning(token: str) -> tuple[Opening, ...]:
    """The phrases that a folded word may begin, with or without what is attached to it."""
    return tuple(opening for stem in sorted(stems(token)) for opening in _index().get(stem, ()))


@cache
def _index() -> dict[str, tuple[Opening, ...]]:
    """Phrases by each of the words they may begin with."""
    found: dict[str, list[Opening]] = {}
    for key, signal in targeting().signals.items():
        for phrase in _phrases(signal):
            for first in phrase[0]:
                found.setdefault(first, []).append((key, phrase, signal.against))
    return {word: tuple(entries) for word, entries in found.items()}


def _phrases(signal: Signal) -> list[tuple[frozenset[str], ...]]:
    return [
        tuple(frozenset(fold(word) for word in slot.split("|")) for slot in phrase.split()) for phrase in signal.phrases
    ]


def _date(clause: str) -> date | None:
    """A full date written in a folded clause; day before month, as is usual in Saudi Arabia."""
    try:
        if iso := _ISO.search(clause):
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if written := _DAY_FIRST.search(clause):
            return date(int(written[3]), int(written[2]), int(written[1]))
        if (named := _NAMED.search(clause)) and (month := _MONTHS.get(named[2])) is not None:
            return date(int(named[3]), month % 12 + 1, int(named[1]))
    except ValueError:  # the 31st of February: not a date
        return None
    return None


def _left(seen: date | None, today: date, half_life: float, undated: float) -> float:
    return undated if seen is None else _decay((today - seen).days, half_life)


def _decay(days: int, half_life: float) -> float:
    """What is left after some days: half after each half-life."""
    return 1.0 if days <= 0 else 0.5 ** (days / half_life)
