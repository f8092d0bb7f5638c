"""Growth experiments: what is believed, how it is measured and when it ends are stated before it starts; who gets what is drawn, not chosen."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Text

Key = Annotated[str, Field(min_length=1, max_length=60)]
Share = Annotated[float, Field(ge=0, le=1)]
Note = Annotated[str, Field(max_length=1000)]


class Varies(StrEnum):
    """What of a first message an experiment may vary: the reviewed texts it is made of, its channel, its language, its tone."""

    MESSAGE = "message"
    CHANNEL = "channel"
    LANGUAGE = "language"
    TONE = "tone"


class ExperimentState(StrEnum):
    """`running` until the stop rule is met; `ready` from then on, for a person to decide; `decided` by one. `stopped` by a person before the
    rule was met: it has no result."""

    RUNNING = "running"
    READY = "ready"
    DECIDED = "decided"
    STOPPED = "stopped"


class Verdict(StrEnum):
    """`alike`: a difference of the size that was looked for is ruled out. `not_known`: the interval allows it and its absence."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "alike"
    NOT_KNOWN = "not_known"


class ExperimentPlan(Message):
    """All that is stated before. `arms` are what is done now and what is tried instead; `metric` a share of the dictionary that is counted by
    arm. A contact counts once `answer_days` have passed since it was reached. The stop rule: each arm has `sample_size` contacts that count,
    or `max_days` are over."""

    hypothesis: Annotated[str, Field(min_length=10, max_length=500)]
    metric: Key
    varies: Varies
    arms: tuple[Key, Key]
    baseline: Annotated[float, Field(gt=0, lt=1)]
    detects: Annotated[float, Field(gt=0, lt=1)]
    sample_size: Annotated[int, Field(ge=30, le=100_000)]
    max_days: Annotated[int, Field(ge=7, le=180)]
    answer_days: Annotated[int, Field(ge=1, le=30)] = 7


class StartExperiment(Message):
    principal: Principal
    experiment_id: UUID
    plan: ExperimentPlan


class ExperimentGet(Message):
    principal: Principal
    experiment_id: UUID


class ExperimentsRequest(Message):
    principal: Principal
    page: Page = Page()


class DecideExperiment(Message):
    """Keep what was tried, go back to what was done, or stop before the rule is met (with why). It is a decision on record: what changes for
    everybody changes where it is set, by whoever may."""

    principal: Principal
    experiment_id: UUID
    decision: Literal["keep", "revert", "stop"]
    note: Note = ""


class ExperimentArm(Message):
    """Accounts drawn into the arm, those of them reached, and those whose time to answer has passed. Who answered is told once the stop rule
    is met, and not before: whoever looks early finds what is not there."""

    key: str
    name: Text
    assigned: int
    reached: int
    counted: int
    replied: int | None = None
    rate: Share | None = None
    low: Share | None = None
    high: Share | None = None


class ExperimentResult(Message):
    """Share of the second arm less that of the first, with its interval at 95 % (Newcombe)."""

    verdict: Verdict
    difference: float
    low: float
    high: float


class Experiment(Message):
    """`needed` is how many contacts an arm takes for the stated change to be found with power 80 %; `underpowered` where fewer were stated."""

    experiment_id: UUID
    plan: ExperimentPlan
    state: ExperimentState
    started_by: str
    started_at: datetime
    ends_at: datetime
    needed: int
    underpowered: bool
    arms: tuple[ExperimentArm, ExperimentArm]
    result: ExperimentResult | None = None
    said: Text
    met_at: datetime | None = None
    decision: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""


class PossibleArm(Message):
    """Something that an experiment may do, and by what it differs from others of its kind."""

    varies: Varies
    key: Key
    name: Text


class ExperimentsReply(Message):
    """`possible` is what arms may be now: both of a plan's are of one kind."""

    items: tuple[Experiment, ...]
    next_cursor: str | None = None
    possible: tuple[PossibleArm, ...] = ()
