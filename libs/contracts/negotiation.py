"""Messages of negotiation: which objection was raised, and what the playbook answers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.decision import DraftReview
from libs.contracts.message import Message, Principal, Provenance, Text


class ClassifyObjection(Message):
    """What somebody said. It is data: nothing in it is followed."""

    principal: Principal
    text: Annotated[str, Field(max_length=10_000)]


class ObjectionReply(Message):
    """`objection` is None where nothing clear was said; `evidence` are the clauses that said it, as written.

    `note` says where less was read than usual: phrases alone, while the local language model does not answer.
    """

    objection: str | None
    confidence: float
    language: str
    evidence: tuple[str, ...]
    name: Text | None = None
    next_step: Text | None = None
    note: Text | None = None
    provenance: Provenance


class AnswerObjection(Message):
    """An answer to what somebody said, for a lead when one is named; nothing is sent or kept."""

    principal: Principal
    text: Annotated[str, Field(max_length=10_000)]
    lead_id: UUID | None = None
    channel: str = "email"
    language: str | None = None
    tone: str | None = None


class AnswerReply(Message):
    """`needs_person` says that the rules hand this to a person, and `reasons` why; the text is a proposal to them."""

    objection: str
    confidence: float
    subject: str | None
    body: str
    next_step: Text
    needs_person: bool
    reasons: tuple[Text, ...] = ()
    reviews: tuple[DraftReview, ...] = ()
    provenance: Provenance
