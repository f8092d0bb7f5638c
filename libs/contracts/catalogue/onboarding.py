"""The steps of a customer's onboarding, and how each is known to be done."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
STEPS = 7
Evidence = Literal["person", "meeting_set", "meeting_held", "inbound", "payment"]


class OnboardingStep(Message):
    """One step. `next` is for us, `message` for the customer, with `{account}` for its name."""

    by: Evidence
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    next: Text
    message: Text

    @model_validator(mode="after")
    def _fits(self) -> OnboardingStep:
        for text in (self.message.en, self.message.ar):
            if {name for _, name, _, _ in string.Formatter().parse(text) if name} - {"account"}:
                raise ValueError(f"only {{account}} is filled in: {text!r}")
        return self


class OnboardingRules(Message):
    window_days: Annotated[int, Field(ge=1, le=3650)]
    stuck_hours: Annotated[float, Field(gt=0)]
    steps: dict[Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")], OnboardingStep]

    @model_validator(mode="after")
    def _whole(self) -> OnboardingRules:
        if len(self.steps) != STEPS:
            raise ValueError(f"onboarding has {STEPS} steps")
        return self


@cache
def onboarding() -> OnboardingRules:
    """Raises pydantic.ValidationError when the catalogue is wrong."""
    return OnboardingRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
