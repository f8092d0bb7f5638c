"""Actual vs forecast as the browser tests look at it: with months and without enough of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from libs.contracts.forecasts import Ahead, Driver, Forecast, HorizonTest, Missing, Month, Part, Track, Variance
from libs.contracts.message import Principal, PrincipalKind, Provenance, new_id
from services.gateway.console.desk import Desk
from services.gateway.console.pages_forecast import ForecastPage
from services.gateway.console.routes.forecasts import page_of

DEAL = new_id()


@dataclass(frozen=True)
class _Reader:
    """As much of a desk as the page asks for."""

    lang: str
    who: Principal

    def say(self, arabic: str, english: str) -> str:
        return arabic if self.lang == "ar" else english


def _month(number: int) -> datetime:
    return datetime(2025 + (number - 1) // 12, (number - 1) % 12 + 1, 1, tzinfo=UTC)


def forecast_page(arabic: bool, *, ready: bool) -> ForecastPage:
    """Eighteen months with a gap in them and three ahead, or too few."""
    who = Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("owner",), scopes=("*",))
    desk = cast(Desk, _Reader("ar" if arabic else "en", who))
    if not ready:
        missing = Missing(
            code="months", have=3, need=11, en="11 whole months since the first closing are needed; there are 3.",
            ar="يلزم 11 شهرًا كاملًا منذ أول إغلاق، والمتوفر 3.",
        )  # fmt: skip
        empty = Forecast(track=Track.EXPANSION, metric="markets_opened", unit="count", ready=False, missing=(missing,), level=0.8)  # fmt: skip
        return page_of(desk, empty, None, "", "")
    months = tuple(
        Month(
            since=_month(n), until=_month(n + 1), actual=None if n == 9 else Decimal(90_000 + 17_000 * (n * 7 % 11)), so_far=n == 23,
            **({"forecast": Decimal(150_000), "low": Decimal(80_000), "high": Decimal(220_000), "kind": "back_test"} if n > 13 else {}),
        )
        for n in range(6, 24)
    )  # fmt: skip
    driver = Driver(
        deal_id=DEAL, title="شركة رمال التقنية: توسعة", stage="negotiating", amount=Decimal(300_000), probability=0.31, contribution=Decimal(93_000)
    )  # fmt: skip
    ahead = tuple(
        Ahead(
            since=_month(23 + h), until=_month(24 + h), horizon=h, expected=Decimal(160_000), low=Decimal(70_000), high=Decimal(250_000),
            from_deals=Decimal(93_000), weight=0.6, drivers=(driver,),
        )
        for h in (1, 2, 3)
    )  # fmt: skip
    origin = Provenance(
        generated_at=_month(23), generated_by="forecast", model_provider="local", model_id="engine=statistics", prompt_version="1",
        confidence=0.71, freshness_hours=2.0,
    )  # fmt: skip
    found = Forecast(
        track=Track.REVENUE, metric="revenue_actual", unit="SAR", ready=True, made_at=_month(23), level=0.8, months=months, ahead=ahead,
        back_test=(HorizonTest(horizon=1, months=9, accuracy=0.71, naive=0.55, coverage=0.78),), excluded_deals=2, provenance=origin,
    )  # fmt: skip
    parts = (
        Part(key="slipped", en="Not closed in the month", ar="لم تُغلق خلال الشهر", expected=Decimal(40_000), actual=Decimal(0), variance=Decimal(-40_000), deals=4),
        Part(key="d", en="Rimal: expansion", ar="رمال: توسعة", expected=Decimal(0), actual=Decimal(61_000), variance=Decimal(61_000), deal_id=DEAL, deals=1),
    )  # fmt: skip
    gap = Variance(
        track=Track.REVENUE, metric="revenue_actual", since=_month(22), until=_month(23), forecast_id=new_id(), made_at=_month(21), kind="made",
        expected=Decimal(150_000), low=Decimal(80_000), high=Decimal(220_000), actual=Decimal(171_000), variance=Decimal(21_000), accuracy=0.877,
        within=True, by_deal=parts, by_stage=parts, by_segment=parts, by_timing=parts, provenance=origin,
    )  # fmt: skip
    return page_of(desk, found, gap, "", "")
