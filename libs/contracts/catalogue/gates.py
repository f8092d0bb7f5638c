"""The gates before a launch, as data: who owns each, what is looked at, what it blocks."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.controls import controls
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.roles import roles
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class Source(StrEnum):
    """Where a gate is read: trust's controls and records, this installation itself, a metric, the models in use."""

    CONTROLS = "controls"
    RECORDS = "records"
    INSTALLATION = "installation"
    METRIC = "metric"
    MODELS = "models"


class Look(Message):
    """One thing that is looked at. `at_least` belongs to a metric."""

    by: Source
    of: Annotated[str, Field(min_length=1)]
    at_least: Decimal | None = None

    @model_validator(mode="after")
    def _complete(self) -> Look:
        if (self.by is Source.METRIC) != (self.at_least is not None):
            raise ValueError(f"{self.of}: a metric, and nothing else, has a threshold")
        if self.by is Source.CONTROLS and self.of not in controls():
            raise ValueError(f"{self.of} is no control")
        if self.by is Source.METRIC and self.of not in metrics():
            raise ValueError(f"{self.of} is no metric")
        return self

    @property
    def key(self) -> str:
        return f"{self.by.value}:{self.of}"


class Gate(Message):
    """One gate. It passes when everything that is looked at passes. Where that leaves it unknown, and never where something fails,
    the word of a person in one of the roles of `attested_by` counts, for at most `longest_days`."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    blocking: bool
    owner: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    evidence_en: Annotated[str, Field(min_length=1)]
    evidence_ar: Annotated[str, Field(min_length=1)]
    todo_en: Annotated[str, Field(min_length=1)]
    todo_ar: Annotated[str, Field(min_length=1)]
    looks: tuple[Look, ...] = ()
    attested_by: tuple[str, ...] = ()
    longest_days: Annotated[int, Field(ge=1, le=366)] = 366

    @model_validator(mode="after")
    def _answerable(self) -> Gate:
        if not self.looks and not self.attested_by:
            raise ValueError(f"{self.key}: neither a check nor a person answers for it")
        if unknown := {self.owner, *self.attested_by} - set(roles().system_roles):
            raise ValueError(f"{self.key}: no such role: {', '.join(sorted(unknown))}")
        return self


class Environment(Message):
    """A kind of installation. `enforced`: there an open blocking gate keeps connectors from going live."""

    key: str
    enforced: bool
    en: str
    ar: str


class Gates(Message):
    points_blocking: Annotated[int, Field(ge=1)]
    points_other: Annotated[int, Field(ge=1)]
    points_plane: Annotated[int, Field(ge=1)]
    environments: dict[str, Environment]
    gates: dict[str, Gate]

    @model_validator(mode="after")
    def _safe(self) -> Gates:
        if not self.environments["production"].enforced:
            raise ValueError("gates hold in production")
        return self

    def points(self, gate: Gate) -> int:
        """What a gate is worth in the score."""
        return self.points_blocking if gate.blocking else self.points_other


@cache
def gates() -> Gates:
    """The catalogue.

    Raises pydantic.ValidationError when it is wrong.
    """
    said = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    said["gates"] = {key: {"key": key, **one} for key, one in said["gates"].items()}
    said["environments"] = {key: {"key": key, **one} for key, one in said["environments"].items()}
    return Gates.model_validate(said)
