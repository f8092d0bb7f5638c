"""Messages about running agents, owned by the decision plane."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Provenance, Reason, TenantId


class RunAgent(Message):
    """Has an agent answer. `input` holds what the catalogue names as its input."""

    principal: Principal
    agent_id: Annotated[str, Field(max_length=60)]
    input: dict[str, Any]


class AgentRun(Message):
    """What an agent recommends: it commits nothing. `escalation` is set where it hands over, to the role in `to`.

    `output` fits the agent's schema, or is empty where there is no answer. `screening` are the kinds of finding that the security gate
    saw in the input: it is data all the same.
    """

    agent_id: str
    engine: str
    output: dict[str, Any]
    escalation: Reason | None = None
    to: str = ""
    screening: tuple[str, ...] = ()
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    provenance: Provenance | None = None
    conversation_id: UUID | None = None


class AgentVerdict(StrEnum):
    """`handed_over`: a suggestion for a person. `withheld`: the agent made nothing. `failed`: what it made did not fit its schema."""

    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    WITHHELD = "withheld"
    FAILED = "failed"


class ModelRun(Message):
    """What asking models came to in one run. `unfit` counts answers that did not fit the form, `fallbacks` providers that gave none.

    `provider` and `model` are empty where nobody answered.
    """

    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    temperature: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_sar: Decimal = Decimal(0)
    unfit: int = 0
    fallbacks: int = 0


class Conversation(Message):
    """One run of an agent, without what was asked or answered: the digest of the input is salted, so that it names nobody.

    `engine` is what answered: `template`, `rules`, `embeddings` (rules and the local model's vectors) or `model`, of which `asked_model` says more, also where it gave no answer.
    `via` says how it came about: `run` (asked for), `flow`, `draft` (the day's plan, a card), `desk` (negotiation).
    """

    conversation_id: UUID
    tenant_id: TenantId
    at: datetime
    asked_by: str
    via: str
    agent: str
    version: str
    engine: str
    input_digest: str
    output_schema: str
    verdict: AgentVerdict
    code: str = ""
    to: str = ""
    confidence: float
    cost_sar: Decimal
    latency_ms: float
    trace_id: str = ""
    asked_model: ModelRun | None = None


class ConversationsRequest(Message):
    principal: Principal
    agent: Annotated[str, Field(max_length=60)] | None = None
    verdict: AgentVerdict | None = None
    page: Page = Page()


class ConversationsReply(Message):
    items: tuple[Conversation, ...]
    next_cursor: str | None = None
