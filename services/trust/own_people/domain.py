"""Whether a person of the tenant may be written to now. No I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from libs.contracts.briefs import BriefHours

OwnRecipient = Literal["none", "unknown", "outside_hours", "known"]
"""As policy sees it: `none` where the effect writes to nobody of the tenant's own; `unknown` for a number that nobody has verified."""


def standing(found: list[BriefHours | None], now: datetime) -> OwnRecipient:
    """Of a number: `found` are the hours of whoever verified it. Hours that were never set are none at all."""
    if not found:
        return "unknown"
    return "known" if any(hours is not None and hours.includes(now) for hours in found) else "outside_hours"
