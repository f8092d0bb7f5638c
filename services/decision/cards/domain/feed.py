"""The feed of a role: what is open, each thing once, ordered by urgency, revenue, risk, staleness and proof."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.contracts.catalogue.cards import Cards
from libs.contracts.decision import Card, CardStatus

_LARGE_SAR = 1_000_000
"""The value that counts in full; below it points grow with the logarithm, so that 50,000 still shows beside a million."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The cards to show, best first, with their priority filled in, and how many more wait behind them."""

    cards: tuple[Card, ...]
    waiting: int


def feed(cards: Iterable[Card], role: str, catalogue: Cards, now: datetime, limit: int | None = None) -> Feed:
    """What a role sees now. Never more than the catalogue's limit, whatever is asked for; an unknown role sees nothing."""
    chosen: dict[str, Card] = {}
    for card in cards:
        if card.role != role or not catalogue.sees(role, card.type) or not is_open(card, now):
            continue
        held = chosen.get(card.dedupe_key)
        if held is None or held.created_at < card.created_at:
            chosen[card.dedupe_key] = card
    weighed = [card.model_copy(update={"priority": priority(card, catalogue, now)}) for card in chosen.values()]
    weighed.sort(key=lambda card: (-card.priority, card.created_at, card.card_id.int))
    shown = min(limit or catalogue.feed_limit, catalogue.feed_limit)
    return Feed(tuple(weighed[:shown]), max(0, len(weighed) - shown))


def is_open(card: Card, now: datetime) -> bool:
    """Whether a card still waits for a decision."""
    return card.status is CardStatus.OPEN and (card.expires_at is None or card.expires_at > now)


def priority(card: Card, catalogue: Cards, now: datetime) -> float:
    """0-100, the weighted sum of the five parts."""
    weights = catalogue.feed_weights
    return round(
        weights.urgency * _urgency(card, catalogue, now)
        + weights.revenue * _revenue(card, catalogue)
        + weights.risk * _risk(card, catalogue)
        + weights.staleness * _staleness(card, catalogue, now)
        + weights.proof * catalogue.types[card.type].proof,
        2,
    )


def _urgency(card: Card, catalogue: Cards, now: datetime) -> float:
    """The nearer the deadline, or the stronger the why-now behind the card, the more urgent."""
    stated = card.context.get("urgency")
    behind = float(stated) if isinstance(stated, int | float) else 0.0
    if card.expires_at is None:
        return min(100.0, max(0.0, behind))
    left = (card.expires_at - now).total_seconds() / 3600
    span = catalogue.calm_from_hours - catalogue.urgent_within_hours
    near = 100 * (catalogue.calm_from_hours - left) / span
    return min(100.0, max(0.0, behind, near))


def _revenue(card: Card, catalogue: Cards) -> float:
    if card.deal_value is None:
        return catalogue.revenue_unknown
    amount = Decimal(card.deal_value)
    if amount <= 0:
        return 0.0
    return min(100.0, 100 * math.log10(1 + float(amount)) / math.log10(1 + _LARGE_SAR))


def _risk(card: Card, catalogue: Cards) -> float:
    for level, points in catalogue.risk_points.items():
        if level == card.risk_level:
            return points
    # A level that nobody defined is looked at first.
    return 100.0


def _staleness(card: Card, catalogue: Cards, now: datetime) -> float:
    waited = (now - card.created_at).total_seconds() / 3600
    return min(100.0, max(0.0, 100 * waited / catalogue.stale_after_hours))
