"""The catalogue of flows as people read it: title, what it is for, how long it lasts, and what its steps are called. What the steps do
is declared in the execution plane."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
Horizon = Literal["short", "medium", "long"]


class FlowEntry(Message):
    """`short` ends in seconds, `medium` waits for people, `long` lasts weeks and can be rolled back. `steps` are titles by a step's name."""

    name: str
    horizon: Horizon
    title: Text
    about: Text
    steps: dict[str, Text]


@cache
def flow_entries() -> dict[str, FlowEntry]:
    """All entries by name. Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: FlowEntry.model_validate({"name": name, **entry}) for name, entry in document["flows"].items()}


def flow_title(flow: str) -> Text:
    """What people call a flow; one that nobody described (a plugin's, a newer plane's) stands for itself."""
    entry = flow_entries().get(flow)
    return entry.title if entry else Text(en=flow, ar=flow)


def step_title(flow: str, step: str) -> Text:
    """What people call a step of a flow."""
    entry = flow_entries().get(flow)
    return (entry.steps.get(step) if entry else None) or Text(en=step, ar=step)
