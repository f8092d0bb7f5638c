"""Revenue work units as typed data: what each weighs, and which entries of the ledger prove it."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")

NAMED = (
    "opportunity_created", "target_ranked", "contact_blocked", "draft_created", "approval_collected", "meeting_drafted", "partner_suggested",
    "proof_generated", "payment_link_drafted", "deal_risk_detected", "risk_blocked", "followup_created", "support_ticket_resolved",
)  # fmt: skip
"""Every unit there is; cards name what deciding them proves by the same words."""
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_.]*$")]


class Proves(Message):
    """The entries that make a unit. All that is given has to hold."""

    kind: Word
    where: dict[Word, Annotated[tuple[str | int, ...], Field(min_length=1)]] = {}
    effects: tuple[Word, ...] = ()
    count: Word | None = None
    unless: Word | None = None


class WorkUnitRule(Message):
    """`weight` measures the work, never revenue."""

    weight: Annotated[Decimal, Field(gt=0, le=10)]
    section: Literal["created", "protected"]
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    proved_by: Annotated[tuple[Proves, ...], Field(min_length=1, alias="from")]


class WorkUnitRules(Message):
    version: str
    units: dict[str, WorkUnitRule]

    @model_validator(mode="after")
    def _whole(self) -> WorkUnitRules:
        if set(self.units) != set(NAMED):
            raise ValueError("every unit that cards name has its weight, and no other")
        named = {effect for unit in self.units.values() for proof in unit.proved_by for effect in proof.effects}
        if strange := named - set(effects()):
            raise ValueError(f"these are no registered effects: {sorted(strange)}")
        return self

    def as_rows(self, only: str | None = None) -> str:
        """The rules as JSON rows, for the statement that reads the ledger by them; `only` of one unit."""
        rows: list[dict[str, Any]] = [
            {
                "unit": unit, "kind": proof.kind, "wanted": {name: list(values) for name, values in proof.where.items()},
                "effects": list(proof.effects), "counted": proof.count, "unless": proof.unless,
            }
            for unit, rule in self.units.items() if only in (None, unit)
            for proof in rule.proved_by
        ]  # fmt: skip
        return json.dumps(rows)


@cache
def work_units() -> WorkUnitRules:
    """Raises pydantic.ValidationError when the file does not fit."""
    return WorkUnitRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
