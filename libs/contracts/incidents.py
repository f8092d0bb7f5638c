"""Messages about incidents, owned by the operating plane: what went wrong, since when, and what was done about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Text

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class IncidentKind(StrEnum):
    OUTAGE = "outage"
    """Planes did not answer: seen by the watch over heartbeats."""
    OBJECTIVE = "objective"
    """A service level objective burned or was breached."""
    REPORTED = "reported"
    """A person put it on record."""


class Severity(StrEnum):
    PAGE = "page"
    TICKET = "ticket"


class IncidentEntry(Message):
    """One line of an incident's timeline. `kind` is `opened`, `grew`, `release`, `note` or `ended`; a note has one text, in the writer's words."""

    at: datetime
    kind: str
    by: str
    en: str
    ar: str


class Incident(Message):
    """`subject` is the objective, the planes or nothing; the system's own are of the whole installation, a reported one is a tenant's."""

    incident_id: UUID
    kind: IncidentKind
    severity: Severity
    subject: str
    title: Text
    opened_at: datetime
    ended_at: datetime | None = None
    own: bool
    """Whether it is this tenant's, which may end it; the system ends its own when what it saw is over."""


class IncidentsRequest(Message):
    principal: Principal
    open: bool | None = None
    page: Page = Page()


class IncidentsReply(Message):
    items: tuple[Incident, ...]
    next_cursor: str | None = None


class IncidentGet(Message):
    principal: Principal
    incident_id: UUID


class IncidentDetail(Message):
    """`timeline` has what the system saw and what this tenant's people wrote, the oldest first."""

    incident: Incident
    timeline: tuple[IncidentEntry, ...]


class ReportIncident(Message):
    principal: Principal
    title: Annotated[str, Field(min_length=1, max_length=200)]
    severity: Severity = Severity.TICKET
    note: Annotated[str, Field(max_length=2000)] = ""


class NoteIncident(Message):
    """A line for the timeline; with `end` it is the last, and the incident is over."""

    principal: Principal
    incident_id: UUID
    note: Words
    end: bool = False
