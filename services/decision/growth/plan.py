"""The day's plan from the ranking as it stands: whom, on which channel, and how far each draft has come."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import FIRST, Draft, Opportunity
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionGet
from libs.contracts.growth import DailyPlanReply, DailyPlanRequest, PlannedLead, Scorecard
from libs.contracts.subjects import ACTION
from libs.contracts.trust import Contactability
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain import provenance
from services.decision.targeting.domain.rank import RIYADH

VERSION = "daily-plan-1"
LOOKED_AT = 500
"""The plan's leads are found among the best so many: twenty accounts that may be contacted are there, or nowhere."""
_FOLLOW_UPS = ("deal_stalled", "objection_raised", "customer_quiet")


class Growth:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def plan(self, request: DailyPlanRequest) -> DailyPlanReply:
        """Twenty accounts that may be contacted, the best ten of them for drafts, and today's counts."""
        tenant, now, limits = request.principal.tenant_id, self._runtime.now(), targeting().autopilot
        day = now.astimezone(RIYADH).date()
        began = datetime.combine(day, time(), RIYADH)
        async with self._runtime.database.batch(tenant) as work:
            c = work.connection
            best = await c.fetch(
                "select document from decision.opportunities where tenant_id = $1 and contactability = $2 order by position limit $3",
                tenant, Contactability.SAFE.value, LOOKED_AT,
            )  # fmt: skip
            counted = {
                row["contactability"]: row["n"]
                for row in await c.fetch("select contactability, count(*) n from decision.opportunities where tenant_id = $1 group by 1", tenant)
            }  # fmt: skip
            chosen = _accounts([Opportunity.model_validate_json(row["document"]) for row in best], limits.prospects)
            drafts = await c.fetch(
                "select document from decision.drafts where tenant_id = $1 and purpose = $2 and lead_id = any($3::uuid[])",
                tenant, FIRST, [one.lead_id for one in chosen],
            )  # fmt: skip
            today = await c.fetchrow(
                "select (select count(*) from decision.drafts where tenant_id = $1 and created_at >= $2) drafts, "
                "(select count(*) from decision.cards where tenant_id = $1 and status = 'decided' and decided_at >= $2 "
                "and decided_by not like 'system:%' and decided_by not like 'agent:%') decided, "
                "(select count(*) from decision.cards where tenant_id = $1 and status = 'open' and (expires_at is null or expires_at > now())) waiting, "
                "(select count(*) from decision.cards where tenant_id = $1 and status = 'open' and (expires_at is null or expires_at > now()) "
                "and document->'context'->>'event' = any($3::text[])) follow_ups",
                tenant, began, list(_FOLLOW_UPS),
            )  # fmt: skip
        written = {draft.lead_id: draft for draft in (Draft.model_validate_json(row["document"]) for row in drafts)}
        states = {lead: await self._state(request, draft) for lead, draft in written.items()}
        read = [one.provenance for one in chosen]
        return DailyPlanReply(
            day=day, ranked=sum(counted.values()), safe=counted.get("safe", 0), needs_review=counted.get("needs_review", 0),
            blocked=counted.get("blocked", 0),
            prospects=tuple(_planned(one, at < limits.drafts, written, states) for at, one in enumerate(chosen)),
            scorecard=Scorecard(
                drafts_prepared=today["drafts"], cards_decided=today["decided"], cards_open=today["waiting"],
                follow_ups_open=today["follow_ups"],
            ),
            provenance=provenance.local(
                now=now, by="daily_autopilot", engine="rules", version=VERSION,
                confidence=min((one.confidence for one in read), default=0.0),
                freshness=max((one.freshness_hours for one in read), default=0.0),
                sources=tuple(f"lead:{one.lead_id}" for one in chosen), trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip

    async def _state(self, request: DailyPlanRequest, draft: Draft) -> str | None:
        """How far the action of a draft has come; None while execution does not say."""
        if draft.action_id is None:
            return None
        try:
            found = await self._runtime.bus.call(
                ACTION, ActionGet(principal=request.principal, action_id=draft.action_id)
            )
        except DealixError:
            return None
        return str(found.state.value)


def _accounts(ranked: list[Opportunity], most: int) -> list[Opportunity]:
    """The best of each account: two messages to one company on a day are one too many."""
    seen: set[UUID] = set()
    chosen: list[Opportunity] = []
    for one in ranked:
        if one.account_id not in seen and len(chosen) < most:
            seen.add(one.account_id)
            chosen.append(one)
    return chosen


def _planned(
    one: Opportunity, drafted: bool, written: dict[UUID, Draft], states: dict[UUID, str | None]
) -> PlannedLead:
    draft = written.get(one.lead_id)
    return PlannedLead(
        lead_id=one.lead_id, account_name=one.account_name, score=one.score, tier=one.tier, channel=one.channel,
        reasons_ar=one.reasons_ar, reasons_en=one.reasons_en, drafted=drafted,
        draft_id=draft.draft_id if draft else None, state=states.get(one.lead_id),
    )  # fmt: skip
