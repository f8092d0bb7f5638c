"""Messages owned by the decision plane: opportunities, cards, drafts. All are recommendations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Provenance, Reason, TenantId, Text


class Part(Message):
    """The parts of a score, each 0-100."""

    fit: float
    intent: float
    urgency: float
    revenue: float
    engagement: float
    quality: float
    compliance: float
    deliverability: float


class WhyNow(Message):
    """A reason to act now, with where it was read and how much of it is left after decay (0-1)."""

    signal: str
    en: str
    ar: str
    source: str
    observed_at: datetime | None
    strength: float


class Opportunity(Message):
    lead_id: UUID
    account_id: UUID
    contact_id: UUID | None
    account_name: str
    contact_name: str | None = None
    city: str | None = None
    sector: str | None = None
    score: float
    tier: str
    parts: Part
    why_now: tuple[WhyNow, ...]
    channel: str | None
    channel_reasons_ar: tuple[str, ...] = ()
    channel_reasons_en: tuple[str, ...] = ()
    contactability: str
    reasons_ar: tuple[str, ...]
    reasons_en: tuple[str, ...]
    committee_role: str | None = None
    source: str = ""
    estimated_value: str | None = None
    provenance: Provenance
    account_name_en: str | None = None
    """The other name of the account, where the list gave one beside the Arabic one, which is `account_name` then."""


class RankRequest(Message):
    """Rank all leads of a tenant anew and make the day's cards."""

    principal: Principal


class RankReply(Message):
    ranked: int
    tiers: dict[str, int]
    cards: int
    drafts: int
    took_ms: float


class OpportunitiesRequest(Message):
    principal: Principal
    tier: str | None = None
    contactability: str | None = None
    q: str | None = None
    page: Page = Page()


class OpportunitiesReply(Message):
    items: tuple[Opportunity, ...]
    next_cursor: str | None = None
    total: int = 0


class CardType(StrEnum):
    DAILY_DECISION = "daily_decision"
    OPPORTUNITY = "opportunity"
    PARTNER = "partner"
    DEAL_FOLLOWUP = "deal_followup"
    NEGOTIATION = "negotiation"
    PROOF = "proof"
    RISK = "risk"
    SUPPORT = "support"
    APPROVAL = "approval"
    CUSTOMER_SUCCESS = "customer_success"


class CardStatus(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    EXPIRED = "expired"


class Button(Message):
    """`action` is the machine name that a decision names; labels are at most 20 characters, as WhatsApp's buttons are."""

    action: str
    label_ar: Annotated[str, Field(min_length=1, max_length=20)]
    label_en: Annotated[str, Field(min_length=1, max_length=20)]


class Fact(Message):
    """One line of a card. `ltr` marks values that stay left-to-right (phones, mail addresses, hashes)."""

    label_ar: str
    label_en: str
    value: str
    ltr: bool = False


class Card(Message):
    """A decision in front of one role. One to three buttons; a fourth is an error, never a silent drop."""

    card_id: UUID
    tenant_id: TenantId
    role: str
    type: CardType
    title_ar: str
    title_en: str
    why_now_ar: str
    why_now_en: str
    recommended_action_ar: str
    recommended_action_en: str
    facts: tuple[Fact, ...] = ()
    context: dict[str, Any] = {}
    risk_level: str
    buttons: Annotated[tuple[Button, ...], Field(min_length=1, max_length=3)]
    action_mode: str
    proof_impact: str
    status: CardStatus = CardStatus.OPEN
    priority: float = 0.0
    deal_value: str | None = None
    dedupe_key: str
    created_at: datetime
    expires_at: datetime | None = None
    decided_by: str | None = None
    decided_button: str | None = None
    provenance: Provenance


class CardsRequest(Message):
    principal: Principal
    role: str
    limit: Annotated[int, Field(ge=1, le=7)] = 7


class CardsReply(Message):
    items: tuple[Card, ...]
    waiting: int = 0


class CardGet(Message):
    principal: Principal
    card_id: UUID


class DecideCard(Message):
    """`payload_hash` and `view_hash` are required when the button approves something."""

    principal: Principal
    card_id: UUID
    button: Annotated[str, Field(max_length=50)]
    note: Annotated[str, Field(max_length=2000)] = ""
    payload_hash: str | None = None
    view_hash: str | None = None
    reauthenticated: bool = False


class DecideCardReply(Message):
    card: Card
    result: str
    action_id: UUID | None = None
    approval_id: UUID | None = None


class BriefButton(Message):
    """`id` comes back when the button is pressed."""

    id: str
    label: Annotated[str, Field(max_length=20)]


class BriefReply(Message):
    """A WhatsApp decision brief: at most 1,024 characters and three numbered choices a card."""

    text: str
    cards: tuple[UUID, ...]
    buttons: tuple[BriefButton, ...] = ()
    """Of a brief of one card: its choices as the vendor's reply buttons."""


class AnswerBrief(Message):
    """A reply to a brief. `cards` are the brief's, in the order of their numbers; `note` goes with what the reply decides."""

    principal: Principal
    cards: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=3)]
    text: Annotated[str, Field(min_length=1, max_length=4096)]
    note: Annotated[str, Field(max_length=2000)] = ""


class BriefAnswered(Message):
    """`answer` goes back to who replied. Without `decided` nothing was: the reply could mean two things, or has to be given where
    everything is shown."""

    answer: Text
    decided: DecideCardReply | None = None


FIRST = "first"


class DraftReview(Message):
    """What one reviewer said of a draft: `verdict` is pass, revise or fail of quality; clear, ambiguous or violation of compliance."""

    reviewer: str
    verdict: str
    score: float | None = None
    findings: tuple[Reason, ...] = ()


class Draft(Message):
    """A message as it would be sent, fully rendered; nothing is filled in later.

    `purpose` is `first`, `followup:DEAL` or `objection:CLASS:ACTIVITY`; a lead gets one draft a channel and purpose.
    """

    draft_id: UUID
    tenant_id: TenantId
    lead_id: UUID
    contact_id: UUID
    channel: str
    language: str
    subject: str | None
    body: str
    facts_used: tuple[str, ...]
    qa_score: float
    findings: tuple[str, ...] = ()
    purpose: Annotated[str, Field(max_length=200)] = FIRST
    reviews: tuple[DraftReview, ...] = ()
    action_id: UUID | None = None
    provenance: Provenance


class PrepareDraft(Message):
    """A draft for one lead, outside the day's plan. Asking again submits the same draft again, never a second one."""

    principal: Principal
    lead_id: UUID


class PrepareDraftReply(Message):
    """`created` is false when the lead had a draft already."""

    draft: Draft
    created: bool


class DraftsRequest(Message):
    principal: Principal
    page: Page = Page()


class DraftsReply(Message):
    items: tuple[Draft, ...]
    next_cursor: str | None = None
