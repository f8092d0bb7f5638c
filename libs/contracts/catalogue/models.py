"""Model providers as typed data, and which of them a model policy lets an agent's input go to."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import model_validator

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


class Models(Message):
    version: str
    home: str
    providers: dict[str, Provider]

    @model_validator(mode="after")
    def _answers(self) -> Models:
        local = self.providers.get(LOCAL)
        if local is None or local.setting or local.data != DATA[-1] or local.country != self.home:
            raise ValueError("the local provider has to be there, and able to see everything")
        return self

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
