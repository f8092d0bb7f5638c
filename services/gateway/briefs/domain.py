"""What a tenant chose, what is on its way, and what may go now. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from libs.contracts.briefs import BriefHours, WaitingApproval
from services.gateway.domain.people import User
from services.gateway.webhooks.domain import Number

GAP = timedelta(minutes=15)
"""Between two briefs to one person, so that ten requests are not ten messages."""
WINDOW = timedelta(hours=24) - timedelta(minutes=5)
"""After a person wrote, free text may be sent for 24 hours (WhatsApp Business messaging policy); a little less, for the way there."""


class Kind(StrEnum):
    BRIEF = "brief"
    ANSWER = "answer"


class State(StrEnum):
    """`sent` is handed to execution as an action, whose id is the message's; `dropped` says why in `detail`."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Rules:
    """Which requests a tenant lets out by WhatsApp: risks, and action types where it named any. Off until somebody turns it on."""

    tenant_id: UUID
    enabled: bool = False
    risks: tuple[str, ...] = ("low", "medium")
    action_types: tuple[str, ...] = ()
    template: str = "approval_brief"
    language: str = "ar"
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one of the tenant's own people. A brief's text is trust's, by the same id; an answer's stands here until it left."""

    tenant_id: UUID
    message_id: UUID
    user_id: UUID
    kind: Kind
    text: str
    approvals: tuple[UUID, ...]
    created_at: datetime
    state: State = State.WAITING
    detail: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person with a verified number; without hours nothing is sent."""

    user: User
    number: Number
    hours: BriefHours | None

    def open(self, now: datetime) -> bool:
        return self.hours is not None and self.hours.includes(now)

    def in_window(self, now: datetime) -> bool:
        return self.number.heard_at is not None and now - self.number.heard_at < WINDOW


def chosen(
    rules: Rules, waiting: Sequence[WaitingApproval], told: Collection[UUID], newest: datetime | None, now: datetime
) -> tuple[UUID, ...]:
    """What a new brief would be about: of a class that the tenant chose, and not told this person before. None while the last brief is
    fresh."""
    if newest is not None and now - newest < GAP:
        return ()
    return tuple(
        one.approval_id
        for one in waiting
        if one.risk in rules.risks
        and (not rules.action_types or one.action_type in rules.action_types)
        and one.approval_id not in told
    )
