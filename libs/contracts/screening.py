"""Messages of the security gate, owned by the trust plane: what was found in texts from outside, and what people made of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId

MOST_ITEMS = 500


class FindingState(StrEnum):
    """`open` and `confirmed` keep a record in quarantine; only a person releases it."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    RELEASED = "released"


class Direction(StrEnum):
    """Whether a text came in or would leave."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ScreenedText(Message):
    """What one text of a record showed. `about` are the records that are in quarantine for it, `subject` among them; it quotes nothing."""

    subject: Annotated[str, Field(max_length=140)]
    about: Annotated[tuple[str, ...], Field(max_length=20)]
    field: Annotated[str, Field(max_length=60)]
    codes: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]


class TextsScreened(Message):
    """Texts from outside that the gate found something in. `source` says how they came in: `import:ID`, `record`, `document`."""

    tenant_id: TenantId
    source: Annotated[str, Field(max_length=100)]
    items: Annotated[tuple[ScreenedText, ...], Field(min_length=1, max_length=MOST_ITEMS)]
    at: datetime
    trace_id: str = ""


class GateFinding(Message):
    """One finding on record. `en` and `ar` say what the text tries."""

    finding_id: UUID
    subject: str
    about: tuple[str, ...]
    source: str
    field: str
    code: str
    level: str
    owasp: str
    en: str
    ar: str
    state: FindingState
    found_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""


class FindingsRequest(Message):
    principal: Principal
    state: FindingState | None = None
    subject: str | None = None
    page: Page = Page()


class FindingsReply(Message):
    items: tuple[GateFinding, ...]
    next_cursor: str | None = None


class DecideFinding(Message):
    """A person's word on a finding: the text is harmless (released), or it is what it looks like (confirmed)."""

    principal: Principal
    finding_id: UUID
    state: FindingState
    reason: Annotated[str, Field(min_length=10, max_length=2000)]


class FindingDecided(Message):
    """A person decided on a finding. `held` says whether the record that it is about is still in quarantine, for this or another one."""

    tenant_id: TenantId
    subject: str
    held: bool
    at: datetime


class ScreenText(Message):
    """Asks what the gate sees in a text. Nothing is kept."""

    principal: Principal
    text: Annotated[str, Field(max_length=262_144)]
    direction: Direction


class Sighting(Message):
    code: str
    level: str
    owasp: str
    en: str
    ar: str


class ScreenReply(Message):
    """`level` is `clean`, `note`, `review` or `block`."""

    level: str
    findings: tuple[Sighting, ...]
