"""Asking a model, owned by the execution plane: decision holds no key, and every call leaves under a grant of its own."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Principal, Reason, TenantId

Key = Annotated[str, Field(min_length=1, max_length=40)]
ModelId = Annotated[str, Field(min_length=1, max_length=100)]
"""A model as its provider names it."""
Sar = Annotated[Decimal, Field(ge=0, le=Decimal(100_000), decimal_places=4)]


class Turn(Message):
    """What was said before: by us (`user`) or by the model (`assistant`)."""

    role: Literal["user", "assistant"]
    text: Annotated[str, Field(repr=False, max_length=200_000)]


class Complete(Message):
    """A question to a model on behalf of an agent. Which model may see it follows from the agent's model policy, never from here.

    `run_id` is the run that it belongs to: every question of a run goes to the same side of a canary. `json_schema` is the form of the
    answer; `seconds` how long whoever asks can wait.
    """

    tenant_id: TenantId
    run_id: UUID
    agent: Annotated[str, Field(max_length=60)]
    instructions: Annotated[str, Field(repr=False, max_length=50_000)]
    turns: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=8)]
    schema_name: Annotated[str, Field(min_length=1, max_length=60)]
    json_schema: dict[str, Any]
    most_tokens: Annotated[int, Field(ge=1, le=8192)] = 1024
    seconds: Annotated[float, Field(gt=0, le=45)] = 25.0


class Tried(Message):
    """A provider that gave no answer, and why. `action_id` is the action under which it was asked; none where it was not."""

    provider: str
    code: str
    action_id: UUID | None = None


class Completed(Message):
    """The answer of the first provider that gave one, as text that nobody has read yet; or `reason` why there is none.

    Tokens and cost are of every provider that answered, also with nothing of use. `recorded` says that a canary wants to hear whether
    the answer fitted.
    """

    text: Annotated[str, Field(repr=False)] = ""
    provider: str = ""
    model: str = ""
    temperature: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_sar: Decimal = Decimal(0)
    latency_ms: float = 0.0
    tried: tuple[Tried, ...] = ()
    reason: Reason | None = None
    recorded: bool = False


class ModelEntry(Message):
    """A model that a tenant may use, with its price in SAR for a million tokens. `usual`: the one of its provider that is asked."""

    provider: Key
    model: ModelId
    input_sar: Sar
    output_sar: Sar
    usual: bool
    reference: str = ""
    set_by: str = ""
    changed_at: datetime | None = None

    @property
    def version(self) -> str:
        """As a canary names it."""
        return f"{self.provider}:{self.model}"


class SetModel(Message):
    """Record a model and its price. Prices are what people read in a contract; none is guessed, and without one nothing is asked."""

    principal: Principal
    provider: Key
    model: ModelId
    input_sar: Sar
    output_sar: Sar
    usual: bool = True
    reference: Annotated[str, Field(max_length=500)] = ""


class DropModel(Message):
    principal: Principal
    provider: Key
    model: ModelId


class SetModelBudget(Message):
    """The most that a tenant uses of models in a day."""

    principal: Principal
    tokens_a_day: Annotated[int, Field(ge=0, le=1_000_000_000)]
    sar_a_day: Sar


class ModelsRequest(Message):
    principal: Principal


class ModelsReply(Message):
    """The tenant's models, which providers have a key, the day's budget and what of it is used, refusals for want of it included."""

    items: tuple[ModelEntry, ...]
    keyed: tuple[str, ...]
    tokens_a_day: int
    sar_a_day: Decimal
    tokens: int
    sar: Decimal
    calls: int
    refused: int


class ModelUse(Message):
    """What one provider's model did for one agent: counted runs, tokens, SAR and milliseconds.

    `unfit` are runs with an answer that did not fit its form, mended or not; `fallbacks` are runs in which an earlier provider had failed;
    `schema_valid` is the share of runs whose first answer fitted, None without any.
    """

    provider: str
    model: str
    agent: str
    runs: int
    failed: int
    unfit: int
    fallbacks: int
    tokens_in: int
    tokens_out: int
    cost_sar: Decimal
    p50_ms: float
    schema_valid: float | None


class ModelUsesRequest(Message):
    principal: Principal
    days: Annotated[int, Field(ge=1, le=366)] = 30


class ModelUsesReply(Message):
    items: tuple[ModelUse, ...]
