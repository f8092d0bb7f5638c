"""Makes a track's forecast and stores it with what it rested on; tests it on the past; notes what became of earlier ones."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.errors import DealixError
from libs.contracts.forecasts import Track
from libs.contracts.message import Principal, PrincipalKind
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.forecasting.domain.basis import Basis, basis_of, money
from services.decision.forecasting.domain.calendar import plus
from services.decision.forecasting.domain.model import Model, Tested
from services.decision.forecasting.reading import Material, actual_of, read
from services.decision.forecasting.rules import ForecastRules, rules
from services.decision.forecasting.store import Forecasts, Kept

log = logging.getLogger(__name__)

EVERY_HOURS = 24
IDLE_SECONDS = 20.0
# Ids of tenants whom decision knows; whoever is new among them gets a turn.
_KNOWN = (
    "insert into decision.forecast_turns (tenant_id) select tenant_id from decision.watch_queue on conflict do nothing"
)
_CLAIM = (
    "update decision.forecast_turns t set due_at = now() + make_interval(hours => $1) from (select tenant_id from decision.forecast_turns "
    "where due_at <= now() order by due_at limit 1 for update skip locked) d where t.tenant_id = d.tenant_id returning t.tenant_id"
)
_TURN = "insert into decision.forecast_turns (tenant_id, due_at) values ($1, now() + make_interval(hours => $2)) on conflict do nothing"


@dataclass(frozen=True)
class Result:
    """What was computed: forecasts of the months to come, and tests of those gone. Both are empty where too little is known."""

    ahead: tuple[Kept, ...]
    tests: tuple[Kept, ...]


class Making:
    def __init__(self, runtime: Runtime) -> None:
        rules()  # a wrong file stops the start
        self._runtime = runtime

    async def make(self, who: Principal, track: Track, now: datetime | None = None) -> Material:
        """Read, settle what has ended, forecast what is to come. Returns what was read."""
        at, tenant = now or self._runtime.now(), who.tenant_id
        material = await read(self._runtime, who, track, at)
        await self._settle(who, track, at)
        # Some tens of milliseconds of arithmetic, more with many deals: other requests go on meanwhile.
        result = await asyncio.to_thread(computed, material, rules())
        async with self._runtime.database.batch(tenant) as work:
            store = Forecasts(work, tenant)
            await store.drop_tests(track)
            await store.put((*result.ahead, *result.tests), at)
            await work.connection.execute(_TURN, tenant, EVERY_HOURS)
        return material

    async def _settle(self, who: Principal, track: Track, now: datetime) -> None:
        within = timedelta(days=rules().settle_days)
        async with self._runtime.database.batch(who.tenant_id) as work:
            months = await Forecasts(work, who.tenant_id).unsettled(track, now, within)
        for since in months:
            actual = await actual_of(self._runtime, who, track, since, plus(since, 1))
            if actual is not None:
                async with self._runtime.database.batch(who.tenant_id) as work:
                    await Forecasts(work, who.tenant_id).settle(track, since, actual, now)

    async def run(self) -> None:
        """Every tenant once a day, for ever. A tenant is claimed for its whole day, so replicas never forecast twice."""
        while True:
            async with self._runtime.database.batch() as work:
                await work.connection.execute(_KNOWN)
                tenant: UUID | None = await work.connection.fetchval(_CLAIM, EVERY_HOURS)
            if tenant is None:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            who = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("operator",))
            with telemetry.span(self._runtime.plane, "forecast", attributes={"dealix.tenant": str(tenant)}):
                for track in Track:
                    try:
                        await self.make(who, track)
                    except DealixError as error:
                        # A plane is silent: the tenant's next turn comes, and its last forecast stays as it is.
                        log.warning("a forecast waits: %s", error.code, extra={"ids": {"track": track.value}})


def computed(material: Material, wanted: ForecastRules) -> Result:
    """The forecasts and their tests from what was read. Without enough of it, the tests that are possible and no forecast."""
    if not material.whole:
        return Result((), ())
    history = material.history()
    model, months = Model(history, wanted), len(history.values)
    ready = not material.missing(wanted)
    ahead, tests = [], []
    for horizon in wanted.horizons:
        tests += [_tested(material, one) for one in model.tests(horizon)]
        if not ready or months < wanted.least_months(horizon):
            continue
        estimate = model.estimate(horizon)
        since = plus(material.current, horizon)
        basis = basis_of(estimate, model.open_deals(months), history.deals or (), wanted.stored_deals)
        ahead.append(
            Kept(
                material.track, since, plus(since, 1), material.now, money(estimate.expected), money(estimate.low), money(estimate.high), basis
            )
        )  # fmt: skip
    return Result(tuple(ahead), tuple(tests))


def _tested(material: Material, one: Tested) -> Kept:
    basis = Basis(kind="back_test", horizon=one.horizon, unknown=money(one.expected), naive=money(one.naive))
    return Kept(
        material.track, one.since, one.until, one.made_at, money(one.expected), money(one.low), money(one.high), basis, money(one.actual)
    )  # fmt: skip
