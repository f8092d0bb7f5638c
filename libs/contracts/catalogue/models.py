"""Model providers as typed data, and which of them a model policy lets an agent's input go to."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.agents import ModelPolicy
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
DATA = ("public", "internal", "confidential", "restricted")
"""Classes of data, the most open first."""
LOCAL = "local"


class Provider(Message):
    """Where a model answers, and the highest class of data that it may see."""

    key: str
    en: str
    ar: str
    data: Literal["public", "internal", "confidential", "restricted"]
    country: str
    setting: str
    order: int
    shape: Literal["openai", "anthropic", "local"] = "openai"
    structured: Literal["json_schema", "json_object", "tool"] = "json_schema"
    base_url: Annotated[str, Field(pattern=r"^(https://[a-z0-9./-]+[a-z0-9])?$")] = ""

    @property
    def effect(self) -> str:
        """The registered effect of asking it."""
        return f"model_{self.key}"


class DayBudget(Message):
    """The most that a tenant uses of models in a day; at either limit nothing more is asked."""

    tokens_a_day: Annotated[int, Field(ge=0)]
    sar_a_day: Annotated[Decimal, Field(ge=0)]


class Models(Message):
    version: str
    home: str
    providers: dict[str, Provider]
    tasks: dict[str, tuple[str, ...]] = {}
    budget: DayBudget

    @model_validator(mode="after")
    def _answers(self) -> Models:
        local = self.providers.get(LOCAL)
        if local is None or local.setting or local.data != DATA[-1] or local.country != self.home:
            raise ValueError("the local provider has to be there, and able to see everything")
        if unknown := {one for order in self.tasks.values() for one in order} - set(self.providers):
            raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
        return self

    def abroad(self, provider: str) -> bool:
        """Whether what a provider is told leaves the country; one that is not known is abroad."""
        known = self.providers.get(provider)
        return known is None or known.country != self.home

    def asked(self, task: str, policy: ModelPolicy) -> tuple[Provider, ...]:
        """The providers beside the local one that a task may ask, in order. Empty where nobody may see its input."""
        fit = tuple(one for one in self.route(policy) if one.key != LOCAL)
        if (order := self.tasks.get(task)) is None:
            return fit
        return tuple(sorted((one for one in fit if one.key in order), key=lambda one: order.index(one.key)))

    def why_not(self, provider: Provider, policy: ModelPolicy) -> str | None:
        """Why an input under a policy may not go to a provider: `data_class` or `cross_border`; None when it may."""
        if DATA.index(policy.data) > DATA.index(provider.data):
            return "data_class"
        return "cross_border" if provider.country != self.home and not policy.cross_border else None

    def route(self, policy: ModelPolicy) -> tuple[Provider, ...]:
        """The providers that may see an input under a policy, in the order in which they are asked. Never empty."""
        fit = [one for one in self.providers.values() if self.why_not(one, policy) is None]
        return tuple(sorted(fit, key=lambda one: one.order))


@cache
def models() -> Models:
    """The catalogue. Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    providers = {key: {"key": key, **entry} for key, entry in document.pop("providers").items()}
    return Models.model_validate({**document, "providers": providers})
