"""Which objection somebody raised, word by word in Gulf and Modern Standard Arabic and in English.

"يتضمن" (includes) is no guarantee, "السعر مناسب" no price objection: whole words are compared, negations and what takes a phrase
back are read. A text that says nothing clear gets no class, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from libs.contracts.message import Message, Text
from services.decision.domain.text import fold, is_arabic, sentences, stems, words

FILE = Path(__file__).with_name("playbook.yaml")
STRONG, WEAK = 1.0, 0.15
LONGEST = 4000
CLEAR_FROM = 0.4
"""Below this nothing was said that could be answered."""
RULES = "rules"
_GAP = 2
_NEGATION_REACH = 3


class Objection(Message):
    """One class: its names, its phrases and the next step of the playbook."""

    en: str
    ar: str
    strong: tuple[str, ...]
    weak: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    step: Text


class Playbook(Message):
    version: str
    negations: tuple[str, ...]
    objections: dict[str, Objection]


@dataclass(frozen=True, slots=True)
class Reading:
    """`objection` is None where nothing clear was said. `confidence` is 0-1; `evidence` the clauses that said it, as written.

    `engine` is what read it: `rules`, or what was asked where these were not sure; `away` says that it should have been and did not answer.
    """

    objection: str | None
    confidence: float
    language: str
    evidence: tuple[str, ...]
    scores: tuple[tuple[str, float], ...] = ()
    engine: str = RULES
    away: bool = False


@cache
def playbook() -> Playbook:
    """The objections and their answers. Raises pydantic.ValidationError when the file does not fit."""
    return Playbook.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


Phrase = tuple[frozenset[str], ...]


@cache
def _compiled() -> dict[str, tuple[tuple[Phrase, ...], tuple[Phrase, ...], tuple[Phrase, ...]]]:
    return {
        key: (_phrases(one.strong), _phrases(one.weak), _phrases(one.unless))
        for key, one in playbook().objections.items()
    }


def _phrases(given: Sequence[str]) -> tuple[Phrase, ...]:
    return tuple(tuple(frozenset(fold(word) for word in slot.split("|")) for slot in text.split()) for text in given)


@cache
def _negations() -> frozenset[str]:
    return frozenset(fold(word) for word in playbook().negations)


def classify(text: str) -> Reading:
    """The objection of a text, and how sure that is: the best class against what speaks for the next one."""
    text = text[:LONGEST]
    language = "ar" if is_arabic(text) else "en"
    if is_arabic(text) and any(c.isascii() and c.isalpha() for c in text):
        language = "mixed"
    scores: dict[str, float] = {}
    said: dict[str, list[str]] = {}
    for clause in sentences(text):
        tokens = words(fold(clause))
        forms = [stems(token) for token in tokens]
        for key, (strong, weak, unless) in _compiled().items():
            if any(_ends(phrase, forms) for phrase in unless):
                continue
            hits = sum(STRONG for phrase in strong if _said(phrase, tokens, forms))
            points = hits or (WEAK if any(_said(phrase, tokens, forms) for phrase in weak) else 0.0)
            if points:
                scores[key] = scores.get(key, 0.0) + points
                said.setdefault(key, []).append(clause.strip())
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    if not ranked:
        return Reading(None, 0.0, language, ())
    best, points = ranked[0]
    rival = ranked[1][1] if len(ranked) > 1 else 0.0
    confidence = round(min(0.97, (points / (points + 0.25)) * (1 - 0.5 * rival / points)), 3)
    if confidence < CLEAR_FROM:
        return Reading(None, confidence, language, tuple(said[best]), tuple(ranked))
    return Reading(best, confidence, language, tuple(dict.fromkeys(said[best])), tuple(ranked))


def taken_back(text: str) -> frozenset[str]:
    """The objections that a text names only to deny them: "the price is fine", "not expensive"."""
    found = set()
    for clause in sentences(text[:LONGEST]):
        tokens = words(fold(clause))
        forms = [stems(token) for token in tokens]
        for key, (strong, _, unless) in _compiled().items():
            held = any(_said(one, tokens, forms) for one in strong)
            denied = not held and any(_ends(one, forms) for one in strong)
            if denied or any(_ends(one, forms) for one in unless):
                found.add(key)
    return frozenset(found)


def _said(phrase: Phrase, tokens: list[str], forms: list[frozenset[str]]) -> bool:
    """Whether a phrase stands in a clause and is not negated."""
    own = any(not slot.isdisjoint(_negations()) for slot in phrase)
    return any(
        own or _negations().isdisjoint(tokens[max(0, start - _NEGATION_REACH) : start])
        for start in _ends(phrase, forms)
    )


def _ends(phrase: Phrase, forms: list[frozenset[str]]) -> list[int]:
    """Where a phrase begins in a clause: each of its words after the one before, at most two others between."""
    found = []
    for start, form in enumerate(forms):
        if phrase[0].isdisjoint(form):
            continue
        at: int | None = start
        for slot in phrase[1:]:
            reach = range((at or 0) + 1, min(len(forms), (at or 0) + 2 + _GAP))
            at = next((i for i in reach if not slot.isdisjoint(forms[i])), None)
            if at is None:
                break
        if at is not None:
            found.append(start)
    return found
