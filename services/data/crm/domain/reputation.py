"""How well a channel's messages are received, from counts alone."""

from __future__ import annotations

from collections.abc import Mapping

from libs.contracts.catalogue.reputation import Reputation
from libs.contracts.outreach import ChannelReputation, Deduction, SignalKind


def channel_reputation(channel: str, counts: Mapping[str, int], rules: Reputation) -> ChannelReputation:
    """The score of a channel. Too few messages say nothing, and cost nothing."""
    sent = counts.get(SignalKind.SENT.value, 0)
    rates: dict[str, float | None] = {
        kind.value: counts.get(kind.value, 0) / sent if sent else None
        for kind in SignalKind
        if kind is not SignalKind.SENT
    }
    deductions = []
    for rule in rules.rules:
        rate = rates[rule.kind.value]
        if rate is not None and sent >= rules.least_sent and rule.broken(rate):
            deductions.append(
                Deduction(kind=rule.kind, rate=rate, limit=rule.limit, points=rule.points, en=rule.en, ar=rule.ar)
            )
    score = max(0, rules.start - sum(one.points for one in deductions))
    full = {kind.value: counts.get(kind.value, 0) for kind in SignalKind}
    return ChannelReputation(
        channel=channel, score=score, paused=score < rules.pause_below, counts=full, rates=rates, deductions=tuple(deductions), days=rules.days
    )  # fmt: skip
