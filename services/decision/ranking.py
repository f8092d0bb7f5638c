"""Ranks a tenant: leads from data, scores and reasons here, then the day's cards and drafts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import Lead, LeadPagesRequest, LeadsRequest
from libs.contracts.decision import Card, Opportunity, RankReply
from libs.contracts.message import Plane, new_id
from libs.contracts.observed import DecisionFacts
from libs.contracts.subjects import AUDITED, LEAD_PAGES, LEADS, OBSERVED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.domain.telling import ranking_fact
from services.decision.drafting import Drafting
from services.decision.growth.day_plans import Apart, DayPlans
from services.decision.store import Recommendations
from services.decision.targeting.domain.explain import opportunity
from services.decision.targeting.domain.facts import LeadFacts, facts_of
from services.decision.targeting.domain.plan import DayPlan, day_began, day_plan
from services.decision.targeting.domain.rank import Ranked, Scorer, Weighed, order, rank, scale_of
from services.decision.targeting.queue import ENQUEUE, Rankings, RankQueue, WholeRanking
from services.decision.targeting.turns import Turns

log = logging.getLogger(__name__)

LASTS = timedelta(hours=24)
"""Signals fade day by day: after a day all leads are ranked."""
MOST = 2_000
"""Changes up to which it is less work to rank them among all than to rank all."""
ENOUGH = 0.9
"""Share of the leads kept below which the rest is looked through again."""
EXPLAINED = 5_000
"""How many leads of a ranking are kept with their reasons; the rest would never be looked at on that day."""
ASKED_AT_ONCE = 3
"""Pages of leads that data is asked for at once: it reads one from its tables while it writes another, and a third is weighed here."""
PAGE = 1_000
"""So many of them are explained while those before are written."""
OPPORTUNITY_CARDS = 20
FIRST_DRAFTS = 3
"""Prepared at once, so that there is something to judge; the day's plan asks before it prepares the rest."""


