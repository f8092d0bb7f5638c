"""Measures which objection is read out of what people answer, class by class and language by language, on a tuning part and on one that no rule
was changed for: by phrases alone, as while the local model is away, and by phrases and meaning, as ever else."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from libs.contracts.embedding import Embedded
from libs.contracts.errors import CallTimeout
from libs.contracts.subjects import EMBED
from services.data.knowledge.embedder import LocalEmbedder
from services.decision.domain.text import fold, words
from services.decision.negotiation.domain.classify import Reading
from services.decision.negotiation.reader import Reader

PARTS = ("tuning", "learned", "held_out")
"""Phrases may be changed for the first and weights learn from the first two; nothing is changed for the last."""
NONE = "none"
MEANING, PHRASES = "meaning", "phrases"
"""Ways of reading: phrases and what sentences mean, or phrases alone."""


@dataclass(frozen=True)
class Utterance:
    """What somebody answered; `objection` is `none` where nothing was objected to, `variety` gulf, msa, english or mixed."""

    part: str
    objection: str
    variety: str
    text: str


@dataclass(frozen=True)
class ClassScore:
    """Of one class in one part. Precision is None where the class was never read, and F1 is 0 then."""

    part: str
    objection: str
    utterances: int
    precision: float | None
    recall: float
    f1: float


@dataclass(frozen=True)
class VarietyScore:
    """Of one language or mixture in one part. `to_person`: an objection in which nothing clear was read."""

    variety: str
    utterances: int
    right: int
    wrong: int
    to_person: int


@dataclass(frozen=True)
class Score:
    """Of one part, read one way. `wrong`: read as another class than the right one, which a person has to notice; what is not read goes to a
    person. `right` counts what objects to nothing and was read so."""

    part: str
    by: str
    utterances: int
    right: int
    accuracy: float
    macro_f1: float
    wrong: int
    to_person: int
    classes: tuple[ClassScore, ...]
    varieties: tuple[VarietyScore, ...]
    missed: tuple[tuple[str, str, str], ...]
    """Class, what was read instead, text."""

    def document(self) -> dict[str, Any]:
        return asdict(self)


@cache
def utterances() -> tuple[Utterance, ...]:
    """The labelled set. Raises KeyError, ValueError where a file is not one."""
    found: list[Utterance] = []
    for part in PARTS:
        classes = yaml.safe_load(Path(__file__).with_name(f"{part}.yaml").read_text(encoding="utf-8"))
        for objection, varieties in classes.items():
            for variety, texts in varieties.items():
                found += [Utterance(part, objection, variety, text) for text in texts]
    return tuple(found)


class Nearby:
    """Data's local model without a bus, or its absence."""

    def __init__(self, embedder: LocalEmbedder | None) -> None:
        self._embedder = embedder

    async def call(self, call: Any, request: Any, *, timeout: float | None = None) -> Any:
        """Raises CallTimeout where there is no model."""
        if call is not EMBED or self._embedder is None:
            raise CallTimeout(call.subject)
        vectors = await self._embedder.vectors(request.texts)
        return Embedded(model_id=self._embedder.model_id, vectors=tuple(tuple(one) for one in vectors))


def close(one: str, other: str) -> float:
    """How much two texts share, 0-1: of the three-letter runs of both, folded, those in both (Jaccard)."""
    a, b = _runs(one), _runs(other)
    return len(a & b) / len(a | b) if a | b else 1.0


def _runs(text: str) -> set[str]:
    plain = f" {' '.join(words(fold(text)))} "
    return {plain[at : at + 3] for at in range(len(plain) - 2)}


def measure() -> list[Score]:
    """Both parts, by phrases and meaning and then by phrases alone."""
    found = []
    logging.getLogger("services.decision").setLevel(logging.CRITICAL)
    for by, embedder in ((MEANING, LocalEmbedder()), (PHRASES, None)):
        read = asyncio.run(Reader(Nearby(embedder)).read_all([one.text for one in utterances()]))
        found += [_score(part, by, [one for one in utterances() if one.part == part], read) for part in PARTS]
    return found


def _score(part: str, by: str, given: Sequence[Utterance], readings: Mapping[str, Reading]) -> Score:
    read = [readings[one.text].objection or NONE for one in given]
    pairs = Counter(zip((one.objection for one in given), read, strict=True))
    classes = [_of_class(part, name, pairs) for name in dict.fromkeys(one.objection for one in given)]
    varieties = tuple(
        VarietyScore(
            name, *_outcomes([(u.objection, r) for u, r in zip(given, read, strict=True) if u.variety == name])
        )
        for name in dict.fromkeys(one.variety for one in given)
    )
    count, right, wrong, to_person = _outcomes([(u.objection, r) for u, r in zip(given, read, strict=True)])
    return Score(
        part, by, count, right, right / count, sum(one.f1 for one in classes) / len(classes), wrong, to_person, tuple(classes), varieties,
        tuple((one.objection, found, one.text) for one, found in zip(given, read, strict=True) if one.objection != found),
    )  # fmt: skip


def _outcomes(pairs: Sequence[tuple[str, str]]) -> tuple[int, int, int, int]:
    """How many there are, read right, read as another class, and left to a person."""
    right = sum(true == found for true, found in pairs)
    unread = sum(true != NONE and found == NONE for true, found in pairs)
    return len(pairs), right, len(pairs) - right - unread, unread


def _of_class(part: str, name: str, pairs: Counter[tuple[str, str]]) -> ClassScore:
    true = sum(count for (right, _), count in pairs.items() if right == name)
    found = sum(count for (_, read), count in pairs.items() if read == name)
    hit = pairs[name, name]
    return ClassScore(part, name, true, hit / found if found else None, hit / true, 2 * hit / (true + found))
