"""Facts that compliance controls are judged by, told by the plane that made them. Ids, names of fields and versions; nobody's data."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId

MOST_FACTS = 500
Name = Annotated[str, Field(max_length=100)]


class ImportFact(Message):
    """What an import kept of people (PDPL art. 11(3)): the fields that its columns fed. `dropped` columns fed none and were not stored."""

    kind: Literal["import"] = "import"
    fact_id: UUID
    source: Name
    fields: tuple[Name, ...]
    dropped: int


class DocumentFact(Message):
    """A file that was stored. `identity` is the kind of identity document that it looks like, empty for none (PDPL art. 28)."""

    kind: Literal["document"] = "document"
    fact_id: UUID
    identity: Literal["", "national_id", "residence_permit", "passport"] = ""
    erased: bool = False


class BounceFact(Message):
    """A provider's report that the message of an action came back. `fact_id` is the action's."""

    kind: Literal["bounce"] = "bounce"
    fact_id: UUID
    channel: Name


class DraftFact(Message):
    """Who and what wrote a draft, and from what. `fact_id` is the action's that it was submitted as."""

    kind: Literal["draft"] = "draft"
    fact_id: UUID
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
    """What a ranking looked at. `fact_id` follows from the version, which changes with whatever the ranking computes from."""

    kind: Literal["ranking"] = "ranking"
    fact_id: UUID
    version: Name
    features: tuple[Name, ...]
    leads: int


class AgentRunFact(Message):
    """One run of an agent. `fact_id` is its record's. `personal` says whether its input held numbers or addresses of people."""

    kind: Literal["agent_run"] = "agent_run"
    fact_id: UUID
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
    fact_id: UUID
    day: date
    runs: int
    refused: int
    budget: int
    cost_sar: Decimal


# Told apart by `kind`, which each has one value of.
DataFact = ImportFact | DocumentFact | BounceFact
DecisionFact = DraftFact | RankingFact | AgentRunFact | UsageFact


class DataFactsRecorded(Message):
    tenant_id: TenantId
    items: Annotated[tuple[DataFact, ...], Field(min_length=1, max_length=MOST_FACTS)]
    at: datetime


class DecisionFactsRecorded(Message):
    tenant_id: TenantId
    items: Annotated[tuple[DecisionFact, ...], Field(min_length=1, max_length=MOST_FACTS)]
    at: datetime
