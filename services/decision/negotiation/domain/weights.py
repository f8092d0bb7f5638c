"""Which objection a sentence is closest to in meaning: one set of weights a class over its vector, learned from reviewed answers.

Multinomial logistic regression. `dev/evaluations/negotiation/train.py` makes the weights; whose vectors they are for, what they were learned
from and from which probability on they are believed stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from libs.contracts.embedding import LONGEST_TEXT
from libs.contracts.message import Message

FILE = Path(__file__).with_name("weights.json")
NONE = "none"
"""The class of what objects to nothing."""
MOST_PARTS = 12
"""Sentences of one text that are read; an objection stands near the beginning."""
_LONG = 160
"""Characters after which a sentence is read clause by clause."""
_SENTENCE = re.compile(r"(?:[!?؟؛;\n•|…]|\.(?!\d))+")
_CLAUSE = re.compile(r"[،,:]+")


class LeftOut(Message):
    """How answers were read that the weights had not seen: so many, right, and taken for another objection. The rest goes to a person."""

    answers: int
    right: int
    wrong: int


class Weights(Message):
    """`threshold`: what is less likely than that goes to a person. `trained_on` is the digest of the answers learned from, `alone` and `beside`
    how those were read, alone and beside a harmless sentence, by weights of other answers (cross-validation)."""

    version: str
    model_id: str
    trained_on: str
    threshold: Annotated[float, Field(gt=0, lt=1)]
    alone: LeftOut | None = None
    beside: LeftOut | None = None
    bias: dict[str, float]
    classes: dict[str, tuple[float, ...]]

    @cached_property
    def _matrix(self) -> Any:
        return np.asarray([self.classes[name] for name in self.bias]).T

    def probabilities(self, vectors: Sequence[Sequence[float]]) -> list[dict[str, float]]:
        """How likely each class is, for each vector. Raises ValueError for vectors of another length."""
        scores = np.asarray(vectors, dtype=float) @ self._matrix + np.asarray(list(self.bias.values()))
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [dict(zip(self.bias, row.tolist(), strict=True)) for row in shares]


@dataclass(frozen=True, slots=True)
class Judged:
    """The likeliest objection of a text, how likely it is (0-1), and which part of the text says it. `objection` is None where none is
    likelier than nothing."""

    objection: str | None
    probability: float
    part: int


@cache
def weights() -> Weights:
    """The weights as shipped. Raises pydantic.ValidationError when the file does not fit."""
    return Weights.model_validate_json(FILE.read_text(encoding="utf-8"))


def parts(text: str) -> tuple[str, ...]:
    """The sentences of a text as they are read, one by one: a greeting beside an objection would hide it. Long ones by their clauses."""
    found: list[str] = []
    for sentence in _SENTENCE.split(text):
        pieces = [sentence] if len(sentence) <= _LONG else _CLAUSE.split(sentence)
        found += [piece.strip()[:LONGEST_TEXT] for piece in pieces if any(c.isalnum() for c in piece)]
    return tuple(dict.fromkeys(found))[:MOST_PARTS]


def judge(of_parts: Sequence[dict[str, float]], threshold: float, denied: Sequence[frozenset[str]] = ()) -> Judged:
    """What the parts of a text come to. `denied` are the objections that the words of a part take back.

    Another objection that would be believed by itself takes half of its probability from the likeliest: a person should read both.
    """
    likeliest: dict[str, tuple[float, int]] = {}
    for part, shares in enumerate(of_parts):
        name = max(shares, key=lambda one: shares[one])
        if name != NONE and not (denied and name in denied[part]):
            likeliest[name] = max(likeliest.get(name, (0.0, part)), (shares[name], part), key=lambda one: one[0])
    if not likeliest:
        return Judged(None, 0.0, 0)
    (best, (sure, part)), *others = sorted(likeliest.items(), key=lambda one: -one[1][0])
    rival = others[0][1][0] if others and others[0][1][0] >= threshold else 0.0
    return Judged(best, sure - 0.5 * rival, part)
