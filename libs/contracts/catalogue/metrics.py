"""The dictionary of metrics: each is defined once, and whoever shows a number asks for it by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Plane

FILE = Path(__file__).with_suffix(".yaml")


class MetricRule(Message):
    """One definition. Either `sql` computes it over the rows of `plane`, or `missing` names the data that it still lacks."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    plane: Plane = Plane.DATA
    unit: Literal["SAR", "share", "days", "hours", "seconds", "points", "count"]
    track: Literal["revenue", "intelligence", "compliance", "expansion", "operations", "trust"]
    grain: str
    dimensions: tuple[str, ...]
    freshness_hours: float
    period: bool
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    definition_en: Annotated[str, Field(min_length=1)]
    definition_ar: Annotated[str, Field(min_length=1)]
    sql: str = ""
    missing: str = ""
    missing_ar: str = ""

    @model_validator(mode="after")
    def _either(self) -> MetricRule:
        if bool(self.sql) == bool(self.missing) or bool(self.missing) != bool(self.missing_ar):
            raise ValueError(f"{self.name}: either sql, or missing in both languages")
        if self.sql and f"{self.plane.value}." not in self.sql:
            raise ValueError(f"{self.name}: its SQL reads no table of {self.plane.value}")
        return self


@cache
def metrics() -> dict[str, MetricRule]:
    """All metrics by name, in catalogue order.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: MetricRule.model_validate({"name": name, **fields}) for name, fields in document.items()}
