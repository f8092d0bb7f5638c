"""What the security gate looks for, as typed data: kinds of findings, how serious each is, and the patterns that show it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import model_validator

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class Level(StrEnum):
    """What a finding leads to. Ordered from mildest to strictest; a finding never makes anything milder."""

    NOTE = "note"
    REVIEW = "review"
    BLOCK = "block"


LEVELS = tuple(Level)


class Kind(Message):
    """One kind of finding. `raw` patterns read the text as it is, the others its folded forms; some kinds have code instead."""

    code: str
    owasp: Literal["LLM01", "LLM02", "LLM05", "LLM06", "LLM10"]
    inbound: Level
    outbound: Level
    en: str
    ar: str
    raw: bool = False
    patterns: tuple[str, ...] = ()


class Screening(Message):
    version: str
    words: dict[str, str]
    kinds: dict[str, Kind]

    @model_validator(mode="after")
    def _sound(self) -> Screening:
        for kind in self.kinds.values():
            if kind.inbound is Level.BLOCK:
                raise ValueError(f"{kind.code}: what comes in is kept and reviewed, never dropped")
            expressions(kind, self.words)
        return self


def expressions(kind: Kind, words: dict[str, str]) -> tuple[str, ...]:
    """A kind's patterns with the word lists put in. Raises ValueError for one that does not compile."""
    filled = []
    for pattern in kind.patterns:
        for name, expression in words.items():
            pattern = pattern.replace("{" + name + "}", expression)
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{kind.code}: {pattern}: {error}") from error
        filled.append(pattern)
    return tuple(filled)


@cache
def screening() -> Screening:
    """The catalogue. Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    kinds = {code: {"code": code, **kind} for code, kind in document.pop("kinds").items()}
    return Screening.model_validate({**document, "kinds": kinds})
