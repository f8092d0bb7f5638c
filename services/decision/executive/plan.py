"""Are we on plan: this month beside its forecast, the month to come, and where the last gap came from."""

from __future__ import annotations

from libs.contracts.errors import NotFound
from libs.contracts.executive import Gap, Plan
from libs.contracts.forecasts import Track, VarianceRequest
from libs.contracts.message import Principal, Text
from libs.runtime.plane import Runtime
from services.decision.forecasting.desk import ForecastDesk
from services.decision.forecasting.domain.calendar import month_of, plus
from services.decision.forecasting.making import Making
from services.decision.forecasting.reading import actual_of
from services.decision.forecasting.rules import rules
from services.decision.forecasting.store import Forecasts

NEVER = Text(
    en="Nothing was forecast for this month before it began.", ar="لم يصدر توقع لهذا الشهر قبل بدايته."
)  # fmt: skip


class Planning:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._forecasts = ForecastDesk(runtime, Making(runtime))

    async def read(self, who: Principal) -> Plan:
        """The plan of revenue as of now. Raises as the metric layer does."""
        now = self._runtime.now()
        month = month_of(now)
        async with self._runtime.database.batch(who.tenant_id) as work:
            before = await Forecasts(work, who.tenant_id).before_each(Track.REVENUE, month)
        kept = next((one for one in before if one.since == month), None)
        return Plan(
            metric=rules().tracks[Track.REVENUE].metric, since=month, until=plus(month, 1),
            actual=await actual_of(self._runtime, who, Track.REVENUE, month, plus(month, 1)),
            expected=kept.expected if kept else None, low=kept.low if kept else None, high=kept.high if kept else None,
            next_month=await self._forecasts.next_month(who.tenant_id), last=await self._last(who), why=None if kept else NEVER,
        )  # fmt: skip

    async def _last(self, who: Principal) -> Gap | None:
        try:
            found = await self._forecasts.variance(VarianceRequest(principal=who))
        except NotFound:
            return None
        return Gap(
            since=found.since, until=found.until, expected=found.expected, actual=found.actual, variance=found.variance,
            causes=tuple(part for part in found.by_timing if part.variance),
        )  # fmt: skip
