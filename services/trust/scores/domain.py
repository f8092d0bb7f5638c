"""A score from counted rows: the weighted mean of the factors that have any. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import model_validator

from libs.contracts.governance import ScorePart, ScoreState
from libs.contracts.message import Message

FILE = Path(__file__).with_name("factors.yaml")
LOW = 50.0
"""Below this, an agent with enough rows has a person look at everything that it asks for."""


class Factor(Message):
    """What is counted, by which statement, and how much it weighs."""

    key: str
    weight: float
    en: str
    ar: str
    sql: str


class Factors(Message):
    window_days: int
    thin_below: int
    kinds: dict[str, tuple[Factor, ...]]

    @model_validator(mode="after")
    def _whole(self) -> Factors:
        for kind, own in self.kinds.items():
            if abs(sum(factor.weight for factor in own) - 1) > 1e-9:
                raise ValueError(f"{kind}: the weights have to add up to 1")
        return self


@dataclass(frozen=True, slots=True)
class Scored:
    score: float | None
    state: ScoreState
    rows: int
    parts: tuple[ScorePart, ...]


@cache
def factors() -> Factors:
    """The catalogue. Raises pydantic.ValidationError when the file does not fit."""
    return Factors.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def scored(own: Sequence[Factor], counts: Sequence[tuple[int, int]], *, thin_below: int) -> Scored:
    """The score of `counts`, rows and good rows for each factor. `thin` when the fullest factor has fewer rows than asked for."""
    parts = tuple(
        ScorePart(
            key=factor.key, en=factor.en, ar=factor.ar, weight=factor.weight, rows=rows, good=good,
            value=round(100 * good / rows, 1) if rows else None,
        )
        for factor, (rows, good) in zip(own, counts, strict=True)
    )  # fmt: skip
    counted = [part for part in parts if part.rows]
    if not counted:
        return Scored(None, ScoreState.NO_DATA, 0, parts)
    weight = sum(part.weight for part in counted)
    score = round(sum(part.weight * 100 * part.good / part.rows for part in counted) / weight, 1)
    rows = max(part.rows for part in counted)
    return Scored(score, ScoreState.THIN if rows < thin_below else ScoreState.SCORED, rows, parts)


def is_low(found: Scored) -> bool:
    """Whether it lowers what may be done: enough rows, and too few of them good. Having no data lowers nothing and widens nothing."""
    return found.state is ScoreState.SCORED and found.score is not None and found.score < LOW
