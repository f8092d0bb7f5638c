"""The simulator and the return on an investment, as people ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.contracts import subjects
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.errors import Invalid
from libs.contracts.forecasts import Missing, Track
from libs.contracts.message import Principal, Provenance
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.simulations import Assumed, Outcome, Roi, RoiRequest, Sensitivity, Simulate, Simulation
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.forecasting.domain.knowing import counts
from services.decision.forecasting.reading import Material, read
from services.decision.memos.domain.finance import internal_rate, payback_months
from services.decision.simulating.domain.montecarlo import Array, Inputs, simulated
from services.decision.simulating.domain.returns import INPUTS, break_even, flows_of, money, npv, sensitivity
from services.decision.simulating.scenarios import scenarios

VERSION, ROI_VERSION = "simulator-1", "roi-1"
STATED_WEIGHT, READ_WEIGHT = 0.6, 0.95
LEAST = 5
"""Deals that it takes to read an input from history."""
LEVERS = ("new_deals", "win_rate", "amount", "cycle_months", "monthly_cost")
WORDS = {
    "new_deals": ("deals that were opened", "صفقات جديدة"), "win_rate": ("closed deals", "صفقات مغلقة"), "amount": ("won deals with an amount", "صفقات مكسوبة لها قيمة"),
    "amount_spread": ("won deals with an amount", "صفقات مكسوبة لها قيمة"), "cycle_months": ("won deals", "صفقات مكسوبة"),
}  # fmt: skip


class RateTooHigh(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "bad_rate", "A discount rate is a share of a year, as 0.1; at most 1.", "معدل الخصم نسبة سنوية مثل 0.1، وأقصاه 1."
        )  # fmt: skip


@dataclass(frozen=True)
class _Read:
    """What history says of an input: None where it says too little, `have` deals then."""

    value: float | None
    have: int
    source: str


class Simulator:
    def __init__(self, runtime: Runtime) -> None:
        scenarios()  # a wrong file stops the start
        self._runtime = runtime

    async def simulate(self, request: Simulate) -> Simulation:
        """Seven scenarios on the same chance; inputs that nobody stated are read from the last twelve months."""
        now = self._runtime.now()
        material = await read(self._runtime, request.principal, Track.REVENUE, now)
        months = material.points[-13:-1]
        period = MetricGet(principal=request.principal, name="win_rate", since=months[0].since, until=months[-1].until)
        won = await self._metric(period)
        cycle = await self._metric(MetricGet(**{**dict(period), "name": "velocity"}))
        known = _known(material, won, cycle)
        stated = request.assumptions.model_dump(exclude_none=True)
        missing = tuple(
            Missing(
                code=name, have=one.have, need=LEAST,
                en=f"{LEAST} {WORDS[name][0]} in the last twelve months are needed, or a stated {name}; there are {one.have}.",
                ar=f"يلزم {LEAST} {WORDS[name][1]} في آخر 12 شهرًا أو قيمة تذكرها أنت لـ{name}، والمتوفر {one.have}.",
            )
            for name, one in known.items()
            if one.value is None and name not in stated
        )  # fmt: skip
        origin = self._origin(material, request.principal, stated, ready=not missing)
        common = {"seed": request.seed, "runs": request.runs, "months": request.months, "provenance": origin}
        if missing:
            return Simulation(**common, ready=False, missing=missing, assumed=(), scenarios=(), sensitivity=())
        values: dict[str, float] = {name: stated.get(name, one.value or 0.0) for name, one in known.items()}
        inputs = Inputs(
            new_deals=values["new_deals"], win_rate=values["win_rate"], amount=values["amount"], amount_spread=values["amount_spread"],
            cycle_months=values["cycle_months"], monthly_cost=stated.get("monthly_cost", 0.0),
            closings=0 if "win_rate" in stated else won.counted, months_seen=0 if "new_deals" in stated else len(months),
        )  # fmt: skip
        outcomes, swings = await asyncio.to_thread(_run, inputs, request)
        return Simulation(
            **common, ready=True, missing=(), assumed=_assumed(inputs, known, stated, request.principal), scenarios=outcomes, sensitivity=swings
        )  # fmt: skip

    async def _metric(self, asked: MetricGet) -> MetricValue:
        return await self._runtime.bus.call(subjects.METRICS[metrics()[asked.name].plane], asked)

    def _origin(self, material: Material, who: Principal, stated: dict[str, float], *, ready: bool) -> Provenance:
        read_from = () if set(WORDS) <= set(stated) else ("metric:win_rate", "metric:velocity", f"deals:{len(material.deals or ())}")  # fmt: skip
        share = sum(name in stated for name in WORDS) / len(WORDS)
        return provenance.local(
            now=material.now, by="simulator", engine="monte_carlo", version=VERSION,
            confidence=(share * STATED_WEIGHT + (1 - share) * READ_WEIGHT) if ready else 0.0,
            freshness=provenance.freshness_hours(material.now, material.touched() or [material.now]),
            sources=(*((f"statement:{who.id}",) if stated else ()), *read_from), trace_id=telemetry.trace_id(),
        )  # fmt: skip

    async def roi(self, request: RoiRequest) -> Roi:
        """What an investment brings back. Raises RateTooHigh."""
        if request.rate.value > 1:
            raise RateTooHigh
        flows = flows_of(request)
        rate, inputs = internal_rate(flows), {name: getattr(request, name) for name in INPUTS}
        sure = min(one.certainty for one in inputs.values())
        back = sum(flows[1:])
        return Roi(
            npv=money(npv(request)), irr=None if rate is None else round(rate, 4), payback_months=payback_months(flows),
            roi=None if not request.investment.value else round((back - request.investment.value) / request.investment.value, 4),
            risk_adjusted_npv=money(npv(request, certain=False)), break_even=break_even(request), flows=tuple(money(one) for one in flows),
            sensitivity=sensitivity(request), inputs=inputs,
            provenance=provenance.local(
                now=self._runtime.now(), by="roi", engine="finance", version=ROI_VERSION, confidence=provenance.combined(STATED_WEIGHT, sure),
                freshness=0.0, sources=tuple(one.source for one in inputs.values()), trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip


def _known(material: Material, won: MetricValue, cycle: MetricValue) -> dict[str, _Read]:
    """Every input as the last twelve whole months say."""
    since, until = material.points[-13].since, material.points[-1].since
    deals = material.deals or ()
    opened = sum(since <= deal.created_at < until for deal in deals)
    amounts = np.array(
        [float(deal.amount) for deal in deals if deal.stage == "won" and deal.closed_at and since <= deal.closed_at < until and counts(deal) and deal.amount]
    )  # fmt: skip
    enough = len(amounts) >= LEAST
    rate = None if won.value is None or won.counted < LEAST or not 0 < won.value < 1 else float(won.value)
    days = None if cycle.value is None or cycle.counted < LEAST or cycle.value <= 0 else float(cycle.value) / 30.44
    return {
        "new_deals": _Read(opened / 12 if opened >= LEAST else None, opened, f"deals:{opened}"),
        "win_rate": _Read(rate, won.counted, "metric:win_rate"),
        "amount": _Read(float(amounts.mean()) if enough else None, len(amounts), f"deals:{len(amounts)}"),
        "amount_spread": _Read(float(np.log(amounts).std(ddof=1)) if enough else None, len(amounts), f"deals:{len(amounts)}"),
        "cycle_months": _Read(days, cycle.counted, "metric:velocity"),
    }  # fmt: skip


def _run(inputs: Inputs, request: Simulate) -> tuple[tuple[Outcome, ...], tuple[Sensitivity, ...]]:
    def sample(changes: Mapping[Any, float]) -> Array:
        return simulated(inputs.changed(changes), seed=request.seed, runs=request.runs, months=request.months)

    base = float(sample({}).mean())
    outcomes = []
    for key, one in scenarios().items():
        totals = sample(one.changes)
        p10, p50, p90 = np.quantile(totals, (0.1, 0.5, 0.9))
        outcomes.append(
            Outcome(
                key=key, en=one.en, ar=one.ar, changes={str(name): by for name, by in one.changes.items()},
                mean=money(totals.mean()), p10=money(p10), p50=money(p50), p90=money(p90),
                reaches=None if request.target is None else round(float((totals >= request.target).mean()), 4),
                effect=money(float(totals.mean()) - base),
            )
        )  # fmt: skip
    swings = []
    for name in LEVERS:
        lower, higher = float(sample({name: 0.8}).mean()), float(sample({name: 1.2}).mean())
        swings.append(
            Sensitivity(name=name, lower=money(lower), higher=money(higher), swing=money(abs(higher - lower)))
        )
    return tuple(outcomes), tuple(sorted(swings, key=lambda one: (-one.swing, one.name)))


def _assumed(inputs: Inputs, known: dict[str, _Read], stated: dict[str, float], who: Principal) -> tuple[Assumed, ...]:
    spread = f"lognormal, standard deviation of the logarithm {inputs.amount_spread:.2f}"
    kinds: dict[str, Callable[[], str]] = {
        "new_deals": lambda: "Poisson around a gamma rate, a month",
        "win_rate": lambda: "beta, held constant within a run",
        "amount": lambda: spread,
        "amount_spread": lambda: "fixed",
        "cycle_months": lambda: "geometric, months from opening to closing",
        "monthly_cost": lambda: "fixed",
    }
    return tuple(
        Assumed(
            name=name, value=round(getattr(inputs, name), 4), distribution=said(),
            source=f"statement:{who.id}" if name in stated else known[name].source if name in known else "none stated",
        )
        for name, said in kinds.items()
    )  # fmt: skip


def serve_simulator(runtime: Runtime) -> None:
    simulator = Simulator(runtime)
    runtime.bus.serve(subjects.SIMULATE, simulator.simulate)
    runtime.bus.serve(subjects.ROI, simulator.roi)
