"""What a forecast is made from: the metric's months and the deals, asked of the planes that keep them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.contracts import subjects
from libs.contracts.arabic import MONTHS
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.deal_history import DealHistoryRequest, PastDeal
from libs.contracts.forecasts import Missing, Track
from libs.contracts.message import Principal
from libs.contracts.metrics import SeriesPoint, SeriesRequest
from libs.runtime.plane import Runtime
from services.decision.forecasting.domain.calendar import edges, month_of, plus
from services.decision.forecasting.domain.model import History
from services.decision.forecasting.rules import ForecastRules, rules

MOST_DEALS = 50_000


@dataclass(frozen=True)
class Material:
    """Everything read, at one moment. `points` are months, the oldest first; the last is the current one."""

    track: Track
    unit: str
    now: datetime
    points: tuple[SeriesPoint, ...]
    deals: tuple[PastDeal, ...] | None

    @property
    def current(self) -> datetime:
        return self.points[-1].since

    @property
    def whole(self) -> tuple[SeriesPoint, ...]:
        """Months that have ended, from the first one that brought anything: what lies before is no history."""
        began = next((at for at, point in enumerate(self.points) if point.value), len(self.points))
        return self.points[began:-1]

    def history(self) -> History:
        known = self.whole
        first = known[0].since if known else self.current
        return History(first, tuple(float(point.value or 0) for point in known), self.now, self.deals)

    def missing(self, wanted: ForecastRules) -> tuple[Missing, ...]:
        """What a forecast of the next month lacks; nothing when it can be made."""
        months, need = len(self.whole), wanted.least_months(min(wanted.horizons))
        won = sum(point.counted for point in self.whole)
        lacking = []
        if months < need:
            lacking.append(
                Missing(
                    code="months", have=months, need=need,
                    en=f"{need} whole months since the first closing are needed; there are {months}.",
                    ar=f"يلزم مرور {MONTHS(need)} منذ أول صفقة مغلقة، والمتوفر {months}.",
                )
            )  # fmt: skip
        if won < wanted.won:
            lacking.append(
                Missing(
                    code="closings", have=won, need=wanted.won,
                    en=f"{wanted.won} closings in those months are needed; there are {won}.",
                    ar=f"عدد الصفقات المغلقة المطلوبة في تلك الأشهر {wanted.won}، والمتوفر {won}.",
                )
            )  # fmt: skip
        return tuple(lacking)

    def touched(self) -> list[datetime]:
        """When the newest facts are from."""
        found = [deal.closed_at or (deal.steps[-1].at if deal.steps else deal.created_at) for deal in self.deals or ()]
        return [max(found)] if found else []


async def read(runtime: Runtime, who: Principal, track: Track, now: datetime) -> Material:
    """Ask for the months and the deals of a track."""
    wanted = rules()
    rule = wanted.tracks[track]
    months = edges(plus(month_of(now), -wanted.history_months), wanted.history_months + 1)
    plane = metrics()[rule.metric].plane
    series = await runtime.bus.call(
        subjects.METRIC_SERIES[plane], SeriesRequest(principal=who, name=rule.metric, edges=months)
    )
    deals = None
    if rule.deals != "none":
        deals = await _deals(runtime, who, months[0])
        if rule.deals == "partner":
            deals = tuple(deal for deal in deals if deal.partner_id is not None)
    return Material(track, series.unit, now, series.points, deals)


async def _deals(runtime: Runtime, who: Principal, since: datetime) -> tuple[PastDeal, ...]:
    found: list[PastDeal] = []
    asked = DealHistoryRequest(principal=who, since=since)
    while len(found) < MOST_DEALS:
        reply = await runtime.bus.call(subjects.DEAL_HISTORY, asked)
        found += reply.items
        if reply.after is None:
            break
        asked = DealHistoryRequest(principal=who, since=since, after=reply.after)
    return tuple(found)


async def actual_of(runtime: Runtime, who: Principal, track: Track, since: datetime, until: datetime) -> Decimal | None:
    """What a stretch brought, by the dictionary."""
    metric = rules().tracks[track].metric
    call = subjects.METRIC_SERIES[metrics()[metric].plane]
    reply = await runtime.bus.call(call, SeriesRequest(principal=who, name=metric, edges=(since, until)))
    return reply.points[0].value
