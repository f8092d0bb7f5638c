"""The catalogue of feature flags: which exist, who answers for them, what holds where nobody has said anything."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
LIVE = "live."
"""Prefix of the flag that lets a connector's effects leave the system."""


class FlagKind(StrEnum):
    LIVE = "live"
    SETTING = "setting"


class Flag(Message):
    """One flag. A `live` flag is off by default, always."""

    name: Annotated[str, Field(pattern=r"^(live\.)?[a-z][a-z0-9_]*$")]
    kind: FlagKind
    default: bool
    locked: bool = False
    owner: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _live_is_off_by_default(self) -> Flag:
        if (self.kind is FlagKind.LIVE) != self.name.startswith(LIVE):
            raise ValueError(f"{self.name}: live flags, and only they, are named {LIVE}<connector>")
        if self.kind is FlagKind.LIVE and self.default:
            raise ValueError(f"{self.name}: a live flag is off by default")
        return self


@cache
def flags() -> dict[str, Flag]:
    """All flags by name, in catalogue order.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Flag.model_validate({"name": name, **fields}) for name, fields in document.items()}
