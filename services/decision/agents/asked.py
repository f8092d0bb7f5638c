"""A question to an agent and what its engine said of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.agents import ModelRun
from libs.contracts.errors import Invalid
from libs.contracts.message import Principal, Reason

NOTHING_KNOWN = Reason(code="nothing_known", en="Nothing is known of this yet.", ar="لا تتوفر معلومات عن هذا بعد.")


class NotAsked(Invalid):
    def __init__(self, name: str) -> None:
        super().__init__("not_asked", f"The question lacks {name}.", f"السؤال ينقصه {name}.")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom, and how it came about (`run` or `flow`)."""

    principal: Principal
    input: Mapping[str, Any]
    via: str
    now: datetime

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    def id(self, name: str, inner: str = "") -> UUID:
        """An id in the input, as itself or inside an object. Raises NotAsked when it is not there."""
        given = self.input.get(name)
        if isinstance(given, dict):
            given = given.get(inner)
        try:
            return UUID(str(given))
        except ValueError as error:
            raise NotAsked(f"{name}.{inner}" if inner else name) from error

    def text(self, name: str) -> str:
        """A text of the input. Raises NotAsked when it is not there."""
        given = self.input.get(name)
        if not isinstance(given, str) or not given.strip():
            raise NotAsked(name)
        return given


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine said: its output, how sure it is (0-1), the facts that escalation rules look at, and what it read.

    `freshness` is the age in hours of the newest thing that it read. `withheld` is why there is no output, and `to` who looks at it.
    """

    output: Mapping[str, Any]
    confidence: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    freshness: float = 0.0
    withheld: Reason | None = None
    to: str = ""
    wording: str = ""
    """The version of the texts, where it names them more precisely than the agent's own version does."""
    engine: str = ""
    """What answered, where it was not the agent's engine of the catalogue alone."""
    model: ModelRun | None = None
    """What asking a model came to, where one was asked: it answered, unless its provider is empty or nothing it said fitted."""
    by_model: bool = False


def withheld(why: Reason, to: str = "sales_manager") -> Said:
    return Said({}, 0.0, withheld=why, to=to)


Engine = Callable[[Question, str], Awaitable[Said]]
"""Answers a question in a version; empty for the usual one."""
