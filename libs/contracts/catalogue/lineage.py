"""The kinds of things that lineage joins, the planes that keep them, and the words for how one came from another."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from libs.contracts.message import Message, Plane, Text

FILE = Path(__file__).with_suffix(".yaml")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FORMS = {"uuid": re.compile(_UUID), "row": re.compile(_UUID + r":[0-9]{1,9}")}
"""A row is named by its import and its number in the file."""


class LineageKind(Message):
    plane: Plane
    id: Literal["uuid", "row"]
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]

    def fits(self, id: str) -> bool:
        return FORMS[self.id].fullmatch(id) is not None


class LineageCatalogue(Message):
    kinds: dict[str, LineageKind]
    hows: dict[str, Text]


@cache
def lineage() -> LineageCatalogue:
    """Raises pydantic.ValidationError when the catalogue is wrong."""
    return LineageCatalogue.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
