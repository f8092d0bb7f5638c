"""The technology radar: what we build on, what we watch and when it would be adopted."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
STRONG_FOR = timedelta(days=90)
"""How long something is strong before it may be core."""


class Ring(StrEnum):
    CORE = "core"
    STRONG = "strong"
    PILOT = "pilot"
    WATCH = "watch"
    HOLD = "hold"


class Fact(StrEnum):
    """What a running system counts for a criterion (`services/gateway/http/radar.py`)."""

    FLOWS_COMPLETED = "flows_completed_30_days"
    POLICIES = "policies_in_force"
    CONNECTORS_LIVE = "connectors_live"
    SOURCES = "sources_of_newest_lists"
    TABLES = "tables_checked"


class Criterion(Message):
    """One line of "adopt when". With a `fact` it holds above a number; without one a person judges."""

    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    fact: Fact | None = None
    above: int | None = None

    @model_validator(mode="after")
    def _measured(self) -> Criterion:
        if (self.fact is None) != (self.above is None):
            raise ValueError(f"{self.en}: a fact and the number that it is compared with come together")
        return self


class RadarEntry(Message):
    """One technology."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    ring: Ring
    since: date
    area: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    adr: Annotated[str, Field(pattern=r"^[0-9]{4}$")] | None = None
    strong_since: date | None = None
    spike: Text | None = None
    adopt_when: tuple[Criterion, ...] = ()

    @model_validator(mode="after")
    def _earned(self) -> RadarEntry:
        if self.ring is Ring.CORE:
            if self.adr is None:
                raise ValueError(f"{self.name}: what is core has a decision")
            if self.strong_since is None or self.since - self.strong_since < STRONG_FOR:
                raise ValueError(f"{self.name}: what is core was strong for {STRONG_FOR.days} days")
        if self.ring is Ring.WATCH and not (self.adopt_when and self.spike):
            raise ValueError(f"{self.name}: what is watched says when it is adopted, and what is tried first")
        if self.ring is not Ring.WATCH and self.adopt_when:
            raise ValueError(f"{self.name}: only what is watched waits for criteria")
        return self

    @property
    def core_from(self) -> date | None:
        """The day from which it may be core; None for what is not strong or has no decision."""
        return self.since + STRONG_FOR if self.ring is Ring.STRONG and self.adr is not None else None


@cache
def radar() -> dict[str, RadarEntry]:
    """All entries by name, in the file's order. Raises pydantic.ValidationError when the radar is wrong."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: RadarEntry.model_validate({"name": name, **about}) for name, about in document["entries"].items()}
