"""Reads what risks come from, each source by itself: one that can't be read or scored says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from libs.contracts import subjects
from libs.contracts.compliance import MatrixRequest
from libs.contracts.errors import DealixError
from libs.contracts.executive import NotScored, Risk, Source
from libs.contracts.forecasts import Track
from libs.contracts.message import Principal, Text
from libs.contracts.trust import Approval
from libs.runtime.plane import Runtime
from services.decision.executive.domain import risks
from services.decision.executive.domain.figures import UNREADABLE
from services.decision.executive.figures import Disputes
from services.decision.executive.rules import rules
from services.decision.forecasting.domain.knowing import open_at
from services.decision.forecasting.domain.predicting import LEAST_RETURNS, chances, customers
from services.decision.forecasting.reading import read
from services.decision.forecasting.rules import rules as forecast_rules

MOST_CUSTOMERS = 50


@dataclass(frozen=True)
class Scored:
    """Risks, the worst first, and the sources that say nothing."""

    risks: tuple[Risk, ...]
    missing: tuple[NotScored, ...]


Found = tuple[list[Risk], list[NotScored]]


class Risks:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def score(self, who: Principal, disputes: Disputes, waiting: tuple[Approval, ...] | None) -> Scored:
        """All risks there are now. `waiting` are the approvals that wait, None where they could not be read."""
        now, wanted = self._runtime.now(), rules()
        found = list(
            await asyncio.gather(
                _tried((Source.CONTROL,), lambda: self._controls(who)),
                _tried((Source.DEAL, Source.CUSTOMER), lambda: self._history(who)),
            )
        )
        if disputes.found is None:
            found.append(([], [NotScored(source=Source.CONTRADICTION, why=UNREADABLE)]))
        else:
            found.append((risks.of_contradictions(disputes.found, wanted), []))
        if waiting is None:
            found.append(([], [NotScored(source=Source.APPROVAL, why=UNREADABLE)]))
        else:
            found.append((risks.of_approvals(waiting, now, wanted), []))
        every = [one for those, _ in found for one in those]
        return Scored(tuple(risks.worst_first(every)), tuple(one for _, missing in found for one in missing))

    async def _controls(self, who: Principal) -> Found:
        matrix = await self._runtime.bus.call(subjects.CONTROL_MATRIX, MatrixRequest(principal=who))
        return risks.of_controls(matrix.items, self._runtime.now(), rules()), []

    async def _history(self, who: Principal) -> Found:
        """Open deals at the chance that deals at their stage had, and customers at the risk that others' silence had."""
        now, wanted = self._runtime.now(), rules()
        material = await read(self._runtime, who, Track.REVENUE, now)
        deals = material.deals or ()
        chance = await asyncio.to_thread(chances, material.history(), forecast_rules())
        silent, returns = customers(deals, now, MOST_CUSTOMERS)
        found, missing = risks.of_customers(silent, now, wanted), []
        need = forecast_rules().train_months
        if chance.months >= need:
            found += risks.of_deals(open_at(deals, now), chance, now, wanted)
        else:
            missing.append(_too_little(Source.DEAL, chance.months, need, "months of history", "شهرًا من السجل"))
        if returns < LEAST_RETURNS:
            missing.append(
                _too_little(Source.CUSTOMER, returns, LEAST_RETURNS, "second purchases", "عمليات شراء متكررة")
            )
        return found, missing


def _too_little(source: Source, have: int, need: int, what_en: str, what_ar: str) -> NotScored:
    return NotScored(
        source=source,
        why=Text(
            en=f"{need} {what_en} are needed to score this; there are {have}.",
            ar=f"يلزم لتقديرها {need} {what_ar}، والمتوفر {have}.",
        ),
    )


async def _tried(sources: tuple[Source, ...], ask: Callable[[], Awaitable[Found]]) -> Found:
    try:
        return await ask()
    except DealixError as error:
        why = Text(en=error.en or UNREADABLE.en, ar=error.ar or UNREADABLE.ar)
        return [], [NotScored(source=one, why=why) for one in sources]
