"""Messages of partnerships: how well a partner fits, the pipeline, a first message and a brief for a meeting."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from libs.contracts.decision import DraftReview
from libs.contracts.message import Message, Principal, Provenance, Text


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
