"""Messages of people's rights and of the registers: requests with their clock, erasure across planes, what is held about a person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Plane, Principal, TenantId

Words = Annotated[str, Field(max_length=2000)]


class RightsKind(StrEnum):
    """PDPL art. 4: what a person may ask for. `objection` covers withdrawal from direct marketing (art. 25)."""

    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class RightsState(StrEnum):
    RECEIVED = "received"
    IDENTIFIED = "identified"
    WORKING = "working"
    COMPLETED = "completed"
    REFUSED = "refused"


class RightsTask(Message):
    """What one plane has to do for a request. `counts` says what it changed, by kind of thing."""

    plane: Plane
    done_at: datetime | None = None
    counts: dict[str, int] = {}


class RightsStep(Message):
    at: datetime
    actor: str
    step: str
    note: str = ""


class RightsRequest(Message):
    """A person's request. The identifier under which it came is kept as a keyed hash alone."""

    request_id: UUID
    tenant_id: TenantId
    kind: RightsKind
    state: RightsState
    contact_id: UUID
    identifier_matches: bool
    """Whether the identifier under which it came is one of the contact's own."""
    details: str = ""
    received_at: datetime
    due_at: datetime
    extended: bool = False
    late: bool = False
    identified_by: str | None = None
    closed_at: datetime | None = None
    tasks: tuple[RightsTask, ...] = ()
    steps: tuple[RightsStep, ...] = ()


class OpenRights(Message):
    """Record a request, however it came. `received_at` is when it came; the clock of 30 days runs from then."""

    principal: Principal
    request_id: UUID
    kind: RightsKind
    contact_id: UUID
    identifier: Annotated[str, Field(min_length=3, max_length=254)]
    details: Words = ""
    received_at: datetime | None = None


class RightsGet(Message):
    principal: Principal
    request_id: UUID


class RightsList(Message):
    principal: Principal
    state: RightsState | None = None
    page: Page = Page()


class RightsReply(Message):
    items: tuple[RightsRequest, ...]
    next_cursor: str | None = None


class IdentifyRights(Message):
    """Who asks is who they say: `method` says how that was found out, `evidence` where it is kept."""

    principal: Principal
    request_id: UUID
    method: Annotated[str, Field(min_length=1, max_length=200)]
    evidence: Annotated[str, Field(min_length=1, max_length=500)]


class ExtendRights(Message):
    """Thirty more days, once, with a reason that the person was told before the first term ended."""

    principal: Principal
    request_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class CloseRights(Message):
    """Answer a request: done with a note, or refused with the ground for it."""

    principal: Principal
    request_id: UUID
    refused: bool = False
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class EraseRights(Message):
    """Carry out an erasure. Somebody else than who checked the identity; a person who is alone signs in again."""

    principal: Principal
    request_id: UUID
    reauthenticated: bool = False


class PersonRequest(Message):
    """What a plane holds about a contact, for the request of that person. Trust checks and records it."""

    principal: Principal
    contact_id: UUID
    request_id: UUID


class PersonReply(Message):
    """Rows about a person, by kind of thing, whole."""

    sections: dict[str, tuple[dict[str, Any], ...]]


class ErasureOrdered(Message):
    """Erase what you hold about this contact. Ids alone travel; each plane finds its own rows."""

    tenant_id: TenantId
    request_id: UUID
    contact_id: UUID
    phase: int
    """1: drafts, cards, opportunities, payloads. 2: the contact itself, once the others need it no more."""
    at: datetime


class ErasurePerformed(Message):
    tenant_id: TenantId
    request_id: UUID
    plane: Plane
    counts: dict[str, int]
    at: datetime


class RegisterEntry(Message):
    """An entry of a register. `due_at` is when its clock ends, `late` whether the duty is, or was, done too late."""

    entry_id: UUID
    tenant_id: TenantId
    kind: str
    version: int
    values: dict[str, Any]
    changed_by: str
    changed_at: datetime
    created_at: datetime
    due_at: datetime | None = None
    late: bool = False


class RegisterList(Message):
    principal: Principal
    kind: str
    page: Page = Page()


class RegisterReply(Message):
    items: tuple[RegisterEntry, ...]
    next_cursor: str | None = None


class RegisterGet(Message):
    principal: Principal
    kind: str
    entry_id: UUID


class RegisterPut(Message):
    """Add an entry (`expected_version` 0) or change one: the whole new text, on top of the version that was edited."""

    principal: Principal
    kind: str
    entry_id: UUID
    values: dict[str, Any]
    expected_version: Annotated[int, Field(ge=0)]


class RegisterDelete(Message):
    principal: Principal
    kind: str
    entry_id: UUID
    expected_version: Annotated[int, Field(ge=1)]
