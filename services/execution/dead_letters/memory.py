"""Dead letters in memory, for tests: tables of one unit of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.dead_letters import DeadLetter, LetterState
from libs.contracts.message import new_id
from services.execution.dead_letters.domain import OLD, Arrival

Key = tuple[UUID, UUID]
Reopen = Callable[[UUID, UUID, str, str, dict[str, str]], bool]


class MemoryLetters:
    """`attempts` holds the attempt at which each letter arrived."""

    def __init__(
        self,
        letters: dict[Key, DeadLetter],
        attempts: dict[Key, int],
        clocks: dict[Key, datetime],
        tried: Callable[[UUID, UUID], int],
        reopen: Reopen,
        now: datetime,
    ) -> None:
        self._letters = letters
        self._attempts = attempts
        self._clocks = clocks
        self._tried = tried
        self._reopen = reopen
        self._now = now

    async def arrive(self, arrivals: Sequence[Arrival]) -> list[DeadLetter]:
        made = []
        for one in arrivals:
            job = one.job
            own = (each for each in self._letters.values() if (each.tenant_id, each.action_id) == job.key)
            if any(each.state is LetterState.OPEN for each in own):
                continue
            letter = DeadLetter(
                dead_letter_id=new_id(),
                tenant_id=job.tenant_id,
                action_id=job.action_id,
                action_type=job.action_type,
                connector=one.connector,
                cause=one.cause,
                error=one.error,
                attempts=self._tried(*job.key),
                trace_id=job.trace_id,
                arrived_at=self._now,
            )
            key = (job.tenant_id, letter.dead_letter_id)
            self._letters[key], self._attempts[key], self._clocks[key] = letter, job.attempt, self._now + OLD
            made.append(letter)
        return made

    async def get(self, tenant_id: UUID, letter_id: UUID, *, lock: bool = False) -> DeadLetter | None:
        del lock  # one unit of work at a time
        return self._letters.get((tenant_id, letter_id))

    async def page(
        self, tenant_id: UUID, state: LetterState | None, before: UUID | None, limit: int
    ) -> list[DeadLetter]:
        found = [
            letter
            for (tenant, letter_id), letter in self._letters.items()
            if tenant == tenant_id and state in (None, letter.state) and (before is None or letter_id < before)
        ]
        return sorted(found, key=lambda letter: letter.dead_letter_id, reverse=True)[:limit]

    async def end(
        self, letter: DeadLetter, state: LetterState, by: str, note: str = "", new_action_id: UUID | None = None
    ) -> DeadLetter:
        key, ends = (letter.tenant_id, letter.dead_letter_id), state is not LetterState.OPEN
        changed: DeadLetter = self._letters[key].evolve(
            state=state,
            ended_at=self._now if ends else None,
            ended_by=by if ends else None,
            note=note,
            new_action_id=new_action_id or letter.new_action_id,
        )
        self._letters[key] = changed
        if ends:
            self._clocks.pop(key, None)
        return changed

    async def still_open(self, tenant_id: UUID, connector: str, code: str) -> int:
        return sum(
            (tenant, one.connector, one.error.code, one.state) == (tenant_id, connector, code, LetterState.OPEN)
            for (tenant, _), one in self._letters.items()
        )

    async def reopen(
        self, tenant_id: UUID, action_id: UUID, detail: str, trace_id: str, headers: dict[str, str]
    ) -> bool:
        return self._reopen(tenant_id, action_id, detail, trace_id, headers)
