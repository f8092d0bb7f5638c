"""Predictive revenue as people ask for it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal

from libs.contracts import subjects
from libs.contracts.arabic import MONTHS
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.forecasts import Missing, Track
from libs.contracts.message import Principal
from libs.contracts.metrics import MetricGet
from libs.contracts.predictive import Predictive, PredictiveRequest, Speed, StageValue
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.forecasting.domain.basis import money
from services.decision.forecasting.domain.knowing import OPEN_STAGES, OpenDeal, open_at
from services.decision.forecasting.domain.predicting import HORIZON_DAYS, LEAST_RETURNS, Chances, chances, customers
from services.decision.forecasting.reading import Material, read
from services.decision.forecasting.rules import rules

SHOWN = 20
SPEEDS = ("velocity", "win_rate", "pipeline_value")
VERSION = "predictive-1"


class PredictiveDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def show(self, request: PredictiveRequest) -> Predictive:
        """Open deals at their calibrated chance, customers at risk, velocity; what can't be said yet is named."""
        now, who = self._runtime.now(), request.principal
        material = await read(self._runtime, who, Track.REVENUE, now)
        deals = material.deals or ()
        found = await asyncio.to_thread(chances, material.history(), rules())
        risky, returns = customers(deals, now, SHOWN)
        known, missing = open_at(deals, now), _missing(found, returns)
        ready = not any(one.code == "months" for one in missing)
        stages = _stages(known, found)
        total, value = sum((one.expected for one in stages), Decimal(0)), sum((one.value for one in stages), Decimal(0))
        return Predictive(
            horizon_days=HORIZON_DAYS, expected=total if ready else None, open_value=value, stages=stages if ready else (),
            calibration=found.table if ready else (), brier=found.brier, customers=risky,
            churn_at_risk=sum((one.at_risk for one in risky), Decimal(0)) if returns >= LEAST_RETURNS else None, returns=returns,
            velocity=await self._speeds(who), missing=missing,
            provenance=provenance.local(
                now=now, by="predictive_revenue", engine="statistics", version=VERSION, confidence=_sure(found) if ready else 0.0,
                freshness=provenance.freshness_hours(now, material.touched() or [now]), sources=_sources(material), trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip

    async def _speeds(self, who: Principal) -> tuple[Speed, ...]:
        out = []
        for name in SPEEDS:
            value = await self._runtime.bus.call(
                subjects.METRICS[metrics()[name].plane], MetricGet(principal=who, name=name)
            )
            out.append(Speed(metric=name, unit=value.unit, value=value.value, rows=value.rows))
        return tuple(out)


def _stages(known: list[OpenDeal], found: Chances) -> tuple[StageValue, ...]:
    by_stage: dict[str, list[OpenDeal]] = defaultdict(list)
    for deal in known:
        by_stage[deal.stage].append(deal)
    out = []
    for stage in OPEN_STAGES:
        if those := by_stage.get(stage):
            value = sum((deal.amount for deal in those), Decimal(0))
            expected = money(float(value) * found.probability[stage])
            out.append(StageValue(stage=stage, deals=len(those), value=value, expected=expected))
    return tuple(out)


def months_missing(found: Chances) -> tuple[Missing, ...]:
    """What chances lack before they may be said; nothing when they may."""
    need = rules().train_months
    if found.months >= need:
        return ()
    return (
        Missing(
            code="months", have=found.months, need=need,
            en=f"{need} months whose next {HORIZON_DAYS} days are over are needed; there are {found.months}.",
            ar=f"يلزم {MONTHS(need)} انقضت بعدها {HORIZON_DAYS} يومًا، والمتوفر {found.months}.",
        ),
    )  # fmt: skip


def _missing(found: Chances, returns: int) -> tuple[Missing, ...]:
    lacking = list(months_missing(found))
    if returns < LEAST_RETURNS:
        lacking.append(
            Missing(
                code="returns", have=returns, need=LEAST_RETURNS,
                en=f"{LEAST_RETURNS} customers' second purchases are needed to tell who stays away; there are {returns}.",
                ar=f"عدد المشتريات المتكررة اللازم لتقدير مخاطر الفقد {LEAST_RETURNS}، والمتوفر {returns}.",
            )
        )  # fmt: skip
    return tuple(lacking)


def _sure(found: Chances) -> float:
    """How near predicted shares came to what happened, deal by deal: 1 is every one met. Nothing tested is nothing known."""
    weighed = [(one.deals, abs((one.predicted or 0) - (one.actual or 0))) for one in found.table if one.deals]
    total = sum(deals for deals, _ in weighed)
    return max(0.0, 1 - sum(deals * gap for deals, gap in weighed) / total) if total else 0.0


def _sources(material: Material) -> tuple[str, ...]:
    return ("metric:revenue_actual", *(f"metric:{name}" for name in SPEEDS), f"deals:{len(material.deals or ())}")


def serve_predictive(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.PREDICTIVE, PredictiveDesk(runtime).show)
