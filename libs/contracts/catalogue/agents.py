"""The agents as typed data: purpose, schemas, skill, model policy, confidence bands, and when each hands over to a person."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Reason, Text
from libs.contracts.trust import ActionClass

FILE = Path(__file__).with_suffix(".yaml")

SKILLS = frozenset(
    {
        "execution_governor",
        "targeting_analyst",
        "safe_action_reviewer",
        "saudi_copywriter",
        "proof_pack_builder",
        "partner_strategist",
        "negotiation_coach",
        "customer_success_operator",
        "repo_auditor",
        "self_growth_operator",
        "service_tower_designer",
        "ux_card_designer",
        "data_governance_reviewer",
        "launch_operator",
    }
)
"""The skills that agents may act with."""

Operator = Literal["lt", "lte", "gt", "gte", "between", "equals", "in", "missing", "holds", "any_of"]


class Band(StrEnum):
    """What may be done at a confidence: act, flag it, have a person review, or refuse."""

    ACT = "act"
    FLAG = "flag"
    REVIEW = "review"
    REFUSE = "refuse"


class Bands(Message):
    """Lower bounds of the bands; what is below `review` is refused."""

    act: Annotated[float, Field(gt=0, le=1)]
    flag: Annotated[float, Field(gt=0, le=1)]
    review: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        if not self.review < self.flag < self.act:
            raise ValueError("bands must rise: review < flag < act")
        return self

    def band(self, confidence: float, action_class: ActionClass) -> Band:
        """The band of a confidence. Only class A may be acted on; a number that is none is refused."""
        if confidence >= self.act:
            return Band.ACT if action_class is ActionClass.A else Band.FLAG
        if confidence >= self.flag:
            return Band.FLAG
        return Band.REVIEW if confidence >= self.review else Band.REFUSE


class ModelPolicy(Message):
    """Which models may see an agent's input: the highest data class, and whether it may leave the country."""

    data: Literal["public", "internal", "confidential", "restricted"]
    cross_border: bool
    temperature: Annotated[float, Field(ge=0, le=1)]


class EscalationRule(Message):
    """Hands over when `fact` compares with `value` as `is` says."""

    fact: str
    operator: Operator = Field(alias="is")
    value: Any = None
    to: str
    code: str
    en: str
    ar: str

    @model_validator(mode="after")
    def _has_a_value(self) -> EscalationRule:
        if self.operator in ("missing", "holds"):
            if self.value is not None:
                raise ValueError(f"{self.code}: `{self.operator}` takes no value")
        elif self.operator == "between":
            if not isinstance(self.value, list) or len(self.value) != 2:
                raise ValueError(f"{self.code}: `between` takes two bounds")
        elif self.operator in ("in", "any_of"):
            if not isinstance(self.value, list) or not self.value:
                raise ValueError(f"{self.code}: `{self.operator}` takes a list")
        elif self.value is None:
            raise ValueError(f"{self.code}: `{self.operator}` takes a value")
        return self

    def applies(self, facts: Mapping[str, Any]) -> bool:
        """Whether the rule hands over, given the facts. A fact that is absent only ever makes `missing` true."""
        fact = facts.get(self.fact)
        if self.operator == "missing":
            return fact is None or fact in ("", (), [])
        return fact is not None and _compare(self.operator, fact, self.value)


def _compare(operator: Operator, fact: Any, value: Any) -> bool:
    match operator:
        case "holds":
            return fact is True
        case "equals":
            return bool(fact == value)
        case "in":
            return fact in value
        case "any_of":
            return bool(set(fact) & set(value))
        case "between":
            return bool(value[0] <= fact <= value[1])
        case "lt":
            return bool(fact < value)
        case "lte":
            return bool(fact <= value)
        case "gt":
            return bool(fact > value)
        case _:
            return bool(fact >= value)


class Agent(Message):
    """One agent. `engine` answers without a model; `none` means that without a model it hands over to a person."""

    id: str
    governance: bool = False
    purpose: Text
    input: Annotated[tuple[str, ...], Field(min_length=1)]
    output: Annotated[tuple[str, ...], Field(min_length=1)]
    skill: str
    model_policy: str
    engine: Literal["template", "rules", "none"]
    prompt_version: str = "1"
    escalate: Annotated[tuple[EscalationRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _skilled(self) -> Agent:
        if self.skill not in SKILLS:
            raise ValueError(f"{self.id}: no such skill: {self.skill}")
        return self

    def escalation(self, facts: Mapping[str, Any]) -> EscalationRule | None:
        """The first rule that hands over, or None."""
        return next((rule for rule in self.escalate if rule.applies(facts)), None)


class Agents(Message):
    version: str
    bands: Bands
    model_policies: dict[str, ModelPolicy]
    agents: dict[str, Agent]

    @model_validator(mode="after")
    def _consistent(self) -> Agents:
        for agent in self.agents.values():
            if agent.model_policy not in self.model_policies:
                raise ValueError(f"{agent.id}: no such model policy: {agent.model_policy}")
        return self


def reason(rule: EscalationRule) -> Reason:
    """Why an agent handed over, as people read it."""
    return Reason(code=rule.code, en=rule.en, ar=rule.ar)


@cache
def agents() -> Agents:
    """The catalogue of agents. Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    entries = {name: {"id": name, **entry} for name, entry in document.pop("agents").items()}
    return Agents.model_validate({**document, "agents": entries})
