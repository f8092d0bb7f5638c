"""Decision cards as typed data: roles and what they see, the order of the feed, and the card of each event."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.decision import Button, CardType
from libs.contracts.message import Message, Text
from libs.contracts.trust import Mode

FILE = Path(__file__).with_suffix(".yaml")

Points = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Risk = Literal["low", "medium", "high"]


class FeedWeights(Message):
    urgency: Share
    revenue: Share
    risk: Share
    staleness: Share
    proof: Share

    @model_validator(mode="after")
    def _whole(self) -> FeedWeights:
        if abs(sum(dict(self).values()) - 1) > 1e-9:
            raise ValueError("feed weights must add up to 1")
        return self


class Role(Message):
    """A business role and the types of cards it sees."""

    en: str
    ar: str
    types: Annotated[tuple[CardType, ...], Field(min_length=1)]


class Kind(Message):
    en: str
    ar: str
    proof: Points


class ButtonEntry(Message):
    action: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    en: str
    ar: str

    @property
    def button(self) -> Button:
        """Raises pydantic.ValidationError for a label over 20 characters."""
        return Button(action=self.action, label_ar=self.ar, label_en=self.en)


class CardEvent(Message):
    """What one event puts in front of whom. Texts hold `{name}` for the values that the event must bring."""

    type: CardType
    roles: Annotated[tuple[str, ...], Field(min_length=1)]
    dedupe: str
    expires_hours: Annotated[float, Field(gt=0)]
    action_mode: Mode
    proof_impact: str
    values: tuple[str, ...]
    title: Text
    why_now: Text
    recommended: Text
    buttons: Annotated[tuple[ButtonEntry, ...], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _fits(self) -> CardEvent:
        allowed = {*self.values, "subject"}
        for text in (self.title, self.why_now, self.recommended):
            for language in (text.en, text.ar):
                if strange := fields(language) - allowed:
                    raise ValueError(f"unknown values {sorted(strange)} in {language!r}")
        if not fields(self.dedupe) or fields(self.dedupe) - allowed:
            raise ValueError("`dedupe` must name the subject or a value, or every card would be the same one")
        if len({entry.action for entry in self.buttons}) != len(self.buttons):
            raise ValueError("two buttons of a card may not mean the same")
        for entry in self.buttons:
            _ = entry.button
        return self


class Watch(Message):
    """What the watch over the records looks for, in whole days, and how often it looks."""

    deal_idle_days: Annotated[int, Field(ge=1)]
    partner_idle_days: Annotated[int, Field(ge=1)]
    answered_within_days: Annotated[int, Field(ge=1)]
    won_within_days: Annotated[int, Field(ge=1)]
    customer_idle_days: Annotated[int, Field(ge=1)]
    most: Annotated[int, Field(ge=1, le=500)]
    every_minutes: Annotated[int, Field(ge=1)]


class TicketHours(Message):
    """Hours to the first answer and to the end."""

    answer: Annotated[float, Field(gt=0)]
    end: Annotated[float, Field(gt=0)]
    en: str
    ar: str


class PartnerStage(Message):
    """A stage of a partnership, and what is done next where nobody wrote it down."""

    en: str
    ar: str
    step: Text


class Cards(Message):
    version: str
    feed_weights: FeedWeights
    feed_limit: Annotated[int, Field(ge=1, le=7)]
    brief_limit: Annotated[int, Field(ge=1, le=3)]
    risk_points: dict[Risk, Points]
    urgent_within_hours: float
    calm_from_hours: float
    stale_after_hours: float
    revenue_unknown: Points
    skipped_days: Annotated[int, Field(ge=1)]
    watch: Watch
    ticket_hours: dict[str, TicketHours]
    partner_stages: dict[str, PartnerStage]
    roles: dict[str, Role]
    types: dict[CardType, Kind]
    events: dict[str, CardEvent]

    @model_validator(mode="after")
    def _consistent(self) -> Cards:
        if set(self.types) != set(CardType):
            raise ValueError("every type of card needs an entry")
        if missing := set(CardType) - {event.type for event in self.events.values()}:
            raise ValueError(f"no event makes cards of type {sorted(missing)}")
        for name, event in self.events.items():
            for role in event.roles:
                if role not in self.roles or event.type not in self.roles[role].types:
                    raise ValueError(f"{name}: role {role} does not see cards of type {event.type}")
        return self

    def sees(self, role: str, card_type: CardType) -> bool:
        """Whether a role's feed holds cards of a type; a role that is not known sees nothing."""
        known = self.roles.get(role)
        return known is not None and card_type in known.types


def fields(template: str) -> set[str]:
    """Names in braces in a template."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@cache
def cards() -> Cards:
    """The catalogue of cards. Raises pydantic.ValidationError when the file does not fit."""
    return Cards.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
