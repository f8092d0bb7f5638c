"""Messages of consent and suppression beyond the single record: who is on the list, one-click unsubscribing, stopping what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId


class SuppressionsRequest(Message):
    principal: Principal
    page: Page = Page()


class Suppression(Message):
    """One identifier that is never contacted. Only the beginning of its keyed hash is shown: nobody can read the identifier from it."""

    name: str
    reason: str
    actor: str
    at: datetime


class SuppressionsReply(Message):
    items: tuple[Suppression, ...]
    next_cursor: str | None = None


class LinkRequest(Message):
    """A person's own way out: the token of an unsubscribe link for one contact on one channel."""

    tenant_id: TenantId
    contact_id: UUID
    channel: str


class LinkReply(Message):
    token: str


class Unsubscribe(Message):
    """What a person's link carries. `confirmed` is false while the page only asks (RFC 8058: a GET changes nothing)."""

    token: Annotated[str, Field(max_length=500)]
    confirmed: bool


class UnsubscribeReply(Message):
    """`done`: the person is on the list now, however often the link was used."""

    tenant_id: TenantId
    channel: str
    done: bool


class ContactStopped(Message):
    """Nothing more may leave for this contact on `channel`, on any when null. What waits for it ends now."""

    tenant_id: TenantId
    contact_id: UUID
    channel: str | None
    why: str
    at: datetime


class ConsentStanding(Message):
    """A consent without its proof: whose, for what, and whether it stands."""

    consent_id: UUID
    contact_id: UUID
    purpose: str
    channel: str
    captured_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None


class ConsentsChanged(Message):
    """Consents as they stand now: recorded or withdrawn. A withdrawal is never taken back, whichever event arrives last."""

    tenant_id: TenantId
    consents: Annotated[tuple[ConsentStanding, ...], Field(max_length=5000)]
