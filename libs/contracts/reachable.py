"""Who of a whole list may be contacted: contacts of which trust says the same are named together, without reasons."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from libs.contracts.message import Message, TenantId
from libs.contracts.trust import Contactability


class ReachableRequest(Message):
    """`anew` says that what trust holds of them may be older than what data has written: it asks data again before it answers."""

    tenant_id: TenantId
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=5000)]
    anew: bool = False


class ReachedAlike(Message):
    """State by channel, and the contacts that have it."""

    channels: dict[str, Contactability]
    contact_ids: tuple[UUID, ...]


class ReachableReply(Message):
    """Every contact that was asked about is named once; one that data does not know is `unknown` on all channels."""

    items: tuple[ReachedAlike, ...]

    def said(self) -> list[tuple[UUID, dict[str, str]]]:
        """Contact by contact: state by channel."""
        return [
            (contact, {channel: status.value for channel, status in one.channels.items()})
            for one in self.items
            for contact in one.contact_ids
        ]


class ClaimedConsent(Message):
    """A consent to marketing that a row states with its date; trust decides whether it still holds."""

    channel: str
    captured_at: datetime


class Newcomers(Message):
    """People whom an import is about to write and who have all in common by which trust judges but their addresses: those are listed, an
    e-mail address and a number of each."""

    source: str
    opted_out: str = "no"
    cold: bool = False
    collected_directly: bool = False
    consents: tuple[ClaimedConsent, ...] = ()
    email: tuple[str | None, ...]
    phone: tuple[str | None, ...]

    @model_validator(mode="after")
    def _as_long_as_each_other(self) -> Self:
        if len(self.email) != len(self.phone):
            raise ValueError("email and phone are not equally long")
        return self


class NewcomersRequest(Message):
    tenant_id: TenantId
    groups: Annotated[tuple[Newcomers, ...], Field(max_length=5000)]


class NewcomersReply(Message):
    """`states` by channel; and group by group, for each that was asked about, which of them it has. Nothing of it is kept by trust: it asks
    data itself once they are written."""

    states: tuple[dict[str, Contactability], ...]
    groups: tuple[tuple[int, ...], ...]
