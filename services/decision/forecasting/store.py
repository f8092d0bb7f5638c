"""Forecasts in PostgreSQL: one row a month, horizon and day, with what it rested on and, later, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from libs.contracts.business_time import RIYADH
from libs.contracts.forecasts import Made, Track
from libs.runtime.database import BatchWork
from services.decision.forecasting.domain.basis import Basis
from services.decision.forecasting.domain.model import accuracy


@dataclass(frozen=True)
class Kept:
    """A forecast as it is stored."""

    track: Track
    since: datetime
    until: datetime
    made_at: datetime
    expected: Decimal
    low: Decimal
    high: Decimal
    basis: Basis
    actual: Decimal | None = None

    def id(self, tenant: UUID) -> UUID:
        """The same for the same month, horizon and day: a forecast made again that day takes the place of the first."""
        day = self.made_at.astimezone(RIYADH).date()
        return uuid5(tenant, f"forecast:{self.track.value}:{self.basis.kind}:{self.basis.horizon}:{self.since.isoformat()}:{day}")  # fmt: skip

    def made(self, tenant: UUID) -> Made:
        met = None if self.actual is None else accuracy(float(self.expected), float(self.actual))
        return Made(
            forecast_id=self.id(tenant), track=self.track, kind=self.basis.kind, horizon=self.basis.horizon, since=self.since, until=self.until,
            made_at=self.made_at, expected=self.expected, low=self.low, high=self.high, actual=self.actual,
            accuracy=None if met is None else round(met, 4),
        )  # fmt: skip


_COLUMNS = "track, period_start, period_end, made_at, expected, low, high, basis, actual, forecast_id"
_PUT = (
    "insert into decision.forecasts (tenant_id, forecast_id, track, period_start, period_end, made_at, expected, low, high, basis, actual, actual_at) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12) on conflict (tenant_id, forecast_id) do update set made_at = excluded.made_at, "
    "expected = excluded.expected, low = excluded.low, high = excluded.high, basis = excluded.basis, actual = excluded.actual, actual_at = excluded.actual_at"
)


class Forecasts:
    """One transaction over one tenant."""

    def __init__(self, work: BatchWork, tenant: UUID) -> None:
        self._c = work.connection
        self._tenant = tenant

    async def put(self, rows: Sequence[Kept], now: datetime) -> None:
        for one in rows:
            await self._c.execute(
                _PUT, self._tenant, one.id(self._tenant), one.track.value, one.since, one.until, one.made_at, one.expected, one.low, one.high,
                one.basis.model_dump_json(), one.actual, None if one.actual is None else now,
            )  # fmt: skip

    async def drop_tests(self, track: Track) -> None:
        """Take the last back-test away, for a newer one knows more months."""
        await self._c.execute(
            "delete from decision.forecasts where tenant_id = $1 and track = $2 and basis->>'kind' = 'back_test'",
            self._tenant, track.value,
        )  # fmt: skip

    async def unsettled(self, track: Track, now: datetime, within: timedelta) -> list[datetime]:
        """Months that have ended and have forecasts whose actual is missing, or may still change: late closings are booked late."""
        rows = await self._c.fetch(
            "select distinct period_start from decision.forecasts where tenant_id = $1 and track = $2 and basis->>'kind' = 'made' "
            "and period_end <= $3 and (actual is null or period_end > $4) order by 1",
            self._tenant, track.value, now, now - within,
        )  # fmt: skip
        return [row["period_start"] for row in rows]

    async def settle(self, track: Track, since: datetime, actual: Decimal, now: datetime) -> None:
        await self._c.execute(
            "update decision.forecasts set actual = $4, actual_at = $5 where tenant_id = $1 and track = $2 and period_start = $3 "
            "and basis->>'kind' = 'made' and actual is distinct from $4",
            self._tenant, track.value, since, actual, now,
        )  # fmt: skip

    async def newest(self, track: Track, after: datetime) -> list[Kept]:
        """The newest forecast of each month that begins after a moment."""
        rows = await self._c.fetch(
            f"select distinct on (period_start) {_COLUMNS} from decision.forecasts where tenant_id = $1 and track = $2 and basis->>'kind' = 'made' "
            "and period_start > $3 order by period_start, made_at desc",
            self._tenant, track.value, after,
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def before_each(self, track: Track, since: datetime) -> list[Kept]:
        """For each month from `since` on, what was expected of it before it began: the last forecast, else the nearest back-test."""
        rows = await self._c.fetch(
            f"select distinct on (period_start) {_COLUMNS} from decision.forecasts where tenant_id = $1 and track = $2 and period_start >= $3 "
            "and made_at < period_start order by period_start, basis->>'kind' desc, made_at desc",
            self._tenant, track.value, since,
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def tests(self, track: Track) -> list[Kept]:
        rows = await self._c.fetch(
            f"select {_COLUMNS} from decision.forecasts where tenant_id = $1 and track = $2 and basis->>'kind' = 'back_test' order by period_start",
            self._tenant, track.value,
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def page(self, track: Track, before: tuple[datetime, UUID] | None, limit: int) -> list[Kept]:
        at, last = before or (None, None)
        rows = await self._c.fetch(
            f"select {_COLUMNS} from decision.forecasts where tenant_id = $1 and track = $2 "
            "and ($3::timestamptz is null or (made_at, forecast_id) < ($3, $4::uuid)) order by made_at desc, forecast_id desc limit $5",
            self._tenant, track.value, at, last, limit,
        )  # fmt: skip
        return [_kept(row) for row in rows]


def _kept(row: Any) -> Kept:
    return Kept(
        Track(row["track"]), row["period_start"], row["period_end"], row["made_at"], row["expected"], row["low"], row["high"],
        Basis.model_validate_json(row["basis"]), row["actual"],
    )  # fmt: skip
