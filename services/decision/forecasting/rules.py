"""What forecasts are made with, as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.forecasts import Track
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class TrackRule(Message):
    metric: str
    deals: Literal["all", "partner", "none"]
    en: str
    ar: str


class ForecastRules(Message):
    history_months: Annotated[int, Field(ge=12, le=120)]
    train_months: Annotated[int, Field(ge=3)]
    residuals: Annotated[int, Field(ge=4)]
    won: Annotated[int, Field(ge=1)]
    horizons: Annotated[tuple[int, ...], Field(min_length=1)]
    seasonal_months: Annotated[int, Field(ge=24)]
    baseline_months: Annotated[int, Field(ge=1)]
    prior: Annotated[float, Field(gt=0)]
    level: Annotated[float, Field(gt=0, lt=1)]
    drivers: Annotated[int, Field(ge=1)]
    stored_deals: Annotated[int, Field(ge=1)]
    settle_days: Annotated[int, Field(ge=1)]
    tracks: dict[Track, TrackRule]

    @model_validator(mode="after")
    def _whole(self) -> ForecastRules:
        if set(self.tracks) != set(Track):
            raise ValueError("every track is described once")
        for rule in self.tracks.values():
            if rule.metric not in metrics():
                raise ValueError(f"{rule.metric} is not in the dictionary of metrics")
        return self

    def least_months(self, horizon: int) -> int:
        """Whole months that it takes to forecast so many months ahead: to train, to be tested on, and the months between."""
        return self.train_months + horizon + self.residuals


@cache
def rules() -> ForecastRules:
    """Raises pydantic.ValidationError when the file is wrong."""
    return ForecastRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
