"""The checks of data quality, as data: what is counted, over which table, and how much of it has to be right."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class Dimension(StrEnum):
    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    UNIQUENESS = "uniqueness"
    FRESHNESS = "freshness"
    REFERENTIAL = "referential"
    SOURCE = "source"
    DRIFT = "drift"


class QualityCheck(Message):
    """One check. `goal` is a share of the rows."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    dimension: Dimension
    table: str
    goal: Annotated[float, Field(gt=0, le=1)]
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    sql: Annotated[str, Field(min_length=1)]
    sample: Annotated[str, Field(min_length=1)]


@cache
def quality_checks() -> dict[str, QualityCheck]:
    """All checks by name, in catalogue order. Raises pydantic.ValidationError when the catalogue is wrong."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: QualityCheck.model_validate({"name": name, **fields}) for name, fields in document.items()}
