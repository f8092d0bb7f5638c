"""How leads are weighed, as typed data: weights, tiers, customer profile, titles, signals, channels."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.sources import sources
from libs.contracts.message import Message
from libs.contracts.trust import Contactability

FILE = Path(__file__).with_suffix(".yaml")

Points = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0)]


class Weights(Message):
    """The share of each part in the score; they add up to 1."""

    fit: Share
    intent: Share
    urgency: Share
    revenue: Share
    engagement: Share
    quality: Share
    compliance: Share
    deliverability: Share

    @model_validator(mode="after")
    def _whole(self) -> Weights:
        total = sum(dict(self).values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"weights must add up to 1, not {total:.4f}")
        return self


class Unknown(Message):
    """What an unknown fact is worth."""

    sector: Points
    size: Points
    role: Points
    revenue: Points
    source_risk: Points


class Named(Message):
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]


class Sector(Named):
    fit: Points
    group: str


class Size(Named):
    """A band of company sizes; `upto` employees inclusive, None for the last."""

    upto: int | None = None
    fit: Points


class CommitteeRole(Named):
    """A place in the buying committee and the job titles that put someone there."""

    fit: Points
    titles: Annotated[tuple[str, ...], Field(min_length=1)]


class SourceSignal(Named):
    """What the way we got the data says about interest, decaying from the day we got it.

    `detail` is whether the source's detail speaks of the lead itself.
    """

    intent: Points
    urgency: Points
    engagement: Points
    half_life_days: Days
    detail: bool = False


class Signal(SourceSignal):
    """A reason to act now, or (`against`) not to, and the phrases that tell it. After a `stop` nobody writes again."""

    against: bool = False
    stop: bool = False
    mention: bool = False
    instead_of: tuple[str, ...] = ()
    phrases: Annotated[tuple[str, ...], Field(min_length=1)]


class Topic(Named):
    """Something that a lead may be interested in, and the words that say so."""

    words: Annotated[tuple[str, ...], Field(min_length=1)]


class Channel(Named):
    """A way to reach a contact: `reach` says which identifier it needs."""

    reach: Literal["email", "phone"]
    base: Points
    affinity: dict[str, Points] = {}


class Autopilot(Message):
    """How many contactable leads the day's plan looks at and how many become drafts."""

    prospects: Annotated[int, Field(ge=1)]
    drafts: Annotated[int, Field(ge=1)]


class Targeting(Message):
    """Everything the ranking is computed from, beside the leads themselves."""

    version: str
    weights: Weights
    tiers: dict[str, Points]
    unknown: Unknown
    fit_weights: dict[Literal["sector", "size", "role"], Share]
    compliance_weights: dict[Literal["source", "contactability"], Share]
    quality_weights: dict[Literal["completeness", "freshness"], Share]
    quality_half_life_days: Days
    duplicate_penalty: Points
    engagement_half_life_days: Days
    undated_strength: Share
    completeness: dict[str, Share]
    field_names: dict[str, Named]
    sar_rates: dict[str, Decimal]
    email_kinds: dict[str, Points]
    phone_kinds: dict[str, Points]
    sectors: dict[str, Sector]
    sizes: Annotated[tuple[Size, ...], Field(min_length=1)]
    roles: dict[str, CommitteeRole]
    sources: dict[str, SourceSignal]
    signals: dict[str, Signal]
    topics: dict[str, Topic]
    negations: tuple[str, ...]
    channels: dict[str, Channel]
    channel_status: dict[Contactability, Points]
    contactability_value: dict[Contactability, Points]
    autopilot: Autopilot

    @model_validator(mode="after")
    def _consistent(self) -> Targeting:
        for name in ("fit_weights", "compliance_weights", "quality_weights", "completeness"):
            if abs(sum(getattr(self, name).values()) - 1) > 1e-9:
                raise ValueError(f"{name} must add up to 1")
        if set(self.completeness) != set(self.field_names):
            raise ValueError("completeness and field_names must name the same fields")
        if set(self.contactability_value) != set(Contactability):
            raise ValueError("contactability_value must value every state")
        if Contactability.BLOCKED in self.channel_status:
            raise ValueError("a blocked channel is never recommended and has no points")
        if [size.upto is None for size in self.sizes] != [False] * (len(self.sizes) - 1) + [True]:
            raise ValueError("every size but the last needs `upto`")
        if min(self.tiers.values()) != 0:
            raise ValueError("one tier must start at 0")
        if any(signal.stop and not signal.against for signal in self.signals.values()):
            raise ValueError("a request to stop is never a reason to act")
        if any(set(signal.instead_of) - set(self.signals) for signal in self.signals.values()):
            raise ValueError("`instead_of` names signals of the catalogue")
        if strange := set(self.sources) - set(sources()):
            raise ValueError(f"sources unknown to the catalogue: {sorted(strange)}")
        return self

    def tier(self, score: float) -> str:
        """The best tier whose threshold the score reaches."""
        return max((floor, name) for name, floor in self.tiers.items() if score >= floor)[1]


@cache
def targeting() -> Targeting:
    """The default weights and words. Raises pydantic.ValidationError when the file does not fit."""
    return Targeting.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
