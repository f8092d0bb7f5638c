"""The reviewed texts as typed data. Both languages have the same parts; a placeholder nobody fills is an error at start."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.catalogue.targeting import targeting

Language = Literal["ar", "en"]
Tone = Literal["formal", "warm"]
Variants = Annotated[tuple[str, ...], Field(min_length=1)]

PLACEHOLDERS = frozenset(
    {
        "honorific",
        "call",
        "respected",
        "name",
        "first",
        "company",
        "sender",
        "person",
        "on_date",
        "last_on",
        "event",
        "topic",
        "offer",
        "date",
        "opt_out_url",
    }
)
_FOLDER = Path(__file__).parent


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ByTone(_Entry):
    formal: Variants
    warm: Variants


class Greetings(_Entry):
    """By what is known of the addressee: name and gender, name only, company only, nothing."""

    named: Variants
    unsure: Variants
    company: Variants
    nobody: Variants


class GreetingSet(_Entry):
    formal: Greetings
    warm: Greetings
    short: Greetings


class Introductions(_Entry):
    person: Variants
    company: Variants
    formal_person: Variants
    formal_company: Variants


class Mention(_Entry):
    """What is said of something that they did, and the question that follows from it."""

    say: Variants
    ask: Variants


class OptOut(_Entry):
    email: str
    whatsapp: str


class Texts(_Entry):
    """All texts of one language."""

    version: str
    greeting: GreetingSet
    introduction: Introductions
    opening: dict[str, ByTone]
    unnamed_event: str
    your_company: str
    on_date: str
    last_on: str
    signals: dict[str, Mention]
    topic: Variants
    offer: Variants
    angle: dict[str, Variants]
    ask: ByTone
    closing: ByTone
    opt_out: OptOut
    subject: dict[str, Variants]
    subject_signals: dict[str, Variants]

    @model_validator(mode="after")
    def _complete(self) -> Texts:
        rules = targeting()
        if strange := _placeholders(self.model_dump()) - PLACEHOLDERS:
            raise ValueError(f"placeholders that nobody fills: {sorted(strange)}")
        if set(self.opening) != set(self.subject) or set(self.opening) - set(sources()):
            raise ValueError("openings and subjects must be for the same, known sources")
        if refused := {key for key in self.opening if sources()[key].handling is not Handling.ACCEPT}:
            raise ValueError(f"nobody writes to leads from {sorted(refused)}")
        if set(self.signals) != {key for key, signal in rules.signals.items() if signal.mention}:
            raise ValueError("there must be a text for exactly the signals that may be mentioned")
        if {sector.group for sector in rules.sectors.values()} | {"other"} != set(self.angle):
            raise ValueError("there must be an angle for every group of sectors, and one for the others")
        return self


class Tones(_Entry):
    """Who is written to formally."""

    formal_groups: tuple[str, ...]
    formal_roles: tuple[str, ...]
    warm_sources: tuple[str, ...]
    formal_sources: tuple[str, ...]
    mention_from: Annotated[float, Field(ge=0, le=1)]


def _placeholders(value: Any) -> set[str]:
    if isinstance(value, str):
        return {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    if isinstance(value, dict):
        value = list(value.values())
    return set().union(*(_placeholders(one) for one in value)) if isinstance(value, list | tuple) else set()


@cache
def texts(language: Language, version: str = "") -> Texts:
    """The texts of a language, in another version than the usual one where it is named.

    Raises OSError for a version that is not here, pydantic.ValidationError when the file does not fit.
    """
    usual = _load(f"texts_{language}")
    if not version:
        return Texts.model_validate(usual)
    changed = _over(usual, _load(f"versions/{version}")[language])
    return Texts.model_validate({**changed, "version": f"{version}-{language}"})


def _over(usual: Any, other: Any) -> Any:
    """The usual texts with those that a version says otherwise; lists are replaced whole."""
    if not (isinstance(usual, dict) and isinstance(other, dict)):
        return other
    return {**usual, **{name: _over(usual.get(name), value) for name, value in other.items()}}


@cache
def tones() -> Tones:
    """Which tone for whom. Raises pydantic.ValidationError when the file does not fit."""
    return Tones.model_validate(_load("tones"))


def _load(name: str) -> Any:
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
