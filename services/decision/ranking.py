"""Ranks a tenant: leads from data, scores and reasons here, then the day's cards and drafts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.control_facts import DecisionFactsRecorded
from libs.contracts.data import LeadsRequest
from libs.contracts.decision import Card, Opportunity, RankReply
from libs.contracts.subjects import DECISION_FACTS, LEADS
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.domain.telling import ranking_fact
from services.decision.drafting import Drafting
from services.decision.store import RankQueue, Recommendations
from services.decision.targeting.domain.explain import opportunity
from services.decision.targeting.domain.facts import LeadFacts, facts_of
from services.decision.targeting.domain.plan import DayPlan, day_plan
from services.decision.targeting.domain.rank import Ranked, rank
from services.decision.targeting.turns import Turns

log = logging.getLogger(__name__)

EXPLAINED = 5_000
"""How many leads of a ranking are kept with their reasons; the rest would never be looked at on that day."""
OPPORTUNITY_CARDS = 20
FIRST_DRAFTS = 3
"""Prepared at once, so that there is something to judge; the day's plan asks before it prepares the rest."""


class Ranking:
    def __init__(self, runtime: Runtime, drafting: Drafting) -> None:
        self._runtime = runtime
        self._drafting = drafting
        self._queue = RankQueue(runtime.database)
        self._turns: Turns[UUID, RankReply] = Turns()
        self.wake = asyncio.Event()

    async def loop(self) -> None:
        """Rank tenants whose leads have changed."""
        while True:
            self.wake.clear()
            now = self._runtime.now()
            tenant = await self._queue.claim()
            if tenant is None:
                try:
                    await asyncio.wait_for(self.wake.wait(), 1.0)
                except TimeoutError:
                    continue
                continue
            with telemetry.span(self._runtime.plane, "rank tenant", attributes={"dealix.tenant": str(tenant)}):
                await self.run(tenant)
            await self._queue.done(tenant, now)

    async def run(self, tenant_id: UUID) -> RankReply:
        """Rank all leads of a tenant, replace its opportunities, add the day's cards, prepare the day's drafts.

        One at a time a tenant: all who ask while one runs share the next.
        """
        return await self._turns.take(tenant_id, lambda: self._rank(tenant_id))

    async def _rank(self, tenant_id: UUID) -> RankReply:
        began = time.perf_counter()
        now = self._runtime.now()
        rules = targeting()
        facts = await self._leads(tenant_id)
        ranked = await asyncio.to_thread(rank, facts, rules, now)
        trace_id = telemetry.trace_id()
        explained = await asyncio.to_thread(
            lambda: [opportunity(one, rules, now, trace_id=trace_id) for one in ranked[:EXPLAINED]]
        )
        plan = day_plan(ranked, rules.autopilot)
        made = self._cards(tenant_id, ranked, explained, plan, now)
        async with self._runtime.database.batch(tenant_id) as work:
            store = Recommendations(work)
            await store.replace_opportunities(tenant_id, explained)
            added = await store.add_cards(made)
            if ranked:
                told = (ranking_fact(rules, len(ranked)),)
                work.emit(DECISION_FACTS, DecisionFactsRecorded(tenant_id=tenant_id, items=told, at=now))
        drafts = await self._drafting.prepare(tenant_id, plan.drafts[:FIRST_DRAFTS])
        tiers = Counter(one.tier for one in ranked)
        return RankReply(
            ranked=len(ranked),
            tiers=dict(sorted(tiers.items())),
            cards=added,
            drafts=drafts,
            took_ms=round((time.perf_counter() - began) * 1000, 1),
        )

    async def _leads(self, tenant_id: UUID) -> list[LeadFacts]:
        facts: list[LeadFacts] = []
        cursor: str | None = None
        while True:
            page = await self._runtime.bus.call(LEADS, LeadsRequest(tenant_id=tenant_id, cursor=cursor))
            facts += [facts_of(lead) for lead in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return facts

    def _cards(
        self, tenant_id: UUID, ranked: Sequence[Ranked], explained: Sequence[Opportunity], plan: DayPlan, now: datetime
    ) -> list[Card]:
        """Cards of the best leads and of the day's plan."""
        rules, catalogue = targeting(), cards()
        found: list[Happening | None] = [
            happenings.from_opportunity(one, tenant_id, rules, now, shown.provenance)
            for one, shown in zip(ranked[:OPPORTUNITY_CARDS], explained, strict=False)
        ]
        if plan.drafts:
            best = {o.lead_id: o for o in explained}
            read = [best[one.lead.lead_id].provenance for one in plan.drafts if one.lead.lead_id in best]
            origin = happenings.origin(
                now=now,
                confidence=min((p.confidence for p in read), default=0.0),
                freshness=max((p.freshness_hours for p in read), default=0.0),
                sources_read=tuple(f"lead:{one.lead.lead_id}" for one in plan.drafts),
                trace_id=telemetry.trace_id(),
            )
            found.append(happenings.from_day_plan(plan, tenant_id, now, origin))
        made = [card for happening in found if happening is not None for card in cards_of(happening, catalogue, now)]
        return [card.evolve(priority=priority(card, catalogue, now)) for card in made]
