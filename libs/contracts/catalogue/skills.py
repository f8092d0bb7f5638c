"""The skills as typed data: what an agent that acts with one may be about and may ask for.

Each is admitted by a hash over its entry, the entries of the agents that act with it, and the texts and rules that those are made of.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from libs.contracts.canonical import canonical
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.agent_versions import AgentVersions, agent_versions
from libs.contracts.catalogue.agents import Agents, agents
from libs.contracts.catalogue.prompts import prompts
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")
ADMIT_FROM = 0.7
WEIGHTS = {"relevance": 0.30, "safety": 0.20, "maintenance": 0.15, "roi": 0.15, "overlap": 0.10, "determinism": 0.10}

Share = Annotated[float, Field(ge=0, le=1)]


class Admission(Message):
    """What a skill was judged by; the higher, the better: `overlap` is high where no other skill does the same."""

    relevance: Share
    safety: Share
    maintenance: Share
    roi: Share
    overlap: Share
    determinism: Share

    @property
    def score(self) -> float:
        """The weighted mean, 0 to 1."""
        total: float = sum(weight * float(getattr(self, name)) for name, weight in WEIGHTS.items())
        return round(total, 4)


class Skill(Message):
    """One skill. `allowed_effects` include those that every skill has; `hash` is of everything as it is, `admitted` as it was judged."""

    skill_id: str
    version: str
    owner: Literal["agent", "operator", "human"]
    purpose: Text
    allowed_resources: Annotated[tuple[str, ...], Field(min_length=1)]
    forbidden_resources: tuple[str, ...]
    allowed_effects: tuple[str, ...]
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    acceptance_criteria: Annotated[tuple[str, ...], Field(min_length=1)]
    verification_method: str
    risk_level: Literal["low", "medium", "high"]
    required_final_report: bool
    examples: tuple[str, ...] = ()
    admission: Admission
    admitted: str
    hash: str

    @model_validator(mode="after")
    def _sound(self) -> Skill:
        if unknown := set(self.allowed_effects) - set(effects()):
            raise ValueError(f"{self.skill_id}: no such effects: {', '.join(sorted(unknown))}")
        if both := set(self.allowed_resources) & set(self.forbidden_resources):
            raise ValueError(f"{self.skill_id}: both allowed and forbidden: {', '.join(sorted(both))}")
        return self

    @property
    def changed(self) -> bool:
        """Whether the entry is no longer what was admitted, or never was good enough to be."""
        return self.hash != self.admitted or self.admission.score < ADMIT_FROM

    def allows(self, effect: str, resource: str) -> bool:
        """Whether an agent with this skill may ask for an effect on a type of resource."""
        return (
            effect in self.allowed_effects
            and resource in self.allowed_resources
            and resource not in self.forbidden_resources
        )


class Skills(Message):
    version: str
    skills: dict[str, Skill]


def load(text: str, acting: Agents | None = None, versions: AgentVersions | None = None) -> Skills:
    """The catalogue from its text, and from the agents that act. Raises pydantic.ValidationError when it does not fit."""
    document = yaml.safe_load(text)
    common = document.pop("common_effects")
    known, made_of = acting or agents(), versions or agent_versions()
    entries = {
        name: _entry(name, entry, common, _acting(name, known, made_of))
        for name, entry in document.pop("skills").items()
    }
    return Skills.model_validate({**document, "skills": entries})


def _acting(skill: str, known: Agents, made_of: AgentVersions) -> dict[str, Any]:
    """The agents of a skill by the digest of their entry, with the digests of the texts of each of their versions."""
    return {
        one.id: {
            "entry": hashlib.sha256(json.dumps(one.model_dump(mode="json"), sort_keys=True).encode()).hexdigest(),
            "texts": {name: v.texts for name, v in made_of.agents[one.id].versions.items()} if one.id in made_of.agents else {},
            **({"prompt": prompts().prompts[one.id].texts} if one.id in prompts().prompts else {}),
        }
        for one in known.agents.values()
        if one.skill == skill
    }  # fmt: skip


def _entry(name: str, entry: dict[str, Any], common: list[str], acting: dict[str, Any]) -> dict[str, Any]:
    entry = {**entry, "allowed_effects": [*common, *entry["allowed_effects"]]}
    judged = {
        key: value if key != "admission" else {n: str(v) for n, v in value.items()}
        for key, value in entry.items()
        if key != "admitted"
    }
    judged |= {"skill_id": name, "agents": acting}
    return {**entry, "skill_id": name, "hash": hashlib.sha256(canonical(judged)).hexdigest()}


@cache
def skills() -> Skills:
    """The catalogue as shipped."""
    return load(FILE.read_text(encoding="utf-8"))
