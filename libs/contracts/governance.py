"""Messages of agent, skill and trust-score governance, owned by the trust plane."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Principal


class Kind(StrEnum):
    """What may be suspended."""

    AGENT = "agent"
    SKILL = "skill"


class ScoreState(StrEnum):
    """`thin`: there are rows, and too few of them to act on."""

    SCORED = "scored"
    THIN = "thin"
    NO_DATA = "no_data"


class Standing(Message):
    """Whether an agent or a skill may act for a tenant. Without a row it is active, by the catalogue."""

    kind: Kind
    id: str
    suspended: bool
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None


class StandingsRequest(Message):
    principal: Principal


class StandingsReply(Message):
    items: tuple[Standing, ...]


class SetStanding(Message):
    """Suspends an agent or a skill, or lets it act again."""

    principal: Principal
    kind: Kind
    id: Annotated[str, Field(max_length=60)]
    suspended: bool
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class TrustScoreGet(Message):
    principal: Principal
    kind: Annotated[str, Field(max_length=20)]
    id: Annotated[str, Field(max_length=100)]


class ScorePart(Message):
    """One declared factor: how many of the rows speak for it. `value` is 0 to 100, null without rows."""

    key: str
    en: str
    ar: str
    weight: float
    rows: int
    good: int
    value: float | None


class TrustScore(Message):
    """The weighted mean of the parts that have rows; null, `no_data`, when none has. It can only lower what may be done."""

    kind: str
    id: str
    score: float | None
    state: ScoreState
    rows: int
    parts: tuple[ScorePart, ...]
    window_days: int
    computed_at: datetime
    effect_en: str
    effect_ar: str
