"""What a deal may bring: its value at the chance that deals at its stage have had in the company's own history."""

from __future__ import annotations

from decimal import Decimal

from libs.contracts.catalogue.records import Stage, records
from libs.contracts.forecasts import Missing
from libs.contracts.message import Text
from libs.contracts.predictive import Predictive
from libs.contracts.proof_pack import ImpactBasis, RevenueImpact
from services.decision.forecasting.domain.predicting import HORIZON_DAYS, Chances
from services.decision.proving.rules import Because, ProofRules

CENT = Decimal("0.01")


def of_deal(
    amount: Decimal | None, currency: str, stage: str, found: Chances | None, missing: tuple[Missing, ...], rules: ProofRules
) -> RevenueImpact:  # fmt: skip
    """An estimate with its basis; the value itself where the deal is won; nothing, and why, where neither can be said.

    `found` is None where the history could not be read; `missing` says what it lacks.
    """
    named = records().stages[Stage(stage)]
    if stage == Stage.LOST.value:
        return _none(rules, "lost", currency)
    if amount is None:
        return _none(rules, "no_value", currency)
    if stage == Stage.WON.value:
        return RevenueImpact(
            title=rules.sections["revenue_impact"], kind="actual", label=rules.labels["actual"], value=amount, currency=currency,
            because=rules.because["actual"],
        )  # fmt: skip
    if found is None:
        return _none(rules, "unread", currency)
    if missing:
        return _none(rules, "no_history", currency, missing)
    held = next((one for one in found.table if one.stage == stage), None)
    probability = found.probability[stage]
    basis = ImpactBasis(
        deal_value=amount, stage=stage, stage_name=Text(en=named.en, ar=named.ar), probability=round(probability, 4), horizon_days=HORIZON_DAYS,
        tested=held.deals if held else 0, actual=held.actual if held else None, low=held.low if held else None,
        high=held.high if held else None, months=found.months,
    )  # fmt: skip
    because = rules.because["estimate"]
    return RevenueImpact(
        title=rules.sections["revenue_impact"], kind="estimate", label=rules.labels["estimate"], value=_at(amount, probability),
        low=None if basis.low is None else _at(amount, basis.low), high=None if basis.high is None else _at(amount, basis.high),
        currency=currency, basis=basis, because=Text(en=because.en.format(stage=named.en), ar=because.ar.format(stage=named.ar)),
    )  # fmt: skip


def of_company(found: Predictive | None, rules: ProofRules) -> RevenueImpact:
    """All open deals at the chances of their stages, as predictive revenue has them."""
    if found is None:
        return _none(rules, "unread", "SAR")
    if found.expected is None:
        return _none(rules, "no_history", "SAR", tuple(one for one in found.missing if one.code == "months"))
    if not found.stages:
        return _none(rules, "no_open", "SAR")
    return RevenueImpact(
        title=rules.sections["revenue_impact"], kind="estimate", label=rules.labels["estimate"], value=found.expected,
        because=rules.because["company"],
    )  # fmt: skip


def _at(amount: Decimal, share: float) -> Decimal:
    return (amount * Decimal(repr(share))).quantize(CENT)


def _none(rules: ProofRules, why: Because, currency: str, missing: tuple[Missing, ...] = ()) -> RevenueImpact:
    return RevenueImpact(
        title=rules.sections["revenue_impact"], kind="none", label=rules.labels["none"], currency=currency, because=rules.because[why],
        missing=missing,
    )  # fmt: skip
