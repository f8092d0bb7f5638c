"""What may be claimed of a subject, as typed data: how a value is read, and when two of them can't both hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
LONGEST = 200


class ContradictionKind(StrEnum):
    VALUE = "value"
    POLICY = "policy"
    STATUS = "status"
    TIMELINE = "timeline"
    OWNERSHIP = "ownership"
    METRIC = "metric"


class ClaimFields(Message):
    """Fields of a payload: those that claim the value, and those that name its subject."""

    value: tuple[str, ...]
    subject: tuple[str, ...]


class ClaimKey(Message):
    """One thing that may be claimed. `tolerance` is absolute in the first unit, `relative` a share of the larger value."""

    key: str
    kind: ContradictionKind
    severity: Literal["high", "medium", "low"]
    type: Literal["number", "date", "choice", "reference"]
    about: Annotated[tuple[str, ...], Field(min_length=1)]
    en: str
    ar: str
    units: dict[str, Decimal] = {}
    tolerance: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)
    days: int = 0
    choices: dict[str, tuple[str, str]] = {}
    before: str = ""
    payload: ClaimFields | None = None

    @model_validator(mode="after")
    def _complete(self) -> ClaimKey:
        if (self.type == "number") != bool(self.units) or (self.type == "choice") != bool(self.choices):
            raise ValueError(f"claim {self.key}: a number has units and a choice has choices, and nothing else does")
        return self

    def read(self, value: str, unit: str) -> tuple[str, str]:
        """A value and its unit in their one spelling.

        Raises ValueError when the value is not of this key's type, or the unit is not one of its.
        """
        text = value.strip()
        if not text or len(text) > LONGEST:
            raise ValueError("empty or too long")
        if self.type == "number":
            unit = unit or next(iter(self.units))
            if unit not in self.units:
                raise ValueError("unit")
            return _number(text), unit
        if unit:
            raise ValueError("unit")
        if self.type == "date":
            return date.fromisoformat(text).isoformat(), ""
        if self.type == "choice" and text.casefold() not in self.choices:
            raise ValueError("choice")
        return (text.casefold() if self.type == "choice" else " ".join(text.split())), ""

    def agree(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        """Whether two values, as `read` gives them, can both hold."""
        if self.type == "number":
            first, second = (Decimal(value) * self.units[unit] for value, unit in (one, other))
            allowed = max(self.tolerance, self.relative * max(abs(first), abs(second)))
            # Amounts in units that count different things are never the same.
            return self._alike(one[1], other[1]) and abs(first - second) <= allowed
        if self.type == "date":
            return abs((date.fromisoformat(one[0]) - date.fromisoformat(other[0])).days) <= self.days
        return one[0].casefold() == other[0].casefold()

    def _alike(self, one: str, other: str) -> bool:
        return one == other or self.units[one] != self.units[other]


def _number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("number") from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise ValueError("number")
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@cache
def claim_keys() -> dict[str, ClaimKey]:
    """All keys. Raises ValueError when one is incomplete, or names another that there is not."""
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))["claims"]
    found = {key: ClaimKey(key=key, **body) for key, body in loaded.items()}
    for one in found.values():
        if one.before and one.before not in found:
            raise ValueError(f"claim {one.key} lies before {one.before}, which there is not")
    return found
