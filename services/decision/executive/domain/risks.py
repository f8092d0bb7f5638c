"""Risks on a map of five by five: how likely each is, by what was counted or computed, and how much is at stake."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from libs.contracts.arabic import DAYS
from libs.contracts.claims import Contradiction
from libs.contracts.compliance import ControlResult, ControlStanding
from libs.contracts.executive import Risk, Source
from libs.contracts.message import Text
from libs.contracts.predictive import Customer
from libs.contracts.trust import Approval
from services.decision.domain.disputes import WHAT
from services.decision.executive.rules import RoomRules
from services.decision.forecasting.domain.knowing import OpenDeal
from services.decision.forecasting.domain.predicting import HORIZON_DAYS, Chances

NOW = Text(en="It is so now.", ar="قائم الآن.")


def level(value: Any, bounds: tuple[Any, ...]) -> int:
    """One to five: how many bounds a value reaches, and one."""
    return bisect_right(bounds, value) + 1


def placed(rules: RoomRules, *, likelihood: float, amount: Decimal | None = None, severity: str = "") -> dict[str, Any]:
    """Where a risk stands. Impact is the greater of its amount's and its severity's; a severity that nobody knows is high."""
    found = [] if amount is None else [level(amount, rules.amounts)]
    if severity or not found:
        found.append(rules.severity.get(severity, rules.severity["high"]))
    share = min(1.0, max(0.0, likelihood))
    return {
        "likelihood": round(share, 4), "likelihood_level": level(share, rules.likelihood), "impact_level": max(found), "amount": amount,
        "severity": severity,
    }  # fmt: skip


def of_contradictions(found: Iterable[Contradiction], rules: RoomRules) -> list[Risk]:
    """Two claims that nobody has decided between are a fact, not a chance."""
    return [
        Risk(
            source=Source.CONTRADICTION, id=str(one.contradiction_id), basis=NOW, observed_at=one.opened_at,
            title=Text(en=f"Two sources disagree about {WHAT[one.kind].en}", ar=f"مصدران يختلفان في {WHAT[one.kind].ar}"),
            **placed(rules, likelihood=1.0, severity=one.severity),
        )
        for one in found
    ]  # fmt: skip


def of_controls(found: Iterable[ControlStanding], now: datetime, rules: RoomRules) -> list[Risk]:
    """Controls that fail, as likely as the share of records that fail them; without counted records it is so now."""
    risks = []
    for one in found:
        if one.result is not ControlResult.FAIL:
            continue
        read = one.reading
        counted = read is not None and read.rows > 0
        share = read.failing / read.rows if read is not None and counted else 1.0
        basis = NOW
        if read is not None and counted:
            basis = Text(
                en=f"{read.failing} of {read.rows} records fail.",
                ar=f"السجلات المخالفة: {read.failing} من {read.rows}.",
            )
        risks.append(
            Risk(
                source=Source.CONTROL, id=one.control.control_id, basis=basis, observed_at=read.checked_at if read else now,
                title=Text(en=f"Not kept: {one.control.title_en}", ar=f"ضابط مخالف: {one.control.title_ar}"),
                **placed(rules, likelihood=share, severity=one.control.severity.value),
            )
        )  # fmt: skip
    return risks


def of_approvals(found: Iterable[Approval], now: datetime, rules: RoomRules) -> list[Risk]:
    """Decisions that may come too late, as likely as the share of their time that is gone."""
    risks = []
    for one in found:
        whole = (one.due_at - one.requested_at).total_seconds()
        share = 1.0 if whole <= 0 or now >= one.due_at else (now - one.requested_at).total_seconds() / whole
        basis = Text(en=f"{share:.0%} of its time is gone.", ar=f"انقضى {share:.0%} من مهلته.")
        if share >= 1:
            basis = Text(en="Its time is over.", ar="انتهت مهلته.")
        title = title_of(one)
        risks.append(
            Risk(
                source=Source.APPROVAL, id=str(one.approval_id), basis=basis, observed_at=one.requested_at,
                title=Text(en=f"Waits for a decision: {title.en}", ar=f"بانتظار قرار: {title.ar}"),
                **placed(rules, likelihood=share, severity=one.risk, amount=None if one.value_sar is None else Decimal(one.value_sar)),
            )
        )  # fmt: skip
    return risks


def title_of(one: Approval) -> Text:
    """What an approval is called; its kind of action where its view has no title."""
    view = one.view
    en, ar = str(view.get("title_en") or ""), str(view.get("title_ar") or "")
    return Text(en=en or ar or one.action_type, ar=ar or en or one.action_type)


def of_deals(found: Iterable[OpenDeal], chance: Chances, now: datetime, rules: RoomRules) -> list[Risk]:
    """Open deals that matter by themselves, as likely to stay away as deals at their stage did."""
    risks = []
    for one in found:
        won = chance.probability[one.stage]
        place = placed(rules, likelihood=1 - won, amount=one.amount)
        if place["impact_level"] < rules.deals_from:
            continue
        named = f"{one.was.account_name}: {one.was.title}".strip(": ")
        basis = Text(
            en=f"{won:.0%} of deals at its stage were won within {HORIZON_DAYS} days.",
            ar=f"كُسب {won:.0%} من صفقات هذه المرحلة خلال {HORIZON_DAYS} يومًا.",
        )
        title = Text(en=f"May not be won in {HORIZON_DAYS} days: {named}", ar=f"قد لا تُكسب خلال {HORIZON_DAYS} يومًا: {named}")  # fmt: skip
        at = one.was.steps[-1].at if one.was.steps else one.was.created_at
        risks.append(Risk(source=Source.DEAL, id=str(one.deal_id), title=title, basis=basis, observed_at=at, **place))
    return risks


def of_customers(found: Iterable[Customer], now: datetime, rules: RoomRules) -> list[Risk]:
    """Customers who may not come back, as likely as others did not after the same silence."""
    return [
        Risk(
            source=Source.CUSTOMER, id=str(one.account_id), observed_at=now,
            title=Text(en=f"May not buy again: {one.account_name}", ar=f"قد لا يعود للشراء: {one.account_name}"),
            basis=Text(en=f"Silent for {one.silent_days} days.", ar=f"بلا شراء منذ {DAYS(one.silent_days)}."),
            **placed(rules, likelihood=one.risk, amount=one.yearly),
        )
        for one in found
    ]  # fmt: skip


def worst_first(found: Iterable[Risk]) -> list[Risk]:
    """By score, then by impact, then by what is at stake; the oldest first among equals."""
    return sorted(found, key=lambda one: (-one.product, -one.impact_level, -(one.amount or Decimal(0)), one.observed_at, one.id))  # fmt: skip
