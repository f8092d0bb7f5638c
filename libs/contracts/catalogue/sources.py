"""The sources a lead may have, as typed data: risk, what the source alone permits, and the names files give it."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Handling(StrEnum):
    """What happens to a row because of its source, before anything else is known of it; the strictest last."""

    ACCEPT = "accept"
    REVIEW = "review"
    BLOCK = "block"
    REFUSE = "refuse"


class Collection(StrEnum):
    """Whether the person gave the data. For `indirect` the duty to notify starts (PDPL article 13)."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class SourceRule(BaseModel):
    """One source. `risk` is 0 (none) to 100; None where it does not apply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    risk: Annotated[int, Field(ge=0, le=100)] | None = None
    handling: Handling
    collection: Collection
    names: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()

    @property
    def strictness(self) -> int:
        """0 for accept up to 3 for refuse: of two sources the stricter can be taken."""
        return list(Handling).index(self.handling)

    @model_validator(mode="after")
    def _risk_where_it_applies(self) -> SourceRule:
        # Fail closed: a source may only be accepted with a stated risk.
        if self.risk is None and self.handling in (Handling.ACCEPT, Handling.BLOCK):
            raise ValueError(f"source {self.key} is handled as {self.handling} and needs a risk")
        return self


UNKNOWN = "unknown"


@cache
def sources() -> dict[str, SourceRule]:
    """Every source by key, in catalogue order. Raises pydantic.ValidationError when the file does not fit."""
    text = Path(__file__).with_name("sources.yaml").read_text(encoding="utf-8")
    rules = {key: SourceRule(key=key, **entry) for key, entry in yaml.safe_load(text).items()}
    if UNKNOWN not in rules:
        raise ValueError("sources.yaml must say what happens to an unknown source")
    return rules
