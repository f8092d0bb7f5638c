"""Forecasts as people ask for them: the track as it stands, what was stored, and where a month's gap came from."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.forecasts import (
    Ahead,
    Driver,
    Forecast,
    ForecastRequest,
    HorizonTest,
    MadeReply,
    MadeRequest,
    Month,
    Track,
    Variance,
    VarianceRequest,
)
from libs.contracts.message import Provenance
from libs.runtime import telemetry
from libs.runtime.metrics import BadCursor
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.forecasting.domain.basis import MODEL
from services.decision.forecasting.domain.calendar import month_of, named, plus
from services.decision.forecasting.domain.model import accuracy, mean
from services.decision.forecasting.domain.variance import Gap
from services.decision.forecasting.errors import NoForecast, NotOver
from services.decision.forecasting.making import Making
from services.decision.forecasting.reading import Material, actual_of, read
from services.decision.forecasting.rules import rules
from services.decision.forecasting.store import Forecasts, Kept

SHOWN_MONTHS = 18


class ForecastDesk:
    def __init__(self, runtime: Runtime, making: Making) -> None:
        self._runtime = runtime
        self._making = making

    async def show(self, request: ForecastRequest) -> Forecast:
        """The track as it stands: what was forecast last, and today's history. Forecast now where that never was done."""
        who, track, now = request.principal, request.track, self._runtime.now()
        ahead, _, _ = await self._stored(who.tenant_id, track, now)
        if not ahead:
            return await self.make(request)
        return await self._shown(request, await read(self._runtime, who, track, now))

    async def make(self, request: ForecastRequest) -> Forecast:
        """Forecast anew; what was forecast earlier the same day is replaced."""
        return await self._shown(request, await self._making.make(request.principal, request.track))

    async def next_month(self, tenant: UUID) -> Ahead | None:
        """What next month's revenue was last forecast to be; None where it never was."""
        month = month_of(self._runtime.now())
        async with self._runtime.database.batch(tenant) as work:
            found = await Forecasts(work, tenant).newest(Track.REVENUE, month)
        return next((_ahead(one, month, {}, 0) for one in found if one.since == plus(month, 1)), None)

    async def _stored(self, tenant: UUID, track: Track, now: datetime) -> tuple[list[Kept], list[Kept], list[Kept]]:
        since = plus(month_of(now), -SHOWN_MONTHS)
        async with self._runtime.database.batch(tenant) as work:
            store = Forecasts(work, tenant)
            return (
                await store.newest(track, month_of(now)),
                await store.before_each(track, since),
                await store.tests(track),
            )

    async def _shown(self, request: ForecastRequest, material: Material) -> Forecast:
        wanted = rules()
        missing = material.missing(wanted)
        ahead, before, tests = await self._stored(request.principal.tenant_id, request.track, material.now)
        ahead = [] if missing else ahead
        tested = _tests(tests)
        expected = {one.since: one for one in before}
        whole = {point.since for point in material.whole}
        months = tuple(
            _month(point.since, point.until, point.value if point.since in whole or point is material.points[-1] else None,
                   so_far=point is material.points[-1], expected=expected.get(point.since))
            for point in material.points[-SHOWN_MONTHS - 1 :]
        )  # fmt: skip
        excluded = sum(deal.closed_at is None and deal.currency != "SAR" for deal in material.deals or ())
        sure = tested[0].accuracy if tested and tested[0].accuracy is not None else 0.0
        return Forecast(
            track=request.track, metric=wanted.tracks[request.track].metric, unit=material.unit, ready=bool(ahead), missing=missing,
            made_at=max((one.made_at for one in ahead), default=None), level=wanted.level, months=months,
            ahead=tuple(_ahead(one, month_of(material.now), _names(material), wanted.drivers) for one in ahead), back_test=tested, excluded_deals=excluded,
            provenance=self._origin(material, sure if ahead else 0.0),
        )  # fmt: skip

    def _origin(self, material: Material, confidence: float) -> Provenance:
        metric = rules().tracks[material.track].metric
        return provenance.local(
            now=material.now, by="forecast", engine="statistics", version=MODEL, confidence=confidence,
            freshness=provenance.freshness_hours(material.now, material.touched() or [material.now]),
            sources=(f"metric:{metric}", *((f"deals:{len(material.deals)}",) if material.deals else ())), trace_id=telemetry.trace_id(),
        )  # fmt: skip

    async def made(self, request: MadeRequest) -> MadeReply:
        """What was stored, back-tests included, the newest first. Raises BadCursor."""
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._runtime.database.batch(tenant) as work:
            found = await Forecasts(work, tenant).page(request.track, _cursor(request.page.cursor), limit + 1)
        items = tuple(one.made(tenant) for one in found[:limit])
        last = f"{items[-1].made_at.isoformat()}|{items[-1].forecast_id}" if len(found) > limit else None
        return MadeReply(items=items, next_cursor=last)

    async def variance(self, request: VarianceRequest) -> Variance:
        """A month's gap, taken apart four ways. Raises NotOver, NoForecast."""
        who, track, now = request.principal, request.track, self._runtime.now()
        since = named(request.month) if request.month else plus(month_of(now), -1)
        said, until = f"{since:%Y-%m}", plus(since, 1)
        if until > now:
            raise NotOver(said)
        async with self._runtime.database.batch(who.tenant_id) as work:
            before = await Forecasts(work, who.tenant_id).before_each(track, since)
        kept = next((one for one in before if one.since == since), None)
        actual = await actual_of(self._runtime, who, track, since, until)
        if kept is None or actual is None:
            raise NoForecast(said)
        material = await read(self._runtime, who, track, now)
        deals = {deal.deal_id: deal for deal in material.deals or ()}
        gap = Gap(kept.basis, kept.expected, actual, kept.made_at, kept.since, kept.until, deals)
        met = accuracy(float(kept.expected), float(actual))
        return Variance(
            track=track, metric=rules().tracks[track].metric, since=since, until=until, forecast_id=kept.id(who.tenant_id),
            made_at=kept.made_at, kind=kept.basis.kind, expected=kept.expected, low=kept.low, high=kept.high, actual=actual,
            variance=actual - kept.expected, accuracy=None if met is None else round(met, 4), within=kept.low <= actual <= kept.high,
            by_deal=gap.by_deal(rules().drivers), by_stage=gap.by_stage(), by_segment=gap.by_segment(), by_timing=gap.by_timing(),
            provenance=self._origin(material, met or 0.0),
        )  # fmt: skip


