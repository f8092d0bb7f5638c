"""What is written after a first message, as typed data: the follow-up of a deal and the answer to each objection."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from libs.contracts.decision import FIRST
from services.decision.agents.outreach.texts import Language, Tone, Variants
from services.decision.negotiation.domain.classify import playbook

FOLLOWUP = "followup"
OBJECTION = "objection"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Entry):
    say: Variants
    ask: Variants


class Purpose(_Entry):
    """The texts of one purpose: subjects of e-mails, and what is said and asked in each tone."""

    subject: Variants
    formal: Said
    warm: Said

    def said(self, tone: Tone) -> Said:
        return self.formal if tone == "formal" else self.warm


class Purposes(_Entry):
    version: str
    followup: Purpose
    objections: dict[str, Purpose]

    @model_validator(mode="after")
    def _complete(self) -> Purposes:
        if set(self.objections) != set(playbook().objections):
            raise ValueError("there must be an answer to exactly the objections of the playbook")
        return self

    def of(self, purpose: str) -> Purpose | None:
        """The texts of `followup:…` or `objection:CLASS:…`; None for a first message. Raises KeyError for any other."""
        kind, _, rest = purpose.partition(":")
        if kind == FIRST:
            return None
        if kind == FOLLOWUP:
            return self.followup
        if kind == OBJECTION:
            return self.objections[rest.partition(":")[0]]
        raise KeyError(purpose)


@cache
def purposes(language: Language) -> Purposes:
    """The texts of a language. Raises pydantic.ValidationError when the file does not fit."""
    file = Path(__file__).with_name(f"purposes_{language}.yaml")
    return Purposes.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
