"""Finds promises, pressure and other wording that a message must not hold, word by word in Arabic and English.

Matching whole words matters: "يتضمن" (includes) holds the letters of "يضمن" (guarantees) and promises nothing. What Arabic
writes onto a word is taken off first, and a negation before it turns a promise into none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from services.decision.domain.text import fold, sentences, stems, words
from services.decision.domain.vocabulary import load

_NEAR = 2
_NEGATION_REACH = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """What was found: the kind, the word or phrase, and the clause around it as written."""

    kind: str
    words: str
    clause: str


@dataclass(frozen=True, slots=True)
class _Rule:
    words: frozenset[str]
    near: frozenset[str]
    unless_near: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]


@cache
def _rules(kind: str) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            words=_folded(entry.get("words", ())),
            near=_folded(entry.get("near", ())),
            unless_near=_folded(entry.get("unless_near", ())),
            phrases=_phrases(entry.get("phrases", ())),
        )
        for entry in load("claims")[kind]
    )


def _folded(entries: Iterable[Any]) -> frozenset[str]:
    return frozenset(fold(str(entry)) for entry in entries)


def _phrases(entries: Iterable[Any]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(words(fold(str(entry)))) for entry in entries)


@cache
def _negations() -> tuple[frozenset[str], tuple[tuple[str, ...], ...]]:
    vocabulary = load("claims")
    return _folded(vocabulary["negations"]), _phrases(vocabulary["affirming"])


def find(text: str, kind: str, *, names: Iterable[str] = ()) -> tuple[Claim, ...]:
    """All claims of a kind (`guarantee`, `pressure`, `cold_whatsapp`, `regulated`) in a text.

    `names` are names of companies and people in it: a company called «ضمان» promises nothing by its name.
    """
    masked = _without(text, names)
    found: list[Claim] = []
    for clause in sentences(masked):
        tokens = words(fold(clause))
        forms = [stems(token) for token in tokens]
        for rule in _rules(kind):
            found.extend(Claim(kind, said, clause.strip()) for said in _in_clause(rule, tokens, forms))
    return tuple(dict.fromkeys(found))


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted((name for name in names if name.strip()), key=len, reverse=True):
        text = text.replace(name, " … ")
    return text


def _in_clause(rule: _Rule, tokens: list[str], forms: list[frozenset[str]]) -> list[str]:
    found = []
    for at, variants in enumerate(forms):
        if rule.words.isdisjoint(variants):
            continue
        around = frozenset().union(*forms[max(0, at - _NEAR) : at], *forms[at + 1 : at + 1 + _NEAR])
        if rule.near and rule.near.isdisjoint(around):
            continue
        if not rule.unless_near.isdisjoint(around) or _negated(tokens, at):
            continue
        found.append(tokens[at])
    for phrase in rule.phrases:
        if _holds(forms, phrase):
            found.append(" ".join(phrase))
    return found


def _holds(forms: list[frozenset[str]], phrase: tuple[str, ...]) -> bool:
    return any(
        all(word in forms[start + i] for i, word in enumerate(phrase)) for start in range(len(forms) - len(phrase) + 1)
    )


def _negated(tokens: list[str], at: int) -> bool:
    before = tokens[max(0, at - _NEGATION_REACH) : at]
    negations, affirming = _negations()
    for phrase in affirming:
        for start in range(len(before) - len(phrase) + 1):
            if tuple(before[start : start + len(phrase)]) == phrase:
                return False
    return not negations.isdisjoint(before)
