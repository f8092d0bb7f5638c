"""The day's plan: whom may be contacted today, which of them are drafted, and how far each has come."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from libs.contracts.message import Message, Principal, Provenance


class DailyPlanRequest(Message):
    principal: Principal


class PlannedLead(Message):
    """`drafted` says whether today's plan drafts it; `draft_id`, `action_id`, `approval_id` and `state` how far that is, where there is a
    draft. `skip_card` is an open card whose button `skip` takes it out of the plan."""

    lead_id: UUID
    account_name: str
    score: float
    tier: str
    channel: str | None
    reasons_ar: tuple[str, ...]
    reasons_en: tuple[str, ...]
    drafted: bool
    draft_id: UUID | None = None
    state: str | None = None
    action_id: UUID | None = None
    approval_id: UUID | None = None
    skip_card: UUID | None = None


class Scorecard(Message):
    """Counts of what happened since the day began in Riyadh."""

    drafts_prepared: int
    cards_decided: int
    cards_open: int
    follow_ups_open: int


class DailyPlanReply(Message):
    """`plan_card` is the day's card, which the button `prepare_drafts` approves while `plan_open`; `decided_*` say what became of it.
    `set_aside` counts leads left out because somebody skipped them or put them off."""

    day: date
    ranked: int
    safe: int
    needs_review: int
    blocked: int
    prospects: tuple[PlannedLead, ...]
    scorecard: Scorecard
    provenance: Provenance
    plan_card: UUID | None = None
    plan_open: bool = False
    decided_by: str | None = None
    decided_button: str | None = None
    decided_at: datetime | None = None
    set_aside: int = 0
