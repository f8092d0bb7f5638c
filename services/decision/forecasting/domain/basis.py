"""What a forecast rested on, kept beside it: without that a gap could not be taken apart later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal
from uuid import UUID

from libs.contracts.deal_history import PastDeal
from libs.contracts.message import Message
from services.decision.forecasting.domain.knowing import NO_SEGMENT, OpenDeal, counts
from services.decision.forecasting.domain.model import Estimate

MODEL = "stage-seasonal-1"
Kind = Literal["made", "back_test"]
CENT = Decimal("0.01")


class Share(Message):
    """An open deal's part of the expected amount."""

    deal_id: UUID
    stage: str
    segment: str
    amount: Decimal
    probability: float
    contribution: Decimal


class Rest(Message):
    """Open deals that are not kept one by one."""

    stage: str
    segment: str
    deals: int
    contribution: Decimal


class Basis(Message):
    """`unknown` is what comes from no deal that was known; `segments` are the shares by which earlier revenue was spread."""

    kind: Kind
    model: str = MODEL
    horizon: int
    weight: float = 0.0
    residuals: int = 0
    from_deals: Decimal = Decimal(0)
    unknown: Decimal = Decimal(0)
    deals: tuple[Share, ...] = ()
    rest: tuple[Rest, ...] = ()
    segments: dict[str, float] = {}
    naive: Decimal | None = None


def money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(CENT)


def basis_of(estimate: Estimate, known: Sequence[OpenDeal], past: Iterable[PastDeal], most: int) -> Basis:
    """What an estimate rests on. The contributions and `unknown` add up to the expected amount, to the halala."""
    shares = [
        Share(
            deal_id=deal.deal_id, stage=deal.stage, segment=deal.segment, amount=deal.amount,
            probability=round(estimate.probabilities[deal.stage], 6),
            contribution=money(estimate.weight * estimate.probabilities[deal.stage] * float(deal.amount)),
        )
        for deal in known
    ]  # fmt: skip
    shares.sort(key=lambda one: (-one.contribution, one.deal_id))
    grouped: dict[tuple[str, str], list[Share]] = defaultdict(list)
    for one in shares[most:]:
        grouped[one.stage, one.segment].append(one)
    rest = tuple(
        Rest(stage=stage, segment=segment, deals=len(those), contribution=sum((o.contribution for o in those), Decimal(0)))
        for (stage, segment), those in sorted(grouped.items())
    )  # fmt: skip
    from_deals = sum((one.contribution for one in shares), Decimal(0))
    return Basis(
        kind="made", horizon=estimate.horizon, weight=round(estimate.weight, 6), residuals=estimate.residuals, from_deals=from_deals,
        unknown=money(estimate.expected) - from_deals, deals=tuple(shares[:most]), rest=rest, segments=segments(past),
    )  # fmt: skip


def segments(past: Iterable[PastDeal]) -> dict[str, float]:
    """How revenue was spread over segments: shares that add up to 1, or nothing where nothing was won."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for deal in past:
        if deal.stage == "won" and counts(deal) and deal.amount is not None:
            sums[deal.sector or NO_SEGMENT] += deal.amount
    total = sum(sums.values(), Decimal(0))
    return {name: float(amount / total) for name, amount in sorted(sums.items()) if total}
