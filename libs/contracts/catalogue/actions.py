"""The catalogue of effects: what each action type does, its class and its classifications."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from libs.contracts.message import Message
from libs.contracts.trust import ActionClass

FILE = Path(__file__).with_suffix(".yaml")


class Effect(Message):
    """What carrying out an action does. Levels as in the catalogue: the higher, the more dangerous."""

    name: str
    action_class: ActionClass = Field(alias="class")
    approvals: Literal["A0", "A1", "A2", "A3"]
    reversibility: Literal["R0", "R1", "R2", "R3"]
    sensitivity: Literal["S0", "S1", "S2", "S3"]
    severity: Literal["V0", "V1", "V2", "V3"]
    connector: str
    operation: str
    channel: str | None = None
    purpose: str | None = None
    draft: bool = False
    blocked: bool = False
    export: bool = False
    system: bool = False
    en: str
    ar: str

    @property
    def approvers(self) -> int:
        """How many people must approve (A0-A3: 0, 1, 2, 2)."""
        return {"A0": 0, "A1": 1, "A2": 2, "A3": 2}[self.approvals]

    @property
    def external(self) -> bool:
        """Whether something leaves this system."""
        return self.connector not in ("internal", "none", "manual")

    @property
    def risk(self) -> str:
        """`low`, `medium` or `high`, from severity and reversibility."""
        if self.severity == "V3" or self.approvals in ("A2", "A3"):
            return "high"
        return "medium" if self.severity == "V2" or self.reversibility == "R3" else "low"


@cache
def effects() -> dict[str, Effect]:
    """All effects by name.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        name: Effect.model_validate({"name": name, **document["defaults"], **fields})
        for name, fields in document["effects"].items()
    }


@cache
def _forbidden() -> tuple[str, ...]:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = [name for name, effect in effects().items() if effect.action_class is ActionClass.C]
    return tuple(_squeeze(name) for name in (*names, *document["forbidden_aliases"]))


def normalise(name: str) -> str:
    """An action name as compared: NFKC, case folded, separators to single underscores."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    out = "".join(c if c.isalnum() else "_" for c in folded)
    return "_".join(part for part in out.split("_") if part)


def _squeeze(name: str) -> str:
    return normalise(name).replace("_", "")


@lru_cache(maxsize=4096)  # names come from outside: what is remembered of them has an end
def near_forbidden(name: str) -> bool:
    """Whether a name is, or is within edit distance 2 of, a forbidden effect. Known harmless names never are."""
    normal = normalise(name)
    known = effects().get(normal)
    if known is not None:
        return known.action_class is ActionClass.C
    squeezed = normal.replace("_", "")
    return any(_within(squeezed, forbidden, 2) for forbidden in _forbidden())


def _within(a: str, b: str, limit: int) -> bool:
    """Whether the Levenshtein distance of two short names is at most `limit`."""
    if abs(len(a) - len(b)) > limit:
        return False
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1] <= limit
