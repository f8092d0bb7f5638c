"""Messages of partnerships: how well a partner fits, the pipeline, a first message and a brief for a meeting."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.decision import DraftReview
from libs.contracts.message import Message, Page, Principal, Provenance, Reason, Text
from libs.contracts.metrics import MetricValue


class PartnerGet(Message):
    principal: Principal
    partner_id: UUID


class PipelineRequest(Message):
    principal: Principal


class PartnerScore(Message):
    """`parts` add up to `fit` (0-100). `missing` are facts that are not known and therefore earned nothing."""

    partner_id: UUID
    name: str
    fit: float
    parts: dict[str, float]
    offer: str
    offer_name: Text
    white_label: bool
    missing: tuple[str, ...] = ()
    reasons_en: tuple[str, ...] = ()
    reasons_ar: tuple[str, ...] = ()
    provenance: Provenance


class PipelinePartner(Message):
    """One partner on the board; `age_days` since it last changed."""

    partner_id: UUID
    name: str
    type: str
    type_name: Text
    stage: str
    amount: str | None
    owner: str | None
    next_step: str | None
    next_step_on: date | None
    age_days: int
    fit: float
    offer: str
    version: int


class PipelineStage(Message):
    stage: str
    name: Text
    partners: tuple[PipelinePartner, ...]


class PipelineReply(Message):
    stages: tuple[PipelineStage, ...]


class PartnerMessage(Message):
    principal: Principal
    partner_id: UUID
    language: str = "ar"


class PartnerMessageReply(Message):
    """A proposal to a person: nothing is sent or kept."""

    partner_id: UUID
    language: str
    subject: str
    body: str
    facts_used: tuple[str, ...]
    reviews: tuple[DraftReview, ...]
    provenance: Provenance


class MeetingBrief(Message):
    """What to know, ask and settle in a meeting with a partner."""

    partner_id: UUID
    name: str
    stage: Text
    known: tuple[Text, ...]
    ask: tuple[Text, ...]
    settle: Text
    last: tuple[Text, ...] = ()
    provenance: Provenance


class HealthPart(Message):
    """`count` things of a kind and the points that they make."""

    key: Literal["intros", "deals", "months"]
    title: Text
    count: int
    points: float
    most: float | None = None


class PartnerScorecard(Message):
    """How a partnership is doing: `parts` add up to `health` (0-100, never more). `missing` are fields that would have counted.

    `revenue` is what deals that it brought and that were won came to in the last year, `open_value` what those that are open are worth;
    both by the dictionary of metrics, in SAR. `to_next` is how many points the next tier is away; None at the top.
    """

    partner_id: UUID
    name: str
    stage: Text
    health: float
    parts: tuple[HealthPart, ...]
    tier: str
    tier_name: Text
    next_tier: Text | None
    to_next: float | None
    revenue: Decimal
    won: int
    open_value: Decimal
    missing: tuple[str, ...] = ()
    provenance: Provenance


OfferKind = Literal["referral", "co_branded_diagnostic", "co_authored_proof", "white_label"]


class BuildOffer(Message):
    """An offer to a partner. `kind` is what its fit earns unless it is named; `send` asks for it to be sent, which a person approves.

    `commission_percent` of won deals; without it the offer says that it is still to be agreed.
    """

    principal: Principal
    partner_id: UUID
    kind: OfferKind | None = None
    language: Literal["ar", "en"] = "ar"
    commission_percent: Annotated[Decimal | None, Field(gt=0, le=50, decimal_places=2)] = None
    valid_days: Annotated[int, Field(ge=7, le=90)] = 30
    send: bool = False


class OfferClause(Message):
    """One numbered clause, in both languages."""

    number: int
    key: str
    title: Text
    text: Text


class PartnerOffer(Message):
    """An offer as a document. Nothing of it binds before both sides sign; `open_points` is what it leaves to be agreed.

    `subject` and `body` are the letter in `language`, exactly as it would be sent to `recipient`, the contact with the partner's address;
    without one `not_sendable` says why. `action_id` is the governed action where sending was asked for, `state` where it stands.
    """

    offer_id: UUID
    partner_id: UUID
    partner_name: str
    kind: OfferKind
    title: Text
    fit: float
    clauses: tuple[OfferClause, ...]
    open_points: tuple[Text, ...]
    valid_until: date
    language: str
    subject: str
    body: str
    recipient: UUID | None
    not_sendable: Reason | None
    action_id: UUID | None = None
    state: str | None = None
    provenance: Provenance


class PartnerRevenueRequest(Message):
    """Deals that partners brought and that closed from `since` until before `until`; the last 365 days when neither is given."""

    principal: Principal
    since: datetime | None = None
    until: datetime | None = None
    page: Page = Page()


class PartnerRevenue(Message):
    """What one partner's deals brought. `won` deals count in `revenue`, `excluded` would have but are in another currency or without an
    amount. `share` is of all that partners brought, None where they brought nothing."""

    partner_id: UUID
    name: str
    revenue: Decimal
    won: int
    excluded: int
    share: float | None


class PartnerRevenueReply(Message):
    """Partners by what they brought, the most first; `total` and `open_value` of all of them, by the dictionary of metrics."""

    items: tuple[PartnerRevenue, ...]
    next_cursor: str | None = None
    total: MetricValue
    open_value: MetricValue
