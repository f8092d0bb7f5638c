"""What planes tell trust, about themselves, their people and what they did, so that controls are read from facts and not from promises.

Ids, times, names of fields and yes or no: nobody's name, no addresses. What concerns the whole installation has the tenant `PLATFORM`.
Which plane may tell which kind is its own message: nobody but decision says who wrote a draft.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId

MOST_FACTS = 1000
"""Facts of one message."""
Name = Annotated[str, Field(max_length=100)]
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


class ImportFact(Message):
    """What an import kept of people (PDPL art. 11(3)): the fields that its columns fed. `dropped` columns fed none and were not stored."""

    kind: Literal["import"] = "import"
    subject: UUID
    source: Name
    fields: tuple[Name, ...]
    dropped: int


class DocumentFact(Message):
    """A file that was stored. `identity` is the kind of identity document that it looks like, empty for none (PDPL art. 28)."""

    kind: Literal["document"] = "document"
    subject: UUID
    identity: Literal["", "national_id", "residence_permit", "passport"] = ""
    erased: bool = False


class BounceFact(Message):
    """A provider's report that the message of an action came back. `subject` is the action's."""

    kind: Literal["bounce"] = "bounce"
    subject: UUID
    channel: Name


class DraftFact(Message):
    """Who and what wrote a draft, and from what. `subject` is the action's that it was submitted as."""

    kind: Literal["draft"] = "draft"
    subject: UUID
    agent: Name
    provider: Name
    model_id: Name
    prompt_version: Name
    inputs: int
    by_model: bool
    """Whether a language model wrote it, not reviewed texts."""
    disclosed: bool
    """Whether its text says that a machine wrote it."""
    passed: bool | None = None
    """Whether the reviewers' rules let it pass; None for a draft from before they were told."""
    ungrounded: tuple[Name, ...] = ()
    """Figures of price or performance that nothing supports which its writer was given."""


class RankingFact(Message):
    """What a ranking looked at. `subject` follows from the version, which changes with whatever the ranking computes from."""

    kind: Literal["ranking"] = "ranking"
    subject: UUID
    version: Name
    features: tuple[Name, ...]
    leads: int


class AgentRunFact(Message):
    """One run of an agent. `subject` is its record's. `personal` says whether its input held numbers or addresses of people."""

    kind: Literal["agent_run"] = "agent_run"
    subject: UUID
    agent: Name
    provider: Name
    abroad: bool
    personal: bool
    purpose: Name
    """The model policy under which the input may travel."""
    fits: bool
    """Whether what it made fits its schema."""


class UsageFact(Message):
    """What a tenant's agents used in a day of what they may use."""

    kind: Literal["agent_usage"] = "agent_usage"
    subject: UUID
    day: date
    runs: int
    refused: int
    budget: int
    cost_sar: Decimal


class ReplySeen(Message):
    """A person wrote to us; `subject` is the activity's."""

    kind: Literal["inbound"] = "inbound"
    subject: UUID
    contact_id: UUID
    channel: str


# Told apart by `kind`, which each has one value of. Every plane tells of its connections.
DataFact = ImportFact | DocumentFact | BounceFact | LinkSeen
DecisionFact = DraftFact | RankingFact | AgentRunFact | UsageFact | LinkSeen
ExecutionFact = SecretSeen | NumberSeen | LinkSeen
GatewayFact = PersonSeen | SessionSeen | KeySeen | SignInRules | TemplateSeen | NumberSeen | LinkSeen
OperatingFact = BackupMade | RestoreTested | LinkSeen
TrustFact = LogVerified | LogDay | ReplySeen | LinkSeen
Fact = DataFact | DecisionFact | ExecutionFact | GatewayFact | OperatingFact | TrustFact


class FactsReported(Message):
    """Facts as they were at `at`. Of the kinds named in `whole` there are no others: what was told earlier and is not here is over."""

    tenant_id: TenantId
    at: datetime
    facts: Annotated[tuple[Fact, ...], Field(max_length=MOST_FACTS)]
    whole: tuple[str, ...] = ()


class DataFacts(FactsReported):
    facts: Annotated[tuple[DataFact, ...], Field(max_length=MOST_FACTS)]


class DecisionFacts(FactsReported):
    facts: Annotated[tuple[DecisionFact, ...], Field(max_length=MOST_FACTS)]


class ExecutionFacts(FactsReported):
    facts: Annotated[tuple[ExecutionFact, ...], Field(max_length=MOST_FACTS)]


class GatewayFacts(FactsReported):
    facts: Annotated[tuple[GatewayFact, ...], Field(max_length=MOST_FACTS)]


class OperatingFacts(FactsReported):
    facts: Annotated[tuple[OperatingFact, ...], Field(max_length=MOST_FACTS)]


class FactsRecorded(Message):
    """Facts of data and decision as the release before this one tells them: `fact_id` for the subject. Goes with its events."""

    tenant_id: TenantId
    items: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=500)]
    at: datetime

    def facts(self) -> tuple[dict[str, Any], ...]:
        """The same facts as they are told now."""
        return tuple(
            {("subject" if name == "fact_id" else name): value for name, value in one.items()} for one in self.items
        )
