"""The catalogue of records: the kinds that a CRM keeps, their fields, and the stages of a deal."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class RecordKind(StrEnum):
    ACCOUNT = "account"
    CONTACT = "contact"
    LEAD = "lead"
    DEAL = "deal"
    ACTIVITY = "activity"
    TASK = "task"
    PARTNER = "partner"
    TICKET = "ticket"
    SPEND = "spend"
    PAYMENT = "payment"


class Stage(StrEnum):
    """How far a deal is."""

    NEW = "new"
    OPEN = "open"
    NEGOTIATING = "negotiating"
    WON = "won"
    LOST = "lost"


class FieldType(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    CR = "cr"
    VAT = "vat"
    INTEGER = "integer"
    MONEY = "money"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    REFERENCE = "reference"


class RecordField(Message):
    """One field. `fixed` ones are shown and never edited."""

    type: FieldType
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    required: bool = False
    fixed: bool = False
    max: int = 300
    least: int = 0
    most: int = 2**31 - 1
    choices: tuple[str, ...] = ()
    to: RecordKind | None = None

    @model_validator(mode="after")
    def _complete(self) -> RecordField:
        if (self.type is FieldType.CHOICE) != bool(self.choices) or (self.type is FieldType.REFERENCE) != bool(self.to):
            raise ValueError("a choice names its choices, a reference its kind")
        return self


class KindRule(Message):
    """A kind of record; `plural` is its path."""

    plural: str
    en: str
    ar: str
    many_en: str
    many_ar: str
    fields: dict[str, RecordField]


class StageRule(Message):
    en: str
    ar: str
    closed: bool = False
    needs_reason: bool = False


class Records(Message):
    stages: dict[Stage, StageRule]
    kinds: dict[RecordKind, KindRule]

    @model_validator(mode="after")
    def _complete(self) -> Records:
        if set(self.stages) != set(Stage) or set(self.kinds) != set(RecordKind):
            raise ValueError("every kind and every stage is described once")
        return self


@cache
def records() -> Records:
    """The whole catalogue.

    Raises pydantic.ValidationError when it is wrong.
    """
    return Records.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
