"""What a fact from a source does to what a record holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from libs.contracts.enrichment import FactState
from services.data.crm.domain.values import shown
from services.data.importing.domain import values
from services.data.importing.domain.text import fold


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last fact that filled or was accepted into this field."""

    source: str
    value: str
    obtained_on: date


def weigh(
    field: str, current: Any, value: Any, *, source: str, obtained_on: date, earlier: Earlier | None
) -> FactState:
    """Fill what is empty, confirm what is the same, follow the same source's newer word where nobody else has spoken since;
    everything else is a dispute for a person."""
    if current in (None, ""):
        return FactState.APPLIED
    if same(field, current, value):
        return FactState.CONFIRMED
    if (
        earlier is not None
        and earlier.source == source
        and earlier.obtained_on <= obtained_on
        and same(field, current, earlier.value)
    ):
        return FactState.APPLIED
    return FactState.DISPUTED


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two values say the same: cities and sectors by what they mean, texts without regard to letter shapes."""
    left, right = str(shown(one)), str(shown(other))
    if field in ("city", "sector"):
        known = values.city if field == "city" else values.sector
        if (meant := known(left)) is not None:
            return meant == known(right)
    return left == right or fold(left) == fold(right)
