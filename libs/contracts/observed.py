"""What planes tell trust about themselves and about their people, so that controls are read from facts and not from promises.

Ids, times and yes or no: no names, no addresses. What concerns the whole installation has the tenant `PLATFORM`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.message import Message, TenantId

Subject = Annotated[str, Field(min_length=1, max_length=200)]


class PersonSeen(Message):
    """An account (`user:<id>`): its roles, whether it may still sign in, and when it last did. `sessions` and `keys` are those in force."""

    kind: Literal["person"] = "person"
    subject: Subject
    roles: tuple[str, ...]
    disabled: bool
    second_factor: bool
    by_provider: bool
    sessions: int
    keys: int
    last_seen_at: datetime | None


class SessionSeen(Message):
    """A session in force (`session:<id>`). `second_factor` and `remote` are None where nobody recorded them when it began."""

    kind: Literal["session"] = "session"
    subject: Subject
    person: str
    roles: tuple[str, ...]
    second_factor: bool | None
    remote: bool | None
    by: str
    started_at: datetime
    expires_at: datetime


class KeySeen(Message):
    """An API key in force (`key:<id>`). `wildcard`: it reaches everything that its holder may do."""

    kind: Literal["api_key"] = "api_key"
    subject: Subject
    person: str
    personal: bool
    wildcard: bool
    roles: tuple[str, ...]


class SignInRules(Message):
    """What the gateway enforces: minutes until an unused session ends, hours until any does, guesses before a lock."""

    kind: Literal["sign_in_rules"] = "sign_in_rules"
    subject: Subject
    idle_minutes: int
    life_hours: int
    free_attempts: int
    first_lock_seconds: int


class BackupMade(Message):
    """A backup that was written and closed. `digest` is the SHA-256 of its database dump."""

    kind: Literal["backup"] = "backup"
    subject: Subject
    made_at: datetime
    rows: int
    leaves: int


class RestoreTested(Message):
    """A backup that was restored and proven whole by its ledgers."""

    kind: Literal["restore_test"] = "restore_test"
    subject: Subject
    restored_at: datetime
    rows: int
    leaves: int


class LinkSeen(Message):
    """A connection of a plane to a server (`<plane>/<server>`). `version` is what the connection itself says; `local` never leaves the host."""

    kind: Literal["link"] = "link"
    subject: Subject
    encrypted: bool
    version: str
    local: bool


class SecretSeen(Message):
    """A vendor's credential as it lies in its table (`credential:<connector>`): whether it is still kept, and whether the row is sealed."""

    kind: Literal["secret"] = "secret"
    subject: Subject
    kept: bool
    sealed: bool


class TemplateSeen(Message):
    """What the vendor says of a template (`<name>/<language>`)."""

    kind: Literal["wa_template"] = "wa_template"
    subject: Subject
    name: str
    language: str
    status: str


class NumberSeen(Message):
    """One thing that the vendor says of a number of ours (`<its id there>/quality` or `/limit`): GREEN, YELLOW or RED, or unique
    recipients in 24 hours."""

    kind: Literal["wa_number"] = "wa_number"
    subject: Subject
    number: str
    quality: str | None = None
    limit_per_day: int | None = None


class LogVerified(Message):
    """A tenant's log recomputed from its entries to its signed checkpoint (`log`). `problem` says what does not hold; empty: nothing."""

    kind: Literal["log_verified"] = "log_verified"
    subject: Subject
    size: int
    erased: int
    checkpoint: int
    problem: str


class LogDay(Message):
    """A day (its date) on which the log was watched: when it was first and last seen to be at work."""

    kind: Literal["log_day"] = "log_day"
    subject: Subject
    first_at: datetime
    last_at: datetime
    size: int


Fact = (
    PersonSeen
    | SessionSeen
    | KeySeen
    | SignInRules
    | BackupMade
    | RestoreTested
    | LinkSeen
    | SecretSeen
    | TemplateSeen
    | NumberSeen
    | LogVerified
    | LogDay
)
"""Each names its kind, by which it is read."""


class FactsReported(Message):
    """Facts as they were at `at`. Of the kinds named in `whole` there are no others: what was told earlier and is not here is over."""

    tenant_id: TenantId
    at: datetime
    facts: Annotated[tuple[Fact, ...], Field(max_length=1000)]
    whole: tuple[str, ...] = ()
