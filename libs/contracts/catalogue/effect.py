"""One effect: what carrying out an action does, as the catalogue and plugins declare it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from libs.contracts.message import Message
from libs.contracts.trust import ActionClass


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
    own_people: bool = False
    """It writes to the tenant's own people alone, at numbers that they verified, in the hours that they set."""
    model: bool = False
    """It asks a model: what of a question may leave, and where to, is trust's to say."""
    followed_up: bool = False
    """Whoever asks for it tries again what fails, and says so: it makes no dead letter."""
    capability: Literal["submit", "propose"] = "submit"
    """Who may ask for it, in the words of `roles.yaml`."""
    compensation: str | None = None
    """The effect that undoes this one; None where nothing does."""
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
