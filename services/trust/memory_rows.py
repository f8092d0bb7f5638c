"""Rows of the in-memory twin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.data import ContactFacts
from libs.contracts.trust import Approval, Decision


@dataclass(frozen=True, slots=True)
class Decided:
    """A row of decisions."""

    decision: Decision
    subject_id: str
    contact_id: UUID | None
    channel: str
    grant_id: UUID | None
    waited: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of approvals. Its history is kept apart."""

    approval: Approval
    approvers: int
    salt: str


@dataclass(frozen=True, slots=True)
class Projected:
    facts: ContactFacts
    email_mac: str | None
    phone_mac: str | None
    refreshed_at: datetime
