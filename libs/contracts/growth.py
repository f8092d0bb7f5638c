"""The day's plan: whom may be contacted today, which of them are drafted, and how far each has come."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from libs.contracts.message import Message, Principal, Provenance


class DailyPlanRequest(Message):
    principal: Principal


class PlannedLead(Message):
    """`drafted` says whether today's plan drafts it; `draft_id` and `state` how far that is, where there is a draft."""

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


class Scorecard(Message):
    """Counts of what happened since the day began in Riyadh."""

    drafts_prepared: int
    cards_decided: int
    cards_open: int
    follow_ups_open: int


class DailyPlanReply(Message):
    day: date
    ranked: int
    safe: int
    needs_review: int
    blocked: int
    prospects: tuple[PlannedLead, ...]
    scorecard: Scorecard
    provenance: Provenance
