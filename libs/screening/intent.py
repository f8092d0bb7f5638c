"""Whether a short text reads like an order to a machine, learned from made-up examples in Arabic and English.

Patterns know the words of known attacks; this knows what orders have in common: whom they speak to and what they want. It is small and
wrong at times, so it can only have a person look. `dev/evaluations/gate/train.py` makes the weights.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from libs.screening.text import fold

FILE = Path(__file__).with_name("intent.json")
WORDS = Path(__file__).with_suffix(".yaml")
"""What words do."""
MEANT = 4.0
WORDS_AT_LEAST = 4
LONGEST = 600
"""Characters of a text that is judged whole; a longer one is judged sentence by sentence, and more strictly."""
_FIRST = 2
_MOST = 400
"""Sentences of one text that are judged."""
_SIZES = (3, 4, 5)
_WORDS = re.compile(r"[^\W_]+")
_ENDS = re.compile(r"[.!?؟\n؛;]+")
_PREFIXES = ("وال", "فال", "بال", "كال", "لل", "ال")


def features(text: str) -> frozenset[str]:
    """What the words do, the words themselves, how they begin, and pairs of words that stand together."""
    return of_folded(fold(text))


def of_folded(folded: str) -> frozenset[str]:
    words = [_bare(word) for word in _WORDS.findall(folded)]
    found = _meant(words)
    found |= {f"{a} {b}" for a, b in pairwise(words)}
    for word in words:
        padded = f"<{word}>"
        found.add(padded)
        found.update(padded[: size + 1] for size in _SIZES if len(word) > size)
    return frozenset(found)


def _meant(words: list[str]) -> set[str]:
    """What a text's words do in an order, what the first of them does, and what they do together."""
    single, phrases = _lexicon()
    first: set[str] = set()
    every: set[str] = set()
    for at, word in enumerate(words):
        kinds = {kind for size in range(2, len(word) + 1) for kind in single.get(word[:size], ())}
        every |= kinds
        if at < _FIRST:
            first |= kinds
    text = " ".join(words)
    every |= {kind for phrase, kind in phrases if phrase in text}
    ordered = sorted(every)
    pairs = {f"@{a}+{b}" for at, a in enumerate(ordered) for b in ordered[at + 1 :]}
    return {f"@{one}" for one in every} | {f"@first {one}" for one in first} | pairs


@cache
def _lexicon() -> tuple[dict[str, tuple[str, ...]], tuple[tuple[str, str], ...]]:
    """Beginnings of words with what they do, and phrases."""
    single: dict[str, tuple[str, ...]] = {}
    phrases = []
    for kind, words in yaml.safe_load(WORDS.read_text(encoding="utf-8")).items():
        for word in words:
            parts = [_bare(part) for part in _WORDS.findall(fold(str(word)))]
            if len(parts) > 1:
                phrases.append((" ".join(parts), kind))
            else:
                single[parts[0]] = (*single.get(parts[0], ()), kind)
    return single, tuple(phrases)


def weight(feature: str) -> float:
    """What words do counts for more than how they are spelt."""
    return MEANT if feature.startswith("@") else 1.0


def _bare(word: str) -> str:
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) > len(prefix) + 2:
            return word[len(prefix) :]
    if len(word) > 3 and word[0] in "وف" and "\u0600" <= word[1] <= "\u06ff":
        word = word[1:]
    return word


@cache
def _model() -> tuple[dict[str, float], float, float, float]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded["weights"], loaded["bias"], loaded["threshold"], loaded["sure"]


def score(found: frozenset[str]) -> float:
    """How much a text reads like an order: the higher, the more."""
    weights, bias, _, _ = _model()
    total = sum(weights.get(one, 0.0) * weight(one) for one in found)
    return bias + total / max(1.0, math.sqrt(len(found)))


def orders(folded: str, *, strict: bool = False) -> bool:
    """Whether a folded text, or a sentence of a long one, reads like an order to a machine.

    `strict` is for a part of a long text that comes in many parts: of each, no more than what no harmless text ever reached counts.
    """
    _, _, line, sure = _model()
    if len(folded) <= LONGEST and not strict:
        return _long_enough(folded) and score(of_folded(folded)) >= line
    return any(score(of_folded(one)) >= max(line, sure) for one in _ENDS.split(folded)[:_MOST] if _long_enough(one))


def _long_enough(text: str) -> bool:
    return text.count(" ") >= WORDS_AT_LEAST - 1
