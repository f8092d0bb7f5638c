"""Deals as they were known at a moment: what had not happened yet is not looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from libs.contracts.catalogue.records import Stage, records
from libs.contracts.deal_history import PastDeal

OPEN_STAGES = tuple(stage.value for stage, rule in records().stages.items() if not rule.closed)
NO_SEGMENT = "-"


@dataclass(frozen=True)
class OpenDeal:
    """A deal that was open at a moment, as it stood then."""

    deal_id: UUID
    stage: str
    amount: Decimal
    segment: str
    was: PastDeal


def stage_at(deal: PastDeal, at: datetime) -> str:
    """Its stage at a moment: the last recorded change before it, or what the first one after it changed."""
    moves = [step for step in deal.steps if step.stage is not None]
    before = [step for step in moves if step.at <= at]
    if before:
        return str(before[-1].stage)
    return str(moves[0].stage_before) if moves and moves[0].stage_before else deal.stage


def amount_at(deal: PastDeal, at: datetime) -> Decimal | None:
    changes = [step for step in deal.steps if (step.amount, step.amount_before) != (None, None)]
    before = [step for step in changes if step.at <= at]
    if before:
        return before[-1].amount
    return changes[0].amount_before if changes else deal.amount


def counts(deal: PastDeal) -> bool:
    """Whether a deal can be part of a sum in SAR."""
    return deal.currency == "SAR" and deal.amount is not None


def open_at(deals: Iterable[PastDeal], at: datetime) -> list[OpenDeal]:
    """The deals that were open at a moment and had an amount then."""
    found = []
    for deal in deals:
        if deal.currency != "SAR" or deal.created_at > at or (deal.closed_at is not None and deal.closed_at <= at):
            continue
        stage, amount = stage_at(deal, at), amount_at(deal, at)
        if stage in OPEN_STAGES and amount is not None:
            found.append(OpenDeal(deal.deal_id, stage, amount, deal.sector or NO_SEGMENT, deal))
    return found


def won_between(deal: PastDeal, since: datetime, until: datetime) -> bool:
    return deal.stage == Stage.WON.value and deal.closed_at is not None and since <= deal.closed_at < until


def brought(deal: PastDeal, since: datetime, until: datetime) -> Decimal:
    """What a deal added to a stretch's revenue."""
    return deal.amount if counts(deal) and deal.amount is not None and won_between(deal, since, until) else Decimal(0)
