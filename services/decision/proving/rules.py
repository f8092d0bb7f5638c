"""The words and steps of a proof pack as typed data."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.work_units import work_units
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_name("rules.yaml")
SECTIONS = ("created", "protected", "needs_approval", "revenue_impact", "upgrade_path")
Case = Literal[
    "approvals", "contradictions", "overdue", "won", "lost", "idle", "no_amount", "new", "open", "negotiating", "no_work", "always"
]  # fmt: skip
Because = Literal["estimate", "company", "actual", "lost", "no_value", "no_history", "no_open", "unread"]


class NextRule(Message):
    case: Case
    en: str
    ar: str
    why_en: str
    why_ar: str


class PathRule(Message):
    """A service and the units that have to be proved before it. Prices are SAR."""

    service: str
    en: str
    ar: str
    metric_en: str
    metric_ar: str
    price_from: Decimal = Field(alias="from")
    price_to: Decimal = Field(alias="to")
    needs: dict[str, Annotated[int, Field(ge=1)]]


class ProofRules(Message):
    version: str
    work_days: int
    deal_days: int
    path_days: int
    proofs: int
    approvals: int
    sections: dict[str, Text]
    weights_note: Text
    labels: dict[Literal["estimate", "actual", "none"], Text]
    because: dict[Because, Text]
    next: tuple[NextRule, ...]
    path: tuple[PathRule, ...]

    @model_validator(mode="after")
    def _whole(self) -> ProofRules:
        if set(self.sections) != set(SECTIONS):
            raise ValueError("every section has its title, and there is no other")
        if self.next[-1].case != "always":
            raise ValueError("the last recommendation holds always")
        if not {unit for step in self.path for unit in step.needs} <= set(work_units().units):
            raise ValueError("a step of the path needs a unit that there is not")
        return self


@cache
def rules() -> ProofRules:
    """Raises pydantic.ValidationError when the file does not fit."""
    return ProofRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
