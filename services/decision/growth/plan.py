"""The day's plan from the ranking as it stands: whom, on which channel, and how far each draft has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import FIRST, Draft, Opportunity
from libs.contracts.errors import DealixError
from libs.contracts.execution import Action, ActionGet
from libs.contracts.growth import DailyPlanReply, DailyPlanRequest, PlannedLead, Scorecard
from libs.contracts.subjects import ACTION
from libs.contracts.trust import Contactability
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.growth.day_plans import Apart, DayPlans, PlanCard
from services.decision.targeting.domain.plan import day_began

VERSION = "daily-plan-2"
LOOKED_AT = 500
"""The plan's leads are found among the best so many: twenty accounts that may be contacted are there, or nowhere."""
_TODAY = (
    # One matter in front of several roles is one.
    "with matters as (select status, decided_by, decided_at, document->'context'->>'event' as event, document->'context'->>'subject' as subject, "
    "status = 'open' and (expires_at is null or expires_at > now()) as waits from decision.cards where tenant_id = $1) "
    "select (select count(*) from decision.drafts where tenant_id = $1 and created_at >= $2) as drafts, "
    "count(distinct (event, subject)) filter (where status = 'decided' and decided_at >= $2 and decided_by not like 'system:%' "
    "and decided_by not like 'agent:%') as decided, "
    "count(distinct (event, subject)) filter (where waits) as waiting, "
    "count(distinct (event, subject)) filter (where waits and event = any($3::text[])) as follow_ups from matters"
)
_FOLLOW_UPS = ("deal_stalled", "objection_raised", "customer_quiet")


@dataclass(frozen=True, slots=True)
class _Read:
    """What is on record of a day."""

    best: list[Opportunity]
    counted: Mapping[str, int]
    apart: Apart
    card: PlanCard | None
    today: Any


class Growth:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def plan(self, request: DailyPlanRequest) -> DailyPlanReply:
        """Twenty accounts that may be contacted, the ten of the plan's card for drafts, and today's counts.

        The plan is the card's: what a person sees here is what approving it prepares. Before there is one, the best ten stand for it.
        """
        tenant, now, limits = request.principal.tenant_id, self._runtime.now(), targeting().autopilot
        day = now.astimezone(RIYADH).date()
        async with self._runtime.database.batch(tenant) as work:
            read = await _read(work, tenant, day_began(now), day, cards().skipped_days)
            named = set(read.card.leads) if read.card else set()
            chosen = _accounts(
                [one for one in read.best if one.lead_id not in read.apart.plan], named, limits.prospects
            )
            drafts = await work.connection.fetch(
                "select document from decision.drafts where tenant_id = $1 and purpose = $2 and lead_id = any($3::uuid[])",
                tenant, FIRST, [one.lead_id for one in chosen],
            )  # fmt: skip
            skips = await DayPlans(work).skips(tenant, [one.lead_id for one in chosen])
        planned = named if named else {one.lead_id for one in chosen[: limits.drafts]}
        written = {draft.lead_id: draft for draft in (Draft.model_validate_json(row["document"]) for row in drafts)}
        states = await self._states(request, written)
        sources = [one.provenance for one in chosen]
        counted, card = read.counted, read.card
        return DailyPlanReply(
            day=day, ranked=sum(counted.values()), safe=counted.get("safe", 0), needs_review=counted.get("needs_review", 0),
            blocked=counted.get("blocked", 0),
            prospects=tuple(_planned(one, one.lead_id in planned, written, states, skips) for one in chosen),
            scorecard=Scorecard(
                drafts_prepared=read.today["drafts"], cards_decided=read.today["decided"], cards_open=read.today["waiting"],
                follow_ups_open=read.today["follow_ups"],
            ),
            provenance=provenance.local(
                now=now, by="daily_autopilot", engine="rules", version=VERSION,
                confidence=min((one.confidence for one in sources), default=0.0),
                freshness=max((one.freshness_hours for one in sources), default=0.0),
                sources=tuple(f"lead:{one.lead_id}" for one in chosen), trace_id=telemetry.trace_id(),
            ),
            plan_card=card.card_id if card else None, plan_open=bool(card and card.open),
            decided_by=card.decided_by if card else None, decided_button=card.decided_button if card else None,
            decided_at=card.decided_at if card else None, set_aside=len(read.apart.skipped),
        )  # fmt: skip

    async def _states(self, request: DailyPlanRequest, written: Mapping[UUID, Draft]) -> dict[UUID, Action]:
        """How far the drafts' actions have come, by lead; those that execution does not tell of are missing."""
        drafts = [draft for draft in written.values() if draft.action_id is not None]
        found = await asyncio.gather(*(self._action(request, draft) for draft in drafts))
        return {draft.lead_id: view for draft, view in zip(drafts, found, strict=True) if view is not None}

    async def _action(self, request: DailyPlanRequest, draft: Draft) -> Action | None:
        asked = ActionGet(principal=request.principal, action_id=draft.action_id or draft.draft_id)
        try:
            return await self._runtime.bus.call(ACTION, asked)
        except DealixError:
            return None


async def _read(work: BatchWork, tenant: UUID, began: datetime, day: date, skipped_days: int) -> _Read:
    c, plans = work.connection, DayPlans(work)
    apart = await plans.apart(tenant, began, skipped_days)
    best = await c.fetch(
        "select document from decision.opportunities where tenant_id = $1 and contactability = $2 and not (lead_id = any($4::uuid[])) "
        "order by position limit $3",
        tenant, Contactability.SAFE.value, LOOKED_AT, list(apart.plan),
    )  # fmt: skip
    counted = {
        row["contactability"]: row["n"]
        for row in await c.fetch("select contactability, count(*) n from decision.opportunities where tenant_id = $1 group by 1", tenant)
    }  # fmt: skip
    today = await c.fetchrow(_TODAY, tenant, began, list(_FOLLOW_UPS))
    opportunities = [Opportunity.model_validate_json(row["document"]) for row in best]
    return _Read(opportunities, counted, apart, await plans.card(tenant, day), today)


def _accounts(ranked: list[Opportunity], named: set[UUID], most: int) -> list[Opportunity]:
    """The best of each account, the lead that the plan names before others of its account; in the order of the ranking."""
    seen: set[UUID] = set()
    chosen: list[Opportunity] = []
    for one in sorted(ranked, key=lambda its: its.lead_id not in named):
        if one.account_id not in seen and len(chosen) < most:
            seen.add(one.account_id)
            chosen.append(one)
    order = {one.lead_id: at for at, one in enumerate(ranked)}
    return sorted(chosen, key=lambda its: order[its.lead_id])


def _planned(
    one: Opportunity, drafted: bool, written: Mapping[UUID, Draft], states: Mapping[UUID, Action], skips: Mapping[UUID, UUID]
) -> PlannedLead:  # fmt: skip
    draft, view = written.get(one.lead_id), states.get(one.lead_id)
    return PlannedLead(
        lead_id=one.lead_id, account_name=one.account_name, score=one.score, tier=one.tier, channel=one.channel,
        reasons_ar=one.reasons_ar, reasons_en=one.reasons_en, drafted=drafted,
        draft_id=draft.draft_id if draft else None, state=view.state.value if view else None,
        action_id=draft.action_id if draft else None, approval_id=view.approval_id if view else None,
        skip_card=None if draft else skips.get(one.lead_id),
    )  # fmt: skip
