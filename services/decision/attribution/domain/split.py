"""Splits an outcome between touchpoints by three models, and says how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.contracts.attribution import ChannelShare, ModelShare, TouchKind
from services.decision.attribution.rules import AttributionRules

PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Touch:
    """One touch before it is weighed. `channel` groups touches of one way, `record` names what it is on."""

    kind: TouchKind
    channel: str
    title: str
    at: datetime
    record: str
    direction: str = ""


@dataclass(frozen=True)
class Split:
    """Shares in the order of the touches; they add up to 1. `confidence` is how far the models agree, less what one touch that nobody
    recorded would take away."""

    shares: tuple[Decimal, ...]
    channels: tuple[ChannelShare, ...]
    models: tuple[ModelShare, ...]
    confidence: float


def split(touches: Sequence[Touch], until: datetime, rules: AttributionRules) -> Split:
    """The mean of the models. `touches` are the earliest first, `until` is when the deal closed, or now."""
    if not touches:
        return Split((), (), (), 0.0)
    by_model = {"even": _even(touches, rules), "recent": _recent(touches, until, rules), "ends": _ends(touches, rules)}
    mean = [sum(shares[at] for shares in by_model.values()) / len(by_model) for at in range(len(touches))]
    # Half the sum of differences between two distributions is the part of the outcome that they put elsewhere.
    apart = [sum(abs(a - b) for a, b in zip(shares, mean, strict=True)) / 2 for shares in by_model.values()]
    agreed = 1 - sum(apart) / len(apart)
    models = tuple(
        ModelShare(model=name, said=rules.models[name], channels=_channels(touches, rounded(shares)))
        for name, shares in by_model.items()
    )
    shares = rounded(mean)
    known = len(touches) / (len(touches) + 1)
    return Split(shares, _channels(touches, shares), models, round(agreed * known, 4))


def rounded(shares: Sequence[float]) -> tuple[Decimal, ...]:
    """Four places that add up to exactly 1; the largest takes what rounding left."""
    found = [Decimal(str(one)).quantize(PLACES) for one in shares]
    largest = found.index(max(found))
    found[largest] += 1 - sum(found, Decimal(0))
    return tuple(found)


def _even(touches: Sequence[Touch], rules: AttributionRules) -> list[float]:
    return _whole([rules.weights[one.kind] for one in touches])


def _recent(touches: Sequence[Touch], until: datetime, rules: AttributionRules) -> list[float]:
    days = [max(0.0, (until - one.at).total_seconds() / 86400) for one in touches]
    nearest = min(days)  # measured from the last touch: what is long ago must not vanish into nothing altogether
    return _whole(
        [
            rules.weights[one.kind] * 0.5 ** ((day - nearest) / rules.half_life_days)
            for one, day in zip(touches, days, strict=True)
        ]
    )


def _ends(touches: Sequence[Touch], rules: AttributionRules) -> list[float]:
    if len(touches) <= 2:
        return [1 / len(touches)] * len(touches)
    between = _whole([rules.weights[one.kind] for one in touches[1:-1]])
    return [rules.ends, *(share * (1 - 2 * rules.ends) for share in between), rules.ends]


def _whole(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [one / total for one in weights]


def _channels(touches: Sequence[Touch], shares: Sequence[Decimal]) -> tuple[ChannelShare, ...]:
    counted = Counter(one.channel for one in touches)
    total = {name: sum((share for one, share in zip(touches, shares, strict=True) if one.channel == name), Decimal(0)) for name in counted}  # fmt: skip
    ordered = sorted(total, key=lambda name: (-total[name], name))
    return tuple(ChannelShare(channel=name, touches=counted[name], share=total[name]) for name in ordered)