def _month(since: datetime, until: datetime, actual: Decimal | None, *, so_far: bool, expected: Kept | None) -> Month:
    if expected is None:
        return Month(since=since, until=until, actual=actual, so_far=so_far)
    return Month(
        since=since, until=until, actual=actual, so_far=so_far, forecast=expected.expected, low=expected.low, high=expected.high,
        kind=expected.basis.kind,
    )  # fmt: skip


def _names(material: Material) -> dict[UUID, str]:
    return {deal.deal_id: f"{deal.account_name}: {deal.title}".strip(": ") for deal in material.deals or ()}


def _ahead(one: Kept, month: datetime, named: dict[UUID, str], most: int) -> Ahead:
    """A stored forecast as of the month that `month` begins."""
    drivers = tuple(
        Driver(deal_id=deal.deal_id, title=named.get(deal.deal_id, ""), stage=deal.stage, amount=deal.amount, probability=deal.probability, contribution=deal.contribution)
        for deal in one.basis.deals[:most]
    )  # fmt: skip
    begins = one.since.astimezone(month.tzinfo)
    return Ahead(
        since=one.since, until=one.until, horizon=(begins.year - month.year) * 12 + begins.month - month.month, expected=one.expected,
        low=one.low, high=one.high, from_deals=one.basis.from_deals, weight=one.basis.weight, drivers=drivers,
    )  # fmt: skip


def _tests(kept: list[Kept]) -> tuple[HorizonTest, ...]:
    by_horizon: dict[int, list[Kept]] = defaultdict(list)
    for one in kept:
        by_horizon[one.basis.horizon].append(one)
    found = []
    for horizon, tests in sorted(by_horizon.items()):
        met = [accuracy(float(one.expected), float(one.actual or 0)) for one in tests]
        naive = [accuracy(float(one.basis.naive or 0), float(one.actual or 0)) for one in tests]
        inside = [float(one.low <= (one.actual or 0) <= one.high) for one in tests]
        found.append(
            HorizonTest(
                horizon=horizon, months=len(tests), accuracy=mean(met), naive=mean(naive),
                coverage=mean(inside) if len(tests) >= rules().residuals else None,
            )
        )  # fmt: skip
    return tuple(found)


def _cursor(text: str | None) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    at, _, last = text.partition("|")
    try:
        return datetime.fromisoformat(at), UUID(last)
    except ValueError as error:
        raise BadCursor from error


def serve_forecasts(runtime: Runtime) -> None:
    """Answer about forecasts, and make them once a day."""
    making = Making(runtime)
    desk = ForecastDesk(runtime, making)
    runtime.bus.serve(subjects.FORECAST, desk.show)
    runtime.bus.serve(subjects.MAKE_FORECAST, desk.make)
    runtime.bus.serve(subjects.FORECASTS_MADE, desk.made)
    runtime.bus.serve(subjects.FORECAST_VARIANCE, desk.variance)
    runtime.loop("forecasts", making.run)
