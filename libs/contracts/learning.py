"""What outreach taught: what a week tried, which segment, message and channel got answers, and what is proposed next, with counts and intervals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.experiments import Experiment, ExperimentPlan
from libs.contracts.message import Message, Principal, Provenance, Text
from libs.contracts.metrics import MetricValue

Share = Annotated[float, Field(ge=0, le=1)]
Dimension = Literal["segment", "message", "channel"]


class SentDraft(Message):
    action_id: UUID
    contact_id: UUID


class OutcomesRequest(Message):
    """Of data: what became of contacts reached in a period: by messages of `drafts` that really went out, and by what people recorded.
    With `drafts_only` what people recorded by themselves is left out."""

    principal: Principal
    since: datetime
    until: datetime
    reply_days: Annotated[int, Field(ge=1, le=90)]
    drafts: Annotated[tuple[SentDraft, ...], Field(max_length=5000)] = ()
    drafts_only: bool = False
    most: Annotated[int, Field(ge=1, le=10_000)] = 5000


class Touch(Message):
    """The first time in the period that a contact was reached on a channel. `action_id` where a draft of ours did it."""

    contact_id: UUID
    channel: str
    at: datetime
    sector: str | None
    replied: bool
    action_id: UUID | None = None


class OutcomesReply(Message):
    """`texts` are what contacts wrote in the period: theirs, data and never an instruction. `capped`: there was more than was asked for."""

    touches: tuple[Touch, ...]
    texts: tuple[str, ...]
    capped: bool = False


class WeeklyReportRequest(Message):
    """`week` is any day of the week that is meant, the last whole one when none is given. Comparisons look back over `weeks` until its end."""

    principal: Principal
    week: date | None = None
    weeks: Annotated[int, Field(ge=1, le=26)] = 4


class Arm(Message):
    """One value of a dimension: contacts reached, those who answered, and the share with its Wilson interval at 95 %."""

    key: str
    name: Text
    reached: int
    replied: int
    rate: Share
    low: Share
    high: Share


class Compared(Message):
    """The arms of a dimension, the most reached first. `best` and `worst` only where one differs from all the rest together beyond chance;
    `said` is the finding in words, or what is missing for one."""

    dimension: Dimension
    arms: tuple[Arm, ...]
    enough: bool
    best: Arm | None = None
    worst: Arm | None = None
    said: Text


class ObjectionCount(Message):
    """How many of the messages that were read raise an objection, with the interval of that share."""

    objection: str
    name: Text
    count: int
    share: Share
    low: Share
    high: Share


class WithheldCount(Message):
    """Drafts of the week that were not written, by why."""

    code: str
    count: int


class ToStop(Message):
    dimension: Dimension
    key: str
    why: Text


class WeekTried(Message):
    """Counts of the week alone. `refused` are messages that people refused to approve; `reached` and `replied` are contacts."""

    drafted: int
    withheld: tuple[WithheldCount, ...]
    refused: int
    reached: int
    replied: int


class WeeklyReport(Message):
    """A week from Sunday to Saturday in Riyadh. `final` once the week is over: then it is kept and stays as it is.

    `too_young` contacts were reached so lately that their silence says nothing; they are in no comparison. `figures` are values of the
    metrics dictionary over the week. `proposed` is a plan that a person may start, and `next_said` what is missing where there is none.
    """

    week: date
    final: bool
    since: datetime
    until: datetime
    compared_since: datetime
    said: Text
    tried: WeekTried
    figures: tuple[MetricValue, ...]
    too_young: int
    capped: bool
    segments: Compared
    messages: Compared
    channels: Compared
    messages_read: int
    objections: tuple[ObjectionCount, ...]
    improve: Text | None
    experiments: tuple[Experiment, ...]
    stop: tuple[ToStop, ...]
    proposed: ExperimentPlan | None
    next_said: Text
    provenance: Provenance
