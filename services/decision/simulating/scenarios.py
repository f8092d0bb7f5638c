"""The scenarios, as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
Lever = Literal["new_deals", "win_rate", "amount", "cycle_months", "monthly_cost"]


class Scenario(Message):
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    changes: dict[Lever, Annotated[float, Field(gt=0, le=10)]]


@cache
def scenarios() -> dict[str, Scenario]:
    """All scenarios in order; the first changes nothing. Raises pydantic.ValidationError, or ValueError when there are not seven."""
    found = {
        key: Scenario.model_validate(fields) for key, fields in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()
    }
    if len(found) != 7 or next(iter(found.values())).changes:
        raise ValueError("there are seven scenarios, and the first changes nothing")
    return found
