"""The fit of a partner from its record: every part shown, what is not known earns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.contracts.catalogue.partners import PartnerRules


@dataclass(frozen=True, slots=True)
class Fit:
    """`parts` add up to `score`; `missing` are fields that would tell more."""

    score: float
    parts: dict[str, float]
    missing: tuple[str, ...]
    white_label: bool

    @property
    def confidence(self) -> float:
        """How much of what the score is made of is known."""
        return round(1 - 0.15 * len(self.missing), 2)


def fit(values: Mapping[str, Any], rules: PartnerRules) -> Fit:
    """Score a partner's record by the catalogue. White label takes paid pilots and introductions that were really made."""
    customers = values.get("customers")
    pilots, intros = values.get("paid_pilots") or 0, values.get("intros") or 0
    parts = {
        "type": rules.types[values["type"]].points,
        "b2b": rules.b2b.get(values.get("sells_to") or "", 0.0),
        "customers": 0.0
        if customers is None
        else round(rules.customers.points * min(1.0, customers / rules.customers.full_from), 1),
        "saudi": rules.saudi if values.get("saudi") == "yes" else 0.0,
        "region": rules.region if values.get("city") else 0.0,
        "bonus": rules.bonus if intros > 0 else 0.0,
    }
    missing = tuple(
        name for name in ("sells_to", "customers", "saudi", "city") if values.get(name) in (None, "", "unknown")
    )
    white_label = pilots >= rules.white_label_paid_pilots and intros > 0
    return Fit(round(min(100.0, sum(parts.values())), 1), parts, missing, white_label)
