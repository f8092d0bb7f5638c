"""How many messages a sender and a person may have: a tenant's caps, and the slower first days of a new sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from libs.contracts.approvals import CONTACT_CAP, DAILY_CAP, TrustRules


@dataclass(frozen=True, slots=True)
class Caps:
    daily: int = DAILY_CAP
    contact: int = CONTACT_CAP


def caps_of(rules: TrustRules, channel: str, *, first_day: date | None, today: date) -> Caps:
    """Today's caps of a channel. `first_day` is when its sender first sent; a sender that never did is on its first day."""
    daily = rules.daily_caps.get(channel, DAILY_CAP)
    day = max(0, (today - first_day).days) if first_day is not None else 0
    if day < len(rules.warm_up):
        daily = min(daily, rules.warm_up[day])
    return Caps(daily, rules.contact_caps.get(channel, CONTACT_CAP))
