"""Measures which objection is read out of what people answer, class by class, on a tuning part and on one that no rule was changed for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.decision.negotiation.domain.classify import classify

PARTS = ("tuning", "held_out")
NONE = "none"


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
class Score:
    """Of one part. `wrong`: read as another class than the right one, which a person has to notice; what is not read goes to a person."""

    part: str
    utterances: int
    accuracy: float
    macro_f1: float
    wrong: int
    classes: tuple[ClassScore, ...]
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


def measure() -> list[Score]:
    """Both parts as the rules read them."""
    return [_score(part, [one for one in utterances() if one.part == part]) for part in PARTS]


def _score(part: str, given: list[Utterance]) -> Score:
    read = [classify(one.text).objection or NONE for one in given]
    pairs = Counter(zip((one.objection for one in given), read, strict=True))
    classes = [_of_class(part, name, pairs) for name in dict.fromkeys(one.objection for one in given)]
    hit = sum(count for (true, found), count in pairs.items() if true == found)
    return Score(
        part, len(given), hit / len(given), sum(one.f1 for one in classes) / len(classes),
        sum(count for (true, found), count in pairs.items() if found not in (true, NONE)), tuple(classes),
        tuple((one.objection, found, one.text) for one, found in zip(given, read, strict=True) if one.objection != found),
    )  # fmt: skip


def _of_class(part: str, name: str, pairs: Counter[tuple[str, str]]) -> ClassScore:
    true = sum(count for (right, _), count in pairs.items() if right == name)
    found = sum(count for (_, read), count in pairs.items() if read == name)
    hit = pairs[name, name]
    return ClassScore(part, name, true, hit / found if found else None, hit / true, 2 * hit / (true + found))
