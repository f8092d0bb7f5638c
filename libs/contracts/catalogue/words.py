"""What people call the values that more than one plane shows, in both languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.message import Text

FILES = (Path(__file__).with_suffix(".yaml"), Path(__file__).with_name("names.yaml"))


@cache
def words() -> dict[str, dict[str, Text]]:
    """Every group of words by value. Raises pydantic.ValidationError when one lacks a language."""
    return {
        group: {value: Text.model_validate(pair) for value, pair in entries.items()}
        for file in FILES
        for group, entries in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }


def word(group: str, value: str) -> Text:
    """The name of a value; one that nobody named (a newer plane's) stands for itself. Raises KeyError for an unknown group."""
    return words()[group].get(value) or Text(en=value, ar=value)


def effect_title(name: str) -> Text:
    """What people call an action type; a plugin's that is gone stands for itself."""
    found = effects().get(name)
    return Text(en=found.en, ar=found.ar) if found else Text(en=name, ar=name)


def entry_title(kind: str) -> Text:
    """What people call a kind of ledger entry. Entries about flows and records are named by their parts."""
    known = words()
    if (found := known["ledger_kind"].get(kind)) is not None:
        return found
    of, _, verb = kind.partition(".")
    note, change, record = known["flow_note"].get(verb), known["record_verb"].get(verb), records().kinds
    if of == "flow" and note is not None:
        return Text(en=f"Flow: {note.en}", ar=f"مسار: {note.ar}")
    if change is not None and of in {one.value for one in record}:
        named = record[RecordKind(of)]
        return Text(en=f"{named.en} {change.en}", ar=f"{change.ar}: {named.ar}")
    return Text(en=kind, ar=kind)


def joined(*parts: Text) -> Text:
    """Several names beside each other."""
    return Text(en=" · ".join(part.en for part in parts), ar=" · ".join(part.ar for part in parts))
