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
TOLD_IN = ("notes", "source_detail")
_UPCOMING_DAYS = 60
_MONTHS = {
    **{fold(name): i for i, name in enumerate((*MONTHS_EN, *MONTHS_AR))},
    **{fold(name[:3]): i for i, name in enumerate(MONTHS_EN)},
}
_ISO = re.compile(r"\b(20\d\d)[-/](\d{1,2})[-/](\d{1,2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[-/](\d{1,2})[-/](20\d\d)\b")
_NAMED = re.compile(r"\b(\d{1,2})\s+([^\W\d_]{3,9})(?:\s+(20\d\d))?\b")


@dataclass(frozen=True, slots=True)
class Found:
    """One signal with what is left of it today. `strength` is 0-1; `due` is a date still to come that the note names.

    `source` is where it was read: `notes`, `source_detail`, or the key of the lead's source; `observed_at` is None when nobody wrote a date.
    """

    key: str
    source: str
    observed_at: date | None
    due: date | None
    strength: float

    @property
    def told(self) -> bool:
        """Whether it was read in words (a rule of `signals`) and not in the way the lead came (a rule of `sources`)."""
        return self.source in TOLD_IN


@dataclass(frozen=True, slots=True)
class Reading:
    """The signals of a lead, strongest first; the topic it is interested in; the findings that kept notes from being read."""

    signals: tuple[Found, ...]
    topic: str | None = None
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
    if not lead.notes and not lead.source_detail:
        return Reading(tuple(found)) if found else NOTHING
    speaks = origin is not None and origin.detail
    detail, notes = untrusted.label(lead.source_detail if speaks else None), untrusted.notes(lead.notes)
    told: dict[str, Found] = {}
    topic = None
    for source, clean, seen in (
        ("notes", notes, lead.last_activity_at),
        ("source_detail", detail, lead.obtained_at),
    ):
        if clean.text is not None:
            folded = fold(clean.text)
            topic = topic or _topic(folded)
            for one in _told(folded, source, seen, today, rules):
                if one.key not in told or told[one.key].strength < one.strength:
                    told[one.key] = one
    found.extend(told.values())
    withheld = tuple(dict.fromkeys((*notes.findings, *detail.findings)))
    return Reading(tuple(sorted(found, key=lambda s: -s.strength)), topic, withheld)


def _told(folded: str, source: str, seen_at: date | None, today: date, rules: Targeting) -> list[Found]:
    """The signals of a folded text, each once at its strongest. `seen_at` dates those whose clause has no date."""
    best: dict[str, Found] = {}
    for clause in sentences(folded):
        keys = matches(clause)
        if not keys:
            continue
        written = _date(clause, today)
        for key in keys:
            signal = rules.signals[key]
            if written is not None and written > today:
                near = max(0, (written - today).days - _UPCOMING_DAYS)
                one = Found(key, source, seen_at, written, _decay(near, signal.half_life_days))
            else:
                seen = written or seen_at
                one = Found(key, source, seen, None, _left(seen, today, signal.half_life_days, rules.undated_strength))
            if key not in best or best[key].strength < one.strength:
                best[key] = one
    return list(best.values())


@lru_cache(maxsize=65536)
def matches(clause: str) -> tuple[str, ...]:
    """Keys of the signals whose phrases stand in a folded clause and are not negated."""
    tokens = words(clause)
    found: list[str] = []
    for start, token in enumerate(tokens):
        for key, phrase, against in _beginning(token):
            if key not in found and _continues(phrase, tokens, start) and (against or not _negated(tokens, start)):
                found.append(key)
    covered = {other for key in found for other in targeting().signals[key].instead_of}
    return tuple(key for key in found if key not in covered)


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


def stopped(reading: Reading, rules: Targeting) -> bool:
    """Whether the records say that the person asked us to stop."""
    return any(one.told and rules.signals[one.key].stop for one in reading.signals)


def _topic(folded: str) -> str | None:
    """The first topic of the catalogue whose words stand in a folded text."""
    tokens = words(folded)
    found = [
        (order, key)
        for start, token in enumerate(tokens)
        for order, key, phrase in _naming(token)
        if len(phrase) <= len(tokens) - start
        and all(word in stems(tokens[start + i]) for i, word in enumerate(phrase[1:], 1))
    ]
    return min(found)[1] if found else None


@lru_cache(maxsize=65536)
def _naming(token: str) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """The topics that a folded word may begin to name, in the order of the catalogue."""
    forms = stems(token)
    return tuple(entry for entry in _topics() if entry[2][0] in forms)


@cache
def _topics() -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    return tuple(
        (order, key, tuple(words(fold(phrase))))
        for order, (key, topic) in enumerate(targeting().topics.items())
        for phrase in topic.words
    )


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


def _date(clause: str, today: date) -> date | None:
    """A date written in a folded clause; day before month, as is usual in Saudi Arabia. Without a year, the nearest such day."""
    try:
        if iso := _ISO.search(clause):
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if written := _DAY_FIRST.search(clause):
            return date(int(written[3]), int(written[2]), int(written[1]))
        for named in _NAMED.finditer(clause):
            month = _MONTHS.get(named[2])
            if month is None:
                continue
            years = [int(named[3])] if named[3] else [today.year - 1, today.year, today.year + 1]
            days = [date(year, month % 12 + 1, int(named[1])) for year in years]
            return min(days, key=lambda day: abs((day - today).days))
    except ValueError:  # the 31st of February: not a date
        return None
    return None


def _left(seen: date | None, today: date, half_life: float, undated: float) -> float:
    return undated if seen is None else _decay((today - seen).days, half_life)


def _decay(days: int, half_life: float) -> float:
    """What is left after some days: half after each half-life."""
    return 1.0 if days <= 0 else 0.5 ** (days / half_life)
