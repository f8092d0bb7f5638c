"""The fit of partners as typed data: points of types and facts, and the offer that a score earns."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")

Points = Annotated[float, Field(ge=0, le=100)]


class PartnerType(Message):
    en: str
    ar: str
    points: Points


class Customers(Message):
    points: Points
    full_from: Annotated[int, Field(ge=1)]


class PartnerOffer(Message):
    """What a score of `least` or more earns."""

    least: Points = Field(alias="from")
    key: str
    en: str
    ar: str


class HealthTier(Message):
    """What `least` points or more are called."""

    least: Points = Field(alias="from")
    key: str
    en: str
    ar: str


class HealthRules(Message):
    """Points of an introduction, of a deal, and of a month up to `months_most` points; never more than 100 in all."""

    intros: Points
    deals: Points
    months: Points
    months_most: Points
    tiers: Annotated[tuple[HealthTier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rises(self) -> HealthRules:
        if [one.least for one in self.tiers] != sorted({one.least for one in self.tiers}) or self.tiers[0].least:
            raise ValueError("tiers rise from zero")
        return self

    def tier(self, score: float) -> HealthTier:
        return next(one for one in reversed(self.tiers) if score >= one.least)


class PartnerRules(Message):
    version: str
    types: dict[str, PartnerType]
    b2b: dict[str, Points]
    customers: Customers
    saudi: Points
    region: Points
    bonus: Points
    offers: Annotated[tuple[PartnerOffer, ...], Field(min_length=1)]
    white_label_paid_pilots: int
    health: HealthRules
    words: dict[str, Text]

    @model_validator(mode="after")
    def _complete(self) -> PartnerRules:
        fields = records().kinds[RecordKind.PARTNER].fields
        if set(self.types) != set(fields["type"].choices) or set(self.b2b) != set(fields["sells_to"].choices):
            raise ValueError("every type of partner and every market needs its points")
        if not {*fields["sells_to"].choices, *fields["saudi"].choices} <= set(self.words):
            raise ValueError("every choice is said in both languages")
        if [one.least for one in self.offers] != sorted(one.least for one in self.offers) or self.offers[0].least:
            raise ValueError("offers rise from zero")
        return self

    def said(self, value: str) -> Text:
        """A choice or a happening as people say it; what has no word stands for itself."""
        if value in self.types:
            return Text(en=self.types[value].en, ar=self.types[value].ar)
        return self.words.get(value, Text(en=value, ar=value))

    def offer(self, score: float) -> PartnerOffer:
        return next(one for one in reversed(self.offers) if score >= one.least)


@cache
def partner_rules() -> PartnerRules:
    """Raises pydantic.ValidationError when the file does not fit."""
    return PartnerRules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
