"""Messages about claims and contradictions, owned by the trust plane: what is said of a subject, and what of it can't both hold."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.message import Message, Page, Principal, TenantId

Subject = Annotated[str, Field(max_length=140)]
"""What a claim is about: `contact:…`, `deal:…`, `product:…`."""


class ClaimStanding(StrEnum):
    """`replaced`: who said it, says something else by now. `refuted`: a person decided that another claim stands."""

    CURRENT = "current"
    REPLACED = "replaced"
    REFUTED = "refuted"


class NewClaim(Message):
    """What somebody says of a subject. `valid_from` and `valid_to` bound when it holds; without them it always does."""

    claim_id: UUID
    subject: Subject
    key: Annotated[str, Field(max_length=50)]
    value: Annotated[str, Field(min_length=1, max_length=200)]
    unit: Annotated[str, Field(max_length=20)] = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    source: Annotated[str, Field(min_length=1, max_length=200)]
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0


class Claim(NewClaim):
    """A claim on record. `value` and `unit` are in their one spelling."""

    tenant_id: TenantId
    recorded_by: str
    recorded_at: datetime
    standing: ClaimStanding = ClaimStanding.CURRENT


class ContradictionState(StrEnum):
    """`resolved`: one claim stands and the other does not. `accepted`: a person answers for both being on record."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"


WAITING = (ContradictionState.OPEN, ContradictionState.ACKNOWLEDGED)
"""Until a person has decided, class A waits for a person as class B does."""


class Contradiction(Message):
    """Two claims that can't both hold. `action_id` is set where one of them is what that action's payload says: it concerns no other."""

    contradiction_id: UUID
    tenant_id: TenantId
    subject: str
    kind: ContradictionKind
    severity: str
    state: ContradictionState
    claims: tuple[Claim, Claim]
    action_id: UUID | None = None
    found_by: str
    opened_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    standing_claim_id: UUID | None = None
    reason: str = ""


class RecordClaims(Message):
    """Put claims on record, all or none."""

    principal: Principal
    claims: Annotated[tuple[NewClaim, ...], Field(min_length=1, max_length=100)]


class ClaimsRecorded(Message):
    """The claims as they stand, and the contradictions that they opened."""

    claims: tuple[Claim, ...]
    contradictions: tuple[Contradiction, ...]


class ContradictionsRequest(Message):
    principal: Principal
    state: ContradictionState | None = None
    subject: Annotated[str, Field(max_length=140)] | None = None
    page: Page = Page()


class ContradictionsReply(Message):
    items: tuple[Contradiction, ...]
    next_cursor: str | None = None


class ContradictionGet(Message):
    principal: Principal
    contradiction_id: UUID


class Acknowledge(Message):
    """Say that somebody looks into it. It goes on raising what concerns it."""

    principal: Principal
    contradiction_id: UUID


class Resolve(Message):
    """Say which claim stands, and why; or, without `standing_claim_id`, accept that both are on record."""

    principal: Principal
    contradiction_id: UUID
    standing_claim_id: UUID | None = None
    reason: Annotated[str, Field(min_length=10, max_length=2000)]


class ContradictionOpened(Message):
    contradiction_id: UUID
    tenant_id: TenantId
    subject: str
    kind: ContradictionKind
    severity: str
    action_id: UUID | None = None
    opened_at: datetime


class ContradictionDecided(Message):
    contradiction_id: UUID
    tenant_id: TenantId
    subject: str
    state: ContradictionState
    decided_by: str
    decided_at: datetime


class ReadClaim(Message):
    """What a text states by typed rules. `place` says where in it; nothing of the text is kept."""

    suggestion_id: UUID
    subject: Subject
    key: Annotated[str, Field(max_length=50)]
    value: Annotated[str, Field(min_length=1, max_length=200)]
    unit: Annotated[str, Field(max_length=20)] = ""
    place: Annotated[str, Field(max_length=60)] = ""
    confidence: Annotated[float, Field(ge=0, le=1)]


class ClaimsSuggested(Message):
    """Claims that were read in a document or an inbound message (`document:ID`, `activity:ID`)."""

    tenant_id: TenantId
    source: Annotated[str, Field(max_length=200)]
    items: Annotated[tuple[ReadClaim, ...], Field(min_length=1, max_length=50)]
    at: datetime
    trace_id: str = ""


class SuggestionState(StrEnum):
    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class ClaimSuggestion(ReadClaim):
    """A claim that nobody has confirmed: it is compared with nothing and raises nothing. `contradicts` says that a claim on record could
    not hold beside it; `on_record` is what is on record of that subject and key now, the newest first, five at most."""

    source: str
    state: SuggestionState
    contradicts: bool
    suggested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    on_record: tuple[Claim, ...] = ()


class SuggestionsRequest(Message):
    principal: Principal
    state: SuggestionState | None = None
    subject: Annotated[str, Field(max_length=140)] | None = None
    page: Page = Page()


class SuggestionsReply(Message):
    items: tuple[ClaimSuggestion, ...]
    next_cursor: str | None = None


class DecideSuggestion(Message):
    """A person's word on a suggestion: confirmed, it is that person's claim, read in that source."""

    principal: Principal
    suggestion_id: UUID
    confirm: bool
    reason: Annotated[str, Field(max_length=2000)] = ""


class SuggestionDecided(Message):
    """The suggestion as it stands, and the contradictions that the claim opened."""

    suggestion: ClaimSuggestion
    contradictions: tuple[Contradiction, ...] = ()
