"""The same long work asked for several times at once is done as often as somebody would notice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


@dataclass
class _Turn(Generic[R]):
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    covered: int = 0
    waiting: int = 0
    replies: list[R] = field(default_factory=list)


class Turns(Generic[K, R]):
    """One piece of work a key at a time; all who ask while one is under way share the next, which sees what they saw."""

    def __init__(self) -> None:
        self._turns: dict[K, _Turn[R]] = {}

    async def take(self, key: K, work: Callable[[], Awaitable[R]]) -> R:
        """What `work` answers when begun after this call. Raises what it raised; the next who waits then tries again."""
        turn = self._turns.setdefault(key, _Turn())
        turn.asked += 1
        turn.waiting += 1
        mine = turn.asked
        try:
            async with turn.lock:
                if not turn.replies or turn.covered < mine:
                    turn.covered, turn.replies = turn.asked, []
                    turn.replies = [await work()]
                return turn.replies[0]
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(key, None)
