"""The numbers that attribution is made with, read and checked once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.attribution import TouchKind
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
MODELS = ("even", "recent", "ends")


class AttributionRules(Message):
    weights: dict[TouchKind, Annotated[float, Field(gt=0)]]
    half_life_days: Annotated[float, Field(gt=0)]
    ends: Annotated[float, Field(gt=0, lt=0.5)]
    person_below: Annotated[float, Field(gt=0, lt=1)]
    most: Annotated[int, Field(ge=1, le=200)]
    models: dict[str, Text]

    @model_validator(mode="after")
    def _whole(self) -> AttributionRules:
        if set(self.weights) != set(TouchKind) or set(self.models) != set(MODELS):
            raise ValueError("every kind of touch has a weight, every model its words")
        return self


@cache
def rules() -> AttributionRules:
    """Raises pydantic.ValidationError when the file is wrong."""
    return AttributionRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
