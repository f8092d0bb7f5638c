"""Which items are at fault themselves, told apart from a plane that fails on everything. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from libs.contracts.dead_letters import LetterCause
from libs.contracts.errors import DealixError
from libs.contracts.message import Reason
from services.execution.domain.actions import Job

MOST_FAILURES = 5
"""How often an item may fail alone, while others go through, before it is put aside."""
OLD = timedelta(hours=24)
"""An open letter is told about again after this long, and then each time it has passed once more."""

Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An action about to become a dead letter."""

    job: Job
    connector: str
    cause: LetterCause
    error: Reason


def reason_of(error: Exception) -> Reason:
    """An error in both languages. What an unexpected one says may quote a row: it gives its kind alone."""
    if isinstance(error, DealixError):
        return Reason(code=error.code, en=error.en, ar=error.ar or error.en)
    return Reason(
        code="internal_error",
        en=f"Working on it failed with {type(error).__name__}.",
        ar=f"تعذّر التنفيذ بسبب خطأ داخلي ({type(error).__name__}).",
    )


class Suspects:
    """Counts how often single items failed while the work around them went well.

    Kept by the process: a restart only begins the count again. Silence counts for nothing: it says nothing about the item.
    """

    def __init__(self, most: int = MOST_FAILURES) -> None:
        self._most = most
        self._went_well = 0
        self._failures: dict[Key, tuple[int, int]] = {}

    def well(self, *keys: Key) -> None:
        """These went through."""
        self._went_well += len(keys)
        for key in keys:
            self._failures.pop(key, None)

    def alone(self, key: Key) -> bool:
        """Whether nothing else fails."""
        return not self._failures.keys() - {key}

    def others_did_well(self, key: Key) -> bool:
        """Whether something went through since this item failed last."""
        return key in self._failures and self._failures[key][1] < self._went_well

    def failed(self, key: Key, *, at_fault: bool) -> bool:
        """The item failed alone. `at_fault` says whether the work around it is known to go on. Returns whether that is enough."""
        count = self._failures.get(key, (0, 0))[0] + at_fault
        self._failures[key] = (count, self._went_well)
        if count < self._most:
            return False
        del self._failures[key]
        return True
