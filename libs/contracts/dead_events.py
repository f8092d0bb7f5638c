"""Events that a plane could not take: unreadable, or failing until their last delivery. Operating keeps them for people."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Plane, Principal, TenantId


class DeadEventState(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class DeadEvent(Message):
    """`plane` could not take it. `tenant_ids` is empty where they can't be read; then, and where they are several, the event belongs to the
    system. `error` names the exception's type, which quotes nothing; `bytes` is the size of what was kept."""

    dead_event_id: UUID
    plane: Plane
    subject: str
    message_id: str
    tenant_ids: tuple[TenantId, ...] = ()
    error: str
    attempts: int
    bytes: int
    trace_id: str = ""
    state: DeadEventState = DeadEventState.OPEN
    arrived_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    note: str = ""


class DeadEventsRequest(Message):
    principal: Principal
    state: DeadEventState | None = None
    page: Page = Page()


class DeadEventsReply(Message):
    items: tuple[DeadEvent, ...]
    next_cursor: str | None = None


class DeadEventGet(Message):
    principal: Principal
    dead_event_id: UUID


class DeadEventDetail(Message):
    """`body` is the message as it was published: as JSON where it is any, else as text with what is no text replaced. It is null where the
    event is not this tenant's alone, and once it was forgotten."""

    event: DeadEvent
    body: Any = None
    shown: bool


class ReplayEvent(Message):
    """Hand it to its plane once more. What has been taken since changes nothing."""

    principal: Principal
    dead_event_id: UUID


class DiscardEvent(Message):
    principal: Principal
    dead_event_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class TakeEvent(Message):
    """An event for the plane that could not take it before. `body` is base64: it may be no text."""

    subject: Annotated[str, Field(max_length=200)]
    message_id: Annotated[str, Field(max_length=200)]
    body: str
