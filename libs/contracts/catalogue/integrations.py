"""The registry of integrations: which other systems there are, how far each is, and what may be done through it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Message, Text
from libs.contracts.trust import ActionClass

FILE = Path(__file__).with_suffix(".yaml")

Status = Literal["available", "built_in", "planned", "refused"]
Rule = Literal["allowed", "approval_required", "blocked"]


class Scope(Message):
    """One thing that may, or may not, be done through an integration. `operation` is the vendor's."""

    action: str
    operation: str
    rule: Rule
    en: str
    ar: str


class Integration(Message):
    """An entry of the registry, in the words of the file."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,49}$")]
    connector: str | None = None
    status: Status
    category: str
    phase: Annotated[int, Field(ge=0, le=3)]
    risk: Literal["low", "medium", "high"]
    default: Literal["sandbox", "draft", "off", "local"]
    data: Literal["public", "internal", "confidential", "restricted"]
    cross_border: bool
    settings: tuple[str, ...] = ()
    en: str
    ar: str
    use: Text
    notes_ar: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Integration:
        if (self.phase == 0) != (self.status == "refused"):
            raise ValueError(f"{self.name}: what is refused has no phase, and only that")
        if self.status == "available" and self.connector is None:
            raise ValueError(f"{self.name}: what is available has a connector")
        return self

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What the catalogue of actions says may be done through its connector."""
        return tuple(
            Scope(action=one.name, operation=one.operation, rule=_rule(one.name), en=one.en, ar=one.ar)
            for one in effects().values()
            if self.connector is not None and one.connector == self.connector
        )


def _rule(name: str) -> Rule:
    effect = effects()[name]
    if effect.blocked or effect.action_class is ActionClass.C:
        return "blocked"
    return "allowed" if effect.action_class is ActionClass.A or effect.draft else "approval_required"


@cache
def integrations() -> dict[str, Integration]:
    """All integrations by name, in the file's order.

    Raises pydantic.ValidationError when the registry is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        name: Integration.model_validate({"name": name, **about}) for name, about in document["integrations"].items()
    }
