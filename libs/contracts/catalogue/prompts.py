"""Prompts as typed data: which agents a model may answer for, with which reviewed text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.agent_versions import ROOT, digest
from libs.contracts.catalogue.agents import agents
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")


class Prompt(Message):
    """One prompt. `texts` is the digest that was approved, as 64 hexadecimal digits."""

    version: Annotated[str, Field(min_length=1, max_length=60)]
    file: str
    texts: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def found(self, root: Path = ROOT) -> str:
        """The digest of the file as it is here. Raises OSError when it is not there."""
        return digest((self.file,), root)

    def unchanged(self, root: Path = ROOT) -> bool:
        """Whether the file is the one that was approved; a file that is missing is a change."""
        try:
            return self.found(root) == self.texts
        except OSError:
            return False


class Prompts(Message):
    version: str
    prompts: dict[str, Prompt]

    @model_validator(mode="after")
    def _of_known_agents(self) -> Prompts:
        if unknown := sorted(set(self.prompts) - set(agents().agents)):
            raise ValueError(f"no such agent: {unknown[0]}")
        return self


@cache
def prompts() -> Prompts:
    """The catalogue as shipped. Raises pydantic.ValidationError when the file does not fit."""
    return Prompts.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
