"""The versions of agents as typed data: which one answers, which may be tried beside it, and what each is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.agents import agents
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
EVALUATIONS = FILE.with_name("agent_evaluations.yaml")
"""Written by `dealix eval agents --record`: what each version's evaluation measured."""
ROOT = Path(__file__).parents[3]
"""Below this stand `libs` and, in the plane that runs the agents, `services/decision`."""


Share = Annotated[float, Field(ge=0, le=1)]


class AgentVersion(Message):
    """One version. `texts` is the digest that was approved, as 64 hexadecimal digits."""

    files: Annotated[tuple[str, ...], Field(min_length=1)]
    texts: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def found(self, root: Path = ROOT) -> str:
        """The digest of the files as they are here. Raises OSError when one is not there."""
        return digest(self.files, root)

    def unchanged(self, root: Path = ROOT) -> bool:
        """Whether the files are those that were approved; a file that is missing is a change."""
        try:
            return self.found(root) == self.texts
        except OSError:
            return False


class Evaluated(Message):
    """What an evaluation measured of one version: shares of its cases, milliseconds a case, SAR a case. `texts` is what was evaluated."""

    texts: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    cases: Annotated[int, Field(ge=1)]
    adherence: Share
    accuracy: Share
    cost_sar: Annotated[float, Field(ge=0)]
    p50_ms: Annotated[float, Field(ge=0)]
    p95_ms: Annotated[float, Field(ge=0)]


class VersionsOf(Message):
    """`goal` is the accuracy below which a version may not answer; every output has to fit its schema."""

    usual: str
    goal: Share = 0.9
    versions: dict[str, AgentVersion]

    @model_validator(mode="after")
    def _has_usual(self) -> VersionsOf:
        if self.usual not in self.versions:
            raise ValueError(f"the usual version is not among the versions: {self.usual}")
        return self

    @property
    def beside(self) -> tuple[str, ...]:
        """The versions that a canary may name."""
        return tuple(sorted(set(self.versions) - {self.usual}))


class AgentVersions(Message):
    version: str
    agents: dict[str, VersionsOf]
    evaluations: dict[str, dict[str, Evaluated]] = {}

    @model_validator(mode="after")
    def _of_known_agents(self) -> AgentVersions:
        known = agents().agents
        for name in self.agents:
            if name not in known or known[name].engine == "none":
                raise ValueError(f"{name} is no agent that has an engine")
        return self

    def ready(self, agent: str, version: str) -> bool:
        """Whether a version passed its evaluation, and the evaluation was of the texts that it has now."""
        of = self.agents.get(agent)
        measured = self.evaluations.get(agent, {}).get(version)
        if of is None or measured is None or version not in of.versions:
            return False
        return (
            measured.texts == of.versions[version].texts and measured.adherence >= 1.0 and measured.accuracy >= of.goal
        )

    def beside(self, agent: str) -> tuple[str, ...]:
        """The versions of an agent that a canary may name: beside the usual one, and evaluated. None for an agent that is not here."""
        if agent not in self.agents:
            return ()
        return tuple(one for one in self.agents[agent].beside if self.ready(agent, one))


def digest(files: Sequence[str], root: Path = ROOT) -> str:
    """SHA-256 over the names and the contents of files, in this order. Raises OSError when one is not there."""
    total = hashlib.sha256()
    for name in files:
        total.update(name.encode() + b"\0" + hashlib.sha256((root / name).read_bytes()).digest())
    return total.hexdigest()


def load(text: str, evaluations: str = "") -> AgentVersions:
    """The catalogue from its text and that of the evaluations. Raises pydantic.ValidationError when they do not fit."""
    document = yaml.safe_load(text)
    document["evaluations"] = yaml.safe_load(evaluations) or {} if evaluations else {}
    for entry in document["agents"].values():
        for version in entry["versions"].values():
            version["files"] = _flat(version["files"])
    return AgentVersions.model_validate(document)


def _flat(files: list[Any]) -> list[str]:
    """A version's files are often those of another one and some more: lists inside the list."""
    return [name for part in files for name in (part if isinstance(part, list) else [part])]


@cache
def agent_versions() -> AgentVersions:
    """The catalogue as shipped."""
    return load(FILE.read_text(encoding="utf-8"), EVALUATIONS.read_text(encoding="utf-8"))