def targets_ranked(tenant_id: UUID, count: int, now: datetime) -> AuditRecorded:
    """What the ledger says of new targets; those of one day of Riyadh have one target."""
    return AuditRecorded(
        entry_id=new_id(), tenant_id=tenant_id, kind="targets.ranked", actor="plane:decision", target=f"ranking:{now.astimezone(RIYADH):%Y-%m-%d}",
        at=now, data={"targets": count, "rules": targeting().version}, trace_id=telemetry.trace_id(),
    )  # fmt: skip


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
            claimed = await self._queue.claim()
            if claimed is None:
                try:
                    async with asyncio.timeout(1.0):
                        await self.wake.wait()
                except TimeoutError:
                    continue
                continue
            tenant, whole = claimed
            with telemetry.span(self._runtime.plane, "rank tenant", attributes={"dealix.tenant": str(tenant)}):
                if whole or not await self.refresh(tenant):
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
        async with self._runtime.database.batch(tenant_id) as work:
            changes = await Rankings(work).changes(tenant_id)
            apart = await DayPlans(work).apart(tenant_id, day_began(now), cards().skipped_days)
        scorer = Scorer(rules, now)
        weighed = await self._all_weighed(tenant_id, scorer)
        scale = scale_of(weighed)
        ranked = await asyncio.to_thread(scorer.ranked, weighed, scale)
        plan = day_plan(ranked, rules.autopilot, apart.plan)
        async with self._runtime.database.batch(tenant_id) as work:
            rankings = Rankings(work)
            explained = await self._explained(work, tenant_id, ranked[:EXPLAINED], now)
            made = self._cards(tenant_id, ranked, explained, plan, apart, now)
            await rankings.keep(tenant_id, WholeRanking(now, rules.version, scale, len(ranked) - len(explained)))
            await rankings.ranked(tenant_id, changes)
            added = await self._put(work, tenant_id, made, now)
            if ranked:
                told = (ranking_fact(rules, len(ranked)),)
                work.emit(OBSERVED[Plane.DECISION], DecisionFacts(tenant_id=tenant_id, facts=told, at=now))
        drafts = await self._drafting.prepare(tenant_id, plan.drafts[:FIRST_DRAFTS])
        tiers = Counter(one.tier for one in ranked)
        return RankReply(
            ranked=len(ranked),
            tiers=dict(sorted(tiers.items())),
            cards=added,
            drafts=drafts,
            took_ms=round((time.perf_counter() - began) * 1000, 1),
        )

    async def _explained(
        self, work: BatchWork, tenant_id: UUID, ranked: Sequence[Ranked], now: datetime
    ) -> list[Opportunity]:
        """The opportunities of a new ranking, stored instead of the old: some are written while reasons are found for the next."""
        store, rules, trace_id = Recommendations(work), targeting(), telemetry.trace_id()
        await store.drop_opportunities(tenant_id)
        explained: list[Opportunity] = []
        writing: asyncio.Task[None] | None = None
        try:
            for page in (ranked[start : start + PAGE] for start in range(0, len(ranked), PAGE)):
                made = await asyncio.to_thread(
                    lambda its: [opportunity(one, rules, now, trace_id=trace_id) for one in its], page
                )
                if writing is not None:
                    await writing
                writing = asyncio.create_task(store.insert_opportunities(tenant_id, made, len(explained)))
                explained += made
        finally:
            if writing is not None:
                await writing
        return explained

    async def refresh(self, tenant_id: UUID) -> bool:
        """Rank what has changed among all the tenant's leads: the others keep their scores, and all get their places anew.

        False, and nothing done, where only ranking all will do: there was no ranking, it is a day old or of other rules, too much
        has changed, or too few leads are left of those that were kept.
        """
        now, rules = self._runtime.now(), targeting()
        async with self._runtime.database.batch(tenant_id) as work:
            rankings = Rankings(work)
            last, changes = await rankings.last(tenant_id), await rankings.changes(tenant_id)
            apart = await DayPlans(work).apart(tenant_id, day_began(now), cards().skipped_days)
            touched = await rankings.touched(tenant_id, changes)
        if last is None or last.rules != rules.version or now - last.ranked_at > LASTS or len(changes.rows) > MOST:
            return False
        if not changes.rows:
            return True
        if len(named := [*changes.of("lead"), *touched]) > MOST:
            return False
        facts = await self._leads(tenant_id, named, changes.of("account"), changes.of("contact"))
        ranked = rank(facts, rules, now, last.scale)
        async with self._runtime.database.batch(tenant_id) as work:
            store, rankings = Recommendations(work), Rankings(work)
            await store.one_ranking(tenant_id)
            await rankings.take_out(tenant_id, [*touched, *(one.lead.lead_id for one in ranked)])
            # With leads below that nobody has in view, only what is better than the worst in view is known to belong there.
            worst = await rankings.worst(tenant_id) if last.below else None
            shown = [one for one in ranked if worst is None or order(one) < worst]
            trace_id = telemetry.trace_id()
            explained = [opportunity(one, rules, now, trace_id=trace_id) for one in shown]
            await store.insert_opportunities(tenant_id, explained)
            kept, dropped = await rankings.put_in_order(tenant_id, EXPLAINED)
            below = last.below + dropped + len(ranked) - len(shown)
            if below and kept < EXPLAINED * ENOUGH:
                await work.connection.execute(ENQUEUE, tenant_id, True)
            await rankings.keep(tenant_id, WholeRanking(last.ranked_at, last.rules, last.scale, below))
            await rankings.ranked(tenant_id, changes)
            at = await rankings.positions(tenant_id, [one.lead.lead_id for one in shown])
            best = {one.lead.lead_id: one for one in shown if at.get(one.lead.lead_id, EXPLAINED) < OPPORTUNITY_CARDS}
            found = [
                happenings.from_opportunity(best[its.lead_id], tenant_id, rules, now, its.provenance)
                for its in explained
                if its.lead_id in best and its.lead_id not in apart.cards
            ]
            await self._put(work, tenant_id, self._made(found, now), now)
            if ranked:
                told = (ranking_fact(rules, len(ranked)),)
                work.emit(OBSERVED[Plane.DECISION], DecisionFacts(tenant_id=tenant_id, facts=told, at=now))
        new = [one for lead_id, one in best.items() if lead_id not in touched]
        await self._drafting.prepare(tenant_id, day_plan(new, rules.autopilot, apart.plan).drafts[:FIRST_DRAFTS])
        return True

    async def _leads(
        self, tenant_id: UUID, leads: Sequence[UUID], accounts: Sequence[UUID], contacts: Sequence[UUID]
    ) -> list[LeadFacts]:
        """The leads that are named."""
        wanted = LeadsRequest(
            tenant_id=tenant_id,
            lead_ids=tuple(dict.fromkeys(leads)),
            account_ids=tuple(accounts),
            contact_ids=tuple(contacts),
        )
        facts: list[LeadFacts] = []
        async for page in self._pages(wanted):
            facts += map(facts_of, page)
        return facts

    async def _all_weighed(self, tenant_id: UUID, scorer: Scorer) -> list[Weighed]:
        """All leads, each weighed as its page arrives. While one page is read, data makes others."""
        ends = (await self._runtime.bus.call(LEAD_PAGES, LeadPagesRequest(tenant_id=tenant_id))).ends
        asked = asyncio.Semaphore(ASKED_AT_ONCE)

        async def weigh(after: UUID | None, until: UUID | None) -> list[Weighed]:
            wanted = LeadsRequest(tenant_id=tenant_id, cursor=str(after) if after else None, until=until)
            found: list[Weighed] = []
            async with asked:
                async for page in self._pages(wanted):
                    found += await asyncio.to_thread(lambda its: [scorer.weigh(facts_of(lead)) for lead in its], page)
            return found

        async with asyncio.TaskGroup() as group:
            pages = [group.create_task(weigh(*ends_of)) for ends_of in pairwise((None, *ends, None))]
        return [one for page in pages for one in page.result()]

    async def _pages(self, wanted: LeadsRequest) -> AsyncIterator[tuple[Lead, ...]]:
        while True:
            page = await self._runtime.bus.call(LEADS, wanted)
            yield page.items
            if page.next_cursor is None:
                return
            wanted = wanted.evolve(cursor=page.next_cursor)

    async def _put(self, work: BatchWork, tenant_id: UUID, made: Sequence[Card], now: datetime) -> int:
        """Add cards, and tell the ledger how many targets a person has in view that were not there before. Returns how many cards are new."""
        new = await Recommendations(work).new_cards(made)
        await DayPlans(work).keep_up(tenant_id, made)
        targets = {card.context["lead_id"] for card in made if card.card_id in new and "lead_id" in card.context}
        if targets:
            work.emit(AUDITED[Plane.DECISION], targets_ranked(tenant_id, len(targets), now))
        return len(new)

    def _cards(
        self, tenant_id: UUID, ranked: Sequence[Ranked], explained: Sequence[Opportunity], plan: DayPlan, apart: Apart, now: datetime
    ) -> list[Card]:  # fmt: skip
        """Cards of the best leads, of those that the day's plan drafts, and of the plan."""
        rules = targeting()
        best = {o.lead_id: o for o in explained}
        shown = {one.lead.lead_id: one for one in (*ranked[:OPPORTUNITY_CARDS], *plan.drafts)}
        found: list[Happening | None] = [
            happenings.from_opportunity(one, tenant_id, rules, now, best[lead_id].provenance)
            for lead_id, one in shown.items()
            if lead_id in best and lead_id not in apart.cards
        ]
        if plan.drafts:
            read = [best[one.lead.lead_id].provenance for one in plan.drafts if one.lead.lead_id in best]
            origin = happenings.origin(
                now=now,
                confidence=min((p.confidence for p in read), default=0.0),
                freshness=max((p.freshness_hours for p in read), default=0.0),
                sources_read=tuple(f"lead:{one.lead.lead_id}" for one in plan.drafts),
                trace_id=telemetry.trace_id(),
            )
            found.append(happenings.from_day_plan(plan, tenant_id, now, origin))
        return self._made(found, now)

    @staticmethod
    def _made(found: Sequence[Happening | None], now: datetime) -> list[Card]:
        catalogue = cards()
        made = [card for happening in found if happening is not None for card in cards_of(happening, catalogue, now)]
        return [card.evolve(priority=priority(card, catalogue, now)) for card in made]
