"""The catalogue of flows as people read it: title, what it is for, how long it lasts. The steps are declared in the execution plane."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
Horizon = Literal["short", "medium", "long"]


class FlowEntry(Message):
    """`short` ends in seconds, `medium` waits for people, `long` lasts weeks and can be rolled back."""

    name: str
    horizon: Horizon
    title: Text
    about: Text


@cache
def flow_entries() -> dict[str, FlowEntry]:
    """All entries by name. Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: FlowEntry.model_validate({"name": name, **entry}) for name, entry in document["flows"].items()}
