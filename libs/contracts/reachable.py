"""Who of a whole list may be contacted: contacts of which trust says the same are named together, without reasons."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId
from libs.contracts.trust import Contactability


class ReachableRequest(Message):
    tenant_id: TenantId
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=5000)]


class ReachedAlike(Message):
    """State by channel, and the contacts that have it."""

    channels: dict[str, Contactability]
    contact_ids: tuple[UUID, ...]


class ReachableReply(Message):
    """Every contact that was asked about is named once; one that data does not know is `unknown` on all channels."""

    items: tuple[ReachedAlike, ...]
