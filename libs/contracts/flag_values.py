"""Messages about what is said of feature flags: by whom, from when, until when, for which share of people. Owned by operating."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.message import Message, Principal

FlagName = Annotated[str, Field(min_length=1, max_length=100)]
EvaluationKey = Annotated[str, Field(max_length=200)]
FlagSource = Literal["locked", "tenant", "platform", "default"]


class FlagSaid(Message):
    """One word on a flag. It counts from `starts_at` until `expires_at`, for `share` of a hundred keys."""

    value: bool
    share: int
    starts_at: datetime | None
    expires_at: datetime | None
    changed_by: str
    changed_at: datetime
    state: Literal["waiting", "counts", "over"]


class FlagStanding(Message):
    """A flag as it is in force for one key of a tenant, what decided that, and what is said of it."""

    name: str
    kind: str
    value: bool
    source: FlagSource
    split: bool
    """Whether the value depends on the key."""
    default: bool
    locked: bool
    owner: str
    en: str
    ar: str
    tenant: FlagSaid | None = None
    platform: FlagSaid | None = None


class FlagStandingsRequest(Message):
    """`key` is whom the flags are asked for: a share below a hundred is of such keys."""

    principal: Principal
    key: EvaluationKey = ""


class FlagStandings(Message):
    items: tuple[FlagStanding, ...]
    version: int


class PutFlag(Message):
    """Say something about a flag of the principal's tenant. Another word on it is replaced."""

    principal: Principal
    name: FlagName
    value: bool
    share: Annotated[int, Field(ge=1, le=100)] = 100
    starts_at: datetime | None = None
    expires_at: datetime | None = None


class DropFlag(Message):
    """Take the tenant's word on a flag back: what the platform says, or the default, is in force again."""

    principal: Principal
    name: FlagName
