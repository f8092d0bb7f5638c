"""What people call the values that more than one plane shows, in both languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Text

FILE = Path(__file__).with_suffix(".yaml")


@cache
def words() -> dict[str, dict[str, Text]]:
    """Every group of words by value. Raises pydantic.ValidationError when one lacks a language."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        group: {value: Text.model_validate(pair) for value, pair in entries.items()} for group, entries in document.items()
    }  # fmt: skip


def word(group: str, value: str) -> Text:
    """The name of a value; one that nobody named (a newer plane's) stands for itself. Raises KeyError for an unknown group."""
    return words()[group].get(value) or Text(en=value, ar=value)


def effect_title(name: str) -> Text:
    """What people call an action type; a plugin's that is gone stands for itself."""
    found = effects().get(name)
    return Text(en=found.en, ar=found.ar) if found else Text(en=name, ar=name)
