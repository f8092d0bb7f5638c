"""Questions that are open in this process, by the action under which each is asked.

The action names a question by its digest alone: who may read actions may not read what agents are asked. A question lives as long as
whoever waits for it, so that an action which another process took up finds none and asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from services.execution.gate import Admitted
from services.execution.models.domain.forms import Answer


@dataclass(slots=True)
class Question:
    """One question to one provider. `until` is on the loop's clock; `answer` comes from the connector."""

    tenant_id: UUID
    provider: str
    body: bytes = field(repr=False)
    until: float
    answer: Answer | None = None
    unreadable: str = ""


class Calls:
    def __init__(self) -> None:
        self._open: dict[UUID, Question] = {}

    def open(self, action_id: UUID, question: Question) -> None:
        self._open[action_id] = question

    def close(self, action_id: UUID) -> None:
        self._open.pop(action_id, None)

    def lease(self, admitted: Admitted) -> Question | None:
        """The question of exactly the tenant, action and provider that were admitted."""
        found = self._open.get(admitted.claims.action_id)
        fits = found is not None and (found.tenant_id, found.provider) == (
            admitted.tenant_id,
            admitted.claims.connector,
        )
        return found if fits else None
