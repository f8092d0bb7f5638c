"""Who is left out of a day's plan, and the plan's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import TypeAdapter

from libs.contracts.decision import FIRST, Card
from libs.runtime.database import BatchWork

_LEADS: TypeAdapter[list[str]] = TypeAdapter(list[str])
PLAN_EVENT = "daily_plan"
RANKED_EVENTS = ("opportunity_found", "opportunity_call", "opportunity_review")
"""Cards that a ranking makes of its leads."""


@dataclass(frozen=True, slots=True)
class Apart:
    """`before` are leads whose first message was written before today, `today` those written since; `skipped` those that a person skipped or
    put off."""

    before: frozenset[UUID]
    today: frozenset[UUID]
    skipped: frozenset[UUID]

    @property
    def plan(self) -> frozenset[UUID]:
        """Whom the day's plan leaves out. Today's drafts stay in it: they are its work."""
        return self.before | self.skipped

    @property
    def cards(self) -> frozenset[UUID]:
        """Whom no card proposes to write to."""
        return self.plan | self.today


@dataclass(frozen=True, slots=True)
class PlanCard:
    """The day's plan as people have it in front of them: `open` until somebody decides."""

    card_id: UUID
    open: bool
    leads: tuple[UUID, ...]
    decided_by: str | None
    decided_button: str | None
    decided_at: datetime | None


class DayPlans:
    """One transaction over one tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def apart(self, tenant_id: UUID, began: datetime, skipped_days: int) -> Apart:
        """Leads by why they are left out. `began` is when the day began in Riyadh."""
        drafts = await self._c.fetch(
            "select lead_id, min(created_at) >= $3 as today from decision.drafts where tenant_id = $1 and purpose = $2 group by 1",
            tenant_id, FIRST, began,
        )  # fmt: skip
        skipped = await self._c.fetch(
            "select distinct document->'context'->>'lead_id' as lead_id from decision.cards where tenant_id = $1 "
            "and document->'context'->>'event' = any($3::text[]) and ((status = 'decided' and decided_button = 'skip' "
            "and decided_at > now() - make_interval(days => $2)) or (status = 'open' and hidden_until > now()))",
            tenant_id, skipped_days, list(RANKED_EVENTS),
        )  # fmt: skip
        return Apart(
            before=frozenset(row["lead_id"] for row in drafts if not row["today"]),
            today=frozenset(row["lead_id"] for row in drafts if row["today"]),
            skipped=frozenset(UUID(row["lead_id"]) for row in skipped),
        )

    async def card(self, tenant_id: UUID, day: date) -> PlanCard | None:
        """The card of a day's plan: one that waits, else the one that was decided last."""
        row = await self._c.fetchrow(
            "select card_id, status = 'open' and (expires_at is null or expires_at > now()) as waits, document->'context'->'leads' as leads, "
            "decided_by, decided_button, decided_at from decision.cards where tenant_id = $1 and document->'context'->>'event' = $2 "
            "and document->'context'->>'subject' = $3 order by waits desc, decided_at desc nulls last, role limit 1",
            tenant_id, PLAN_EVENT, day.isoformat(),
        )  # fmt: skip
        if row is None:
            return None
        leads = tuple(UUID(text) for text in _LEADS.validate_json(row["leads"] or "[]"))
        return PlanCard(
            row["card_id"], row["waits"], leads, row["decided_by"], row["decided_button"], row["decided_at"]
        )

    async def skips(self, tenant_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """By lead, an open card whose button sets it aside."""
        rows = await self._c.fetch(
            "select document->'context'->>'lead_id' as lead_id, min(card_id::text) as card_id from decision.cards where tenant_id = $1 "
            "and status = 'open' and (expires_at is null or expires_at > now()) and document->'context'->>'event' = any($2::text[]) "
            "and document->'context'->>'lead_id' = any($3::text[]) group by 1",
            tenant_id, list(RANKED_EVENTS), [str(one) for one in lead_ids],
        )  # fmt: skip
        return {UUID(row["lead_id"]): UUID(row["card_id"]) for row in rows}

    async def keep_up(self, tenant_id: UUID, made: Sequence[Card]) -> None:
        """Open cards of a ranking say what the new one says: the same card with its texts anew, and none for whom it no longer speaks.

        A card keeps its id and its hours. Of a lead that moved from one kind of card to another, the old kind goes.
        """
        await self._c.execute(
            "update decision.cards c set priority = x.p, document = x.d::jsonb || jsonb_build_object('card_id', c.document->'card_id', "
            "'created_at', c.document->'created_at', 'expires_at', c.document->'expires_at') "
            "from unnest($2::text[], $3::text[], $4::real[], $5::text[]) as x(r, k, p, d) "
            "where c.tenant_id = $1 and c.role = x.r and c.dedupe_key = x.k and c.status = 'open'",
            tenant_id, [c.role for c in made], [c.dedupe_key for c in made], [c.priority for c in made], [c.model_dump_json() for c in made],
        )  # fmt: skip
        of_leads = [card for card in made if card.context.get("event") in RANKED_EVENTS]
        await self._c.execute(
            "update decision.cards c set status = 'decided', decided_at = now(), decided_by = 'system:decision', decided_button = 'settled' "
            "where c.tenant_id = $1 and c.status = 'open' and c.document->'context'->>'event' = any($2::text[]) and ("
            "not exists (select 1 from decision.opportunities o where o.tenant_id = $1 and o.actionable "
            "and o.lead_id = (c.document->'context'->>'lead_id')::uuid) "
            "or exists (select 1 from unnest($3::text[], $4::text[]) as x(l, e) where x.l = c.document->'context'->>'lead_id' "
            "and x.e <> c.document->'context'->>'event'))",
            tenant_id, list(RANKED_EVENTS), [str(c.context["lead_id"]) for c in of_leads], [str(c.context["event"]) for c in of_leads],
        )  # fmt: skip
