"""The executive room: an `ExecutiveSnapshot` whose every line can be opened. Amounts are SAR, likelihoods run from 0 to 1."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.forecasts import Ahead, Part
from libs.contracts.memos import ExecutiveSnapshot, Figure
from libs.contracts.message import Message, Principal, Text

Level = Literal[1, 2, 3, 4, 5]


class ExecutiveRoomRequest(Message):
    principal: Principal


class Said(Message):
    """One of two claims that can't both hold, as it was said."""

    value: str
    unit: str
    source: str


class Dispute(Message):
    """An open contradiction that a figure rests on: about the figure itself, or about a record that counts in it. `claims` is empty for a
    reader who may not read evidence."""

    contradiction_id: UUID
    about: str
    severity: str
    acknowledged: bool
    opened_at: datetime
    claims: tuple[Said, ...] = ()


class RoomFigure(Figure):
    """A figure of the metric layer with what it takes to judge it. `disputed` names the open contradictions that it rests on, and `caution`
    says so in words; `unchecked` says that nobody could tell whether there are any. `unread`: its plane did not answer."""

    en: str
    ar: str
    definition_en: str
    definition_ar: str
    since: datetime
    until: datetime
    counted: int
    excluded: int
    disputed: tuple[Dispute, ...] = ()
    unchecked: bool = False
    unread: bool = False
    caution: Text | None = None


class Source(StrEnum):
    """What a risk comes from."""

    CONTRADICTION = "contradiction"
    CONTROL = "control"
    APPROVAL = "approval"
    DEAL = "deal"
    CUSTOMER = "customer"


class Risk(Message):
    """One risk with where it comes from (`source` and `id` of the record). `likelihood` is a share that was counted or computed, which `basis`
    names; `amount` is what is at stake where that is money."""

    source: Source
    id: str
    title: Text
    basis: Text
    likelihood: Annotated[float, Field(ge=0, le=1)]
    likelihood_level: Level
    impact_level: Level
    amount: Decimal | None = None
    severity: str = ""
    observed_at: datetime

    @property
    def product(self) -> int:
        return self.likelihood_level * self.impact_level


class NotScored(Message):
    """A source of risks that says nothing now, and why."""

    source: Source
    why: Text


class PendingDecision(Message):
    """An approval that waits, by its clock."""

    approval_id: UUID
    title: Text
    risk: str
    role: str
    value_sar: str | None
    due_at: datetime
    late: bool


class OpenContradiction(Message):
    contradiction_id: UUID
    subject: str
    kind: str
    severity: str
    acknowledged: bool
    opened_at: datetime


class Gap(Message):
    """A month that ended beside what was expected of it, and what the gap came from."""

    since: datetime
    until: datetime
    expected: Decimal
    actual: Decimal
    variance: Decimal
    causes: tuple[Part, ...]


class Plan(Message):
    """Actual and forecast of the current month, the month to come, and where the last one's gap came from. `expected` was forecast before the
    month began; None where it was not, and `why` says so."""

    metric: str
    since: datetime
    until: datetime
    actual: Decimal | None
    expected: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    next_month: Ahead | None = None
    last: Gap | None = None
    why: Text | None = None


class ExecutiveRoom(ExecutiveSnapshot):
    """`risks` are the titles of `top_risks`, the worst first. A part that could not be read is named in `silent` and takes only itself along."""

    kpis: tuple[RoomFigure, ...]
    risks_ar: tuple[str, ...]
    top_risks: tuple[Risk, ...]
    not_scored: tuple[NotScored, ...]
    decisions: tuple[PendingDecision, ...]
    open_contradictions: tuple[OpenContradiction, ...]
    plan: Plan | None
    silent: tuple[str, ...] = ()
