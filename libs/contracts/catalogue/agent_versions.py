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
ROOT = Path(__file__).parents[3]
"""Below this stand `libs` and, in the plane that runs the agents, `services/decision`."""


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


class VersionsOf(Message):
    usual: str
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

    @model_validator(mode="after")
    def _of_known_agents(self) -> AgentVersions:
        known = agents().agents
        for name in self.agents:
            if name not in known or known[name].engine == "none":
                raise ValueError(f"{name} is no agent that has an engine")
        return self

    def beside(self, agent: str) -> tuple[str, ...]:
        """The versions of an agent that a canary may name; none for one that is not here."""
        return self.agents[agent].beside if agent in self.agents else ()


def digest(files: Sequence[str], root: Path = ROOT) -> str:
    """SHA-256 over the names and the contents of files, in this order. Raises OSError when one is not there."""
    total = hashlib.sha256()
    for name in files:
        total.update(name.encode() + b"\0" + hashlib.sha256((root / name).read_bytes()).digest())
    return total.hexdigest()


def load(text: str) -> AgentVersions:
    """The catalogue from its text. Raises pydantic.ValidationError when it does not fit."""
    document = yaml.safe_load(text)
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
    return load(FILE.read_text(encoding="utf-8"))
