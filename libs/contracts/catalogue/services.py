"""The service tower: what a client can buy, what it needs, how it is delivered, and which metric shows whether it worked."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


class PriceRange(Message):
    """SAR before VAT; both ends count."""

    least: Annotated[int, Field(ge=0, alias="from")]
    most: Annotated[int, Field(ge=0, alias="to")]

    @model_validator(mode="after")
    def _ordered(self) -> PriceRange:
        if self.most < self.least:
            raise ValueError("a price range goes upwards")
        return self


class ServiceRule(Message):
    """One service. `sla_days` are working days until the first delivery; `proof_metric` is a metric of the dictionary."""

    name: Text
    price: PriceRange
    sla_days: Annotated[int, Field(ge=1, le=90)]
    proof_metric: str
    deliverables: Texts
    inputs: Texts
    workflow: Texts

    @model_validator(mode="after")
    def _proven(self) -> ServiceRule:
        if self.proof_metric not in metrics():
            raise ValueError(f"{self.proof_metric} is no metric of the dictionary")
        return self


@cache
def services() -> dict[str, ServiceRule]:
    """All services by key, in the order of the tower.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {key: ServiceRule.model_validate(fields) for key, fields in document.items()}
