"""The catalogue of service level objectives: what is promised, on which numbers, who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
WINDOW_DAYS = 30


class Burn(NamedTuple):
    """An alert when the budget of 30 days burns `rate` times too fast over both windows."""

    rate: float
    long: str
    short: str
    severity: str

    @property
    def minutes(self) -> int:
        return _minutes(self.long)

    @property
    def short_minutes(self) -> int:
        return _minutes(self.short)


def _minutes(window: str) -> int:
    return int(window[:-1]) * {"m": 1, "h": 60, "d": 1440}[window[-1]]


# Google, Site Reliability Workbook, chapter 5, table 5-8: 2 % of the budget in an hour, 5 % in six, 10 % in three days.
BURNS = (Burn(14.4, "1h", "5m", "page"), Burn(6, "6h", "30m", "page"), Burn(1, "3d", "6h", "ticket"))


class SloKind(StrEnum):
    RATIO = "ratio"
    LATENCY = "latency"
    LEVEL = "level"


class Slo(Message):
    """One objective. `seconds` belongs to a latency, `bad` to a ratio, `limit` and `for_minutes` to a level."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: SloKind
    metric: Annotated[str, Field(pattern=r"^dealix_[a-z_]+$")]
    where: Mapping[str, str] = {}
    without: Mapping[str, str] = {}
    bad: Mapping[str, str] = {}
    seconds: float | None = None
    limit: float | None = None
    for_minutes: int | None = None
    objective: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    owner: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Slo:
        needs = {
            SloKind.RATIO: bool(self.bad) and self.objective is not None,
            SloKind.LATENCY: self.seconds is not None and self.objective is not None,
            SloKind.LEVEL: self.limit is not None and self.for_minutes is not None,
        }
        if not needs[self.kind]:
            raise ValueError(f"{self.name}: a {self.kind.value} objective lacks one of its fields")
        return self


@cache
def slos() -> dict[str, Slo]:
    """All objectives by name, in catalogue order.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Slo.model_validate({"name": name, **fields}) for name, fields in document.items()}
