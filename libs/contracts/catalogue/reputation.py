"""The catalogue of the reputation guard: which rates cost a sender how much."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import model_validator

from libs.contracts.message import Message
from libs.contracts.outreach import SignalKind

FILE = Path(__file__).with_suffix(".yaml")


class RateRule(Message):
    """Points lost when a rate is above, or below, a limit."""

    kind: SignalKind
    above: float | None = None
    below: float | None = None
    points: int
    en: str
    ar: str

    @model_validator(mode="after")
    def _one_limit(self) -> RateRule:
        if (self.above is None) == (self.below is None):
            raise ValueError("a rule has one limit")
        return self

    @property
    def limit(self) -> float:
        return self.above if self.above is not None else self.below or 0.0

    def broken(self, rate: float) -> bool:
        return rate > self.limit if self.above is not None else rate < self.limit


class Reputation(Message):
    days: int
    start: int
    pause_below: int
    least_sent: int
    rules: tuple[RateRule, ...]


@cache
def reputation() -> Reputation:
    """The whole catalogue. Raises pydantic.ValidationError when it is wrong."""
    return Reputation.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
