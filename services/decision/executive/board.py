"""The board pack of a month or a quarter: eight sections of figures of the metric layer, with what stands behind them in words."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from libs.contracts.board_pack import BoardPack, BoardPackRequest, PackSection
from libs.contracts.business_time import RIYADH
from libs.contracts.errors import DealixError
from libs.contracts.executive import PendingDecision, RoomFigure
from libs.contracts.forecasts import Track, Variance, VarianceRequest
from libs.contracts.message import Principal, Text
from libs.contracts.trust import Approval
from libs.runtime.plane import Runtime
from services.decision.executive.domain.periods import last_month, period
from services.decision.executive.errors import NotBegun
from services.decision.executive.figures import Figures
from services.decision.executive.reading import Approvals, decisions, origin
from services.decision.executive.risks import Risks, Scored
from services.decision.executive.rules import rules
from services.decision.forecasting.desk import ForecastDesk
from services.decision.forecasting.domain.calendar import month_of, plus
from services.decision.forecasting.making import Making
from services.decision.forecasting.store import Forecasts
from services.decision.memos.domain.made import rules as memo_rules

REVENUE = "revenue"
"""The section that says where the period's gap came from."""
UNREAD = Text(en="Which decisions wait could not be read just now.", ar="تعذّرت قراءة القرارات المعلّقة الآن.")
"""A board that reads of no decision takes it that none waits."""


class BoardDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._figures = Figures(runtime)
        self._risks = Risks(runtime)
        self._approvals = Approvals(runtime)
        self._forecasts = ForecastDesk(runtime, Making(runtime))

    async def pack(self, request: BoardPackRequest) -> BoardPack:
        """Raises NotBegun; CallTimeout when no figure could be read at all."""
        who, now = request.principal, self._runtime.now()
        name = request.period_name or last_month(now)
        since, end = period(name)
        if since >= now:
            raise NotBegun(name)
        until, so_far = min(end, now), end > now
        disputes, waiting = await asyncio.gather(self._figures.disputes(who), self._approvals.waiting(who))
        sections = memo_rules()["board"]
        names = [*dict.fromkeys(one for section in sections for one in section["figures"] if self._figures.within_reach(one))]  # fmt: skip
        found, scored, expected, gap = await asyncio.gather(
            self._figures.shown(who, names, disputes, since, until),
            self._risks.score(who, disputes, waiting),
            self._expected(who.tenant_id, since, end),
            self._gap(who, name, end, now),
        )
        by_name = {one.metric: one for one in found}
        top = scored.risks[: rules().top]
        asked = required(waiting, now)
        revenue = by_name.get("revenue_actual")
        return BoardPack(
            tenant_id=who.tenant_id, provenance=origin(found, now, "board_pack"), period=name, since=since, until=until, so_far=so_far,
            made_at=now, sections=tuple(_section(one, by_name, scored, asked, gap) for one in sections),
            revenue_actual=revenue.value if revenue else None, revenue_forecast=expected, top_risks=top, not_scored=scored.missing,
            key_risks=tuple(one.title.en for one in top), key_risks_ar=tuple(one.title.ar for one in top),
            decisions_required=tuple(one.en for one in asked), decisions_required_ar=tuple(one.ar for one in asked),
        )  # fmt: skip

    async def _expected(self, tenant: UUID, since: datetime, end: datetime) -> Decimal | None:
        """What was expected of the period before its months began; None where one of them was not forecast."""
        months = [since]
        while plus(months[-1], 1) < end:
            months.append(plus(months[-1], 1))
        async with self._runtime.database.batch(tenant) as work:
            kept = {
                month_of(one.since): one.expected for one in await Forecasts(work, tenant).before_each(Track.REVENUE, since)
            }  # fmt: skip
        found = [kept[one] for one in months if one in kept]
        return sum(found, Decimal(0)) if len(found) == len(months) else None

    async def _gap(self, who: Principal, name: str, end: datetime, now: datetime) -> Variance | None:
        """Where a month's gap came from; of a quarter, a running month or one without a forecast there is nothing to say."""
        if "Q" in name or end > now:
            return None
        try:
            return await self._forecasts.variance(VarianceRequest(principal=who, month=name))
        except DealixError:
            return None


def _section(
    rule: dict[str, object], figures: dict[str, RoomFigure], scored: Scored, required: list[Text], gap: Variance | None
) -> PackSection:
    key, names = str(rule["key"]), rule["figures"]
    lines = required if key == "decisions" else []
    if (source := rules().board.get(key)) is not None:
        those = [one for one in scored.risks if one.source is source][: rules().top]
        lines = [Text(en=f"{one.title.en}. {one.basis.en}", ar=f"{one.title.ar}. {one.basis.ar}") for one in those]
        lines += [one.why for one in scored.missing if one.source is source]
    if key == REVENUE and gap is not None:
        lines = _causes(gap)
    shown = tuple(figures[one] for one in names if one in figures) if isinstance(names, list) else ()
    return PackSection(
        key=key, en=str(rule["en"]), ar=str(rule["ar"]), figures=shown, lines=tuple(one.en for one in lines),
        lines_ar=tuple(one.ar for one in lines),
    )  # fmt: skip


def _causes(gap: Variance) -> list[Text]:
    whole = Text(
        en=f"Against the forecast of {gap.expected:,.2f}: {gap.variance:+,.2f}.",
        ar=f"مقارنة بالمتوقع {gap.expected:,.2f}: {gap.variance:+,.2f}.",
    )
    parts = [one for one in gap.by_timing if one.variance]
    return [whole, *(Text(en=f"{one.en}: {one.variance:+,.2f}", ar=f"{one.ar}: {one.variance:+,.2f}") for one in parts)]  # fmt: skip


def required(waiting: tuple[Approval, ...] | None, now: datetime) -> list[Text]:
    """What the board has to decide, a line each; that nobody knows where approvals could not be read."""
    return [UNREAD] if waiting is None else [_required(one) for one in decisions(waiting, now)]


def _required(one: PendingDecision) -> Text:
    due = f"{one.due_at.astimezone(RIYADH):%Y-%m-%d %H:%M}"
    if one.late:
        return Text(en=f"{one.title.en} (was due {due})", ar=f"{one.title.ar} (فات موعده {due})")
    return Text(en=f"{one.title.en} (due {due})", ar=f"{one.title.ar} (موعده {due})")
