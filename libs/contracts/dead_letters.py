"""Messages about dead letters, owned by the execution plane: actions that ended without their effect and wait for a person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.execution import Action
from libs.contracts.message import Message, Page, Principal, Reason, TenantId


class LetterState(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    RESUBMITTED = "resubmitted"
    DISCARDED = "discarded"


class LetterCause(StrEnum):
    """`failed`: the connector refused, or could not be reached often enough. `undecidable`: trust fails on this item alone.
    `broken`: working on it raises an error. `not_sent`: an unknown outcome that turned out never to have left."""

    FAILED = "failed"
    UNDECIDABLE = "undecidable"
    BROKEN = "broken"
    NOT_SENT = "not_sent"


class DeadLetter(Message):
    """An action that ended without its effect. `attempts` counts how often the vendor was tried; `error` is the last one's.

    The action itself keeps payload, timeline and traces: nothing is copied that erasure would have to find again.
    """

    dead_letter_id: UUID
    tenant_id: TenantId
    action_id: UUID
    action_type: str
    connector: str
    cause: LetterCause
    error: Reason
    attempts: int
    trace_id: str = ""
    state: LetterState = LetterState.OPEN
    arrived_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    note: str = ""
    new_action_id: UUID | None = None


class DeadLetterArrived(Message):
    """An alarm: a letter arrived, or with `aged` has been open for another day."""

    tenant_id: TenantId
    letter: DeadLetter
    aged: bool
    at: datetime


class DeadLetterClosed(Message):
    """A person has dealt with a letter. `still_open` letters of the same connector and error wait on."""

    tenant_id: TenantId
    letter: DeadLetter
    still_open: int
    at: datetime


class DeadLettersRequest(Message):
    principal: Principal
    state: LetterState | None = None
    page: Page = Page()


class DeadLettersReply(Message):
    items: tuple[DeadLetter, ...]
    next_cursor: str | None = None


class DeadLetterGet(Message):
    principal: Principal
    dead_letter_id: UUID


class DeadLetterDetail(Message):
    """A letter with its action: payload, every attempt in the timeline, and the traces."""

    letter: DeadLetter
    action: Action


class ReplayLetter(Message):
    """Try the same action again, as its next attempt: trust decides it anew, under the approval that it has."""

    principal: Principal
    dead_letter_id: UUID


class ResubmitLetter(Message):
    """Submit the action as a new one, with what is given here changed. It is governed like any other new action."""

    principal: Principal
    dead_letter_id: UUID
    payload: dict[str, Any] | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None


class DiscardLetter(Message):
    principal: Principal
    dead_letter_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=500)]
