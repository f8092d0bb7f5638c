"""What partners bring: a scorecard for each, and revenue by partner. Every figure is asked of the dictionary of metrics by its name."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.partners import partner_rules
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import GetRecord, Record
from libs.contracts.errors import NotFound, RemoteFault
from libs.contracts.message import Principal, Text
from libs.contracts.metrics import MetricGet, MetricPart, MetricValue, PartsRequest
from libs.contracts.partners import (
    PartnerGet,
    PartnerRevenue,
    PartnerRevenueReply,
    PartnerRevenueRequest,
    PartnerScorecard,
)
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.partners.domain.health import health, whole_months
from services.decision.partners.domain.named import name_of

REVENUE, OPEN, DEALS = "partner_revenue", "partner_pipeline_value", "partner_deals"
YEAR = timedelta(days=365)
NOTHING = Decimal("0.00")
BY = "partner"


class PartnerFigures:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus

    async def scorecard(self, request: PartnerGet) -> PartnerScorecard:
        """How one partnership is doing. Raises NotFound."""
        who, now = request.principal, self._runtime.now()
        record = await self._bus.call(
            subjects.RECORD, GetRecord(principal=who, kind=RecordKind.PARTNER, id=request.partner_id)
        )
        revenue, open_value, deals = await asyncio.gather(
            self._part(who, REVENUE, record.id, now - YEAR, now),
            self._part(who, OPEN, record.id),
            self._part(who, DEALS, record.id),
        )
        rules, values = partner_rules().health, record.values
        began = values.get("partner_since")
        months = whole_months(date.fromisoformat(began), now.astimezone(RIYADH).date()) if began else 0
        found = health(values.get("intros") or 0, deals.counted, months, rules)
        missing = tuple(name for name in ("intros", "partner_since") if values.get(name) is None)
        stage = cards().partner_stages[values["stage"]]
        return PartnerScorecard(
            partner_id=record.id, name=name_of(values), stage=Text(en=stage.en, ar=stage.ar), health=found.score, parts=found.parts,
            tier=found.tier.key, tier_name=Text(en=found.tier.en, ar=found.tier.ar),
            next_tier=Text(en=found.after.en, ar=found.after.ar) if found.after else None, to_next=found.to_next,
            revenue=revenue.value or NOTHING, won=revenue.counted, open_value=open_value.value or NOTHING, missing=missing,
            provenance=provenance.local(
                now=now, by="partner_scorecard", engine="rules", version=partner_rules().version, confidence=1 - 0.25 * len(missing),
                freshness=provenance.freshness_hours(now, [record.updated_at]),
                sources=(f"partner:{record.id}", *(f"metric:{name}" for name in (REVENUE, OPEN, DEALS))), trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip

    async def revenue(self, request: PartnerRevenueRequest) -> PartnerRevenueReply:
        """Partners by what their deals brought in the period. Raises BadPeriod, BadCursor."""
        who, now = request.principal, self._runtime.now()
        until = request.until or now
        since = request.since or until - YEAR
        asked = PartsRequest(principal=who, name=REVENUE, by=BY, since=since, until=until, page=request.page)
        parts, total, open_value = await asyncio.gather(
            self._bus.call(subjects.METRIC_PARTS[metrics()[REVENUE].plane], asked),
            self._whole(who, REVENUE, since, until),
            self._whole(who, OPEN),
        )
        records = await asyncio.gather(*(self._record(who, UUID(one.part)) for one in parts.items))
        return PartnerRevenueReply(
            items=tuple(_revenue(one, record, total) for one, record in zip(parts.items, records, strict=True)),
            next_cursor=parts.next_cursor, total=total, open_value=open_value,
        )  # fmt: skip

    async def _whole(
        self, who: Principal, name: str, since: datetime | None = None, until: datetime | None = None
    ) -> MetricValue:
        call = subjects.METRICS[metrics()[name].plane]
        return await self._bus.call(call, MetricGet(principal=who, name=name, since=since, until=until))

    async def _part(
        self, who: Principal, name: str, partner_id: UUID, since: datetime | None = None, until: datetime | None = None
    ) -> MetricPart:
        call = subjects.METRIC_PARTS[metrics()[name].plane]
        asked = PartsRequest(principal=who, name=name, by=BY, part=str(partner_id), since=since, until=until)
        reply = await self._bus.call(call, asked)
        return next(iter(reply.items), MetricPart(part=str(partner_id), value=NOTHING, rows=0, counted=0, excluded=0))

    async def _record(self, who: Principal, partner_id: UUID) -> Record | None:
        """The partner's record; None for one that was deleted, whose deals stay."""
        try:
            return await self._bus.call(
                subjects.RECORD, GetRecord(principal=who, kind=RecordKind.PARTNER, id=partner_id)
            )
        except (NotFound, RemoteFault) as error:
            if error.code != "not_found":
                raise
            return None


def _revenue(one: MetricPart, record: Record | None, total: MetricValue) -> PartnerRevenue:
    value = one.value or NOTHING
    return PartnerRevenue(
        partner_id=UUID(one.part), name=name_of(record.values) if record else "", revenue=value, won=one.counted, excluded=one.excluded,
        share=round(float(value / total.value), 4) if total.value else None,
    )  # fmt: skip


def serve_partner_figures(runtime: Runtime) -> None:
    figures = PartnerFigures(runtime)
    runtime.bus.serve(subjects.PARTNER_SCORECARD, figures.scorecard)
    runtime.bus.serve(subjects.PARTNER_REVENUE, figures.revenue)
