"""Background work rests as long as it worked, several times over."""

from __future__ import annotations

import asyncio
from typing import Any

from libs.runtime import pacing


async def test_each_item_comes_once_and_work_is_followed_by_rest(monkeypatch: Any) -> None:
    clock, rested = [0.0], []

    async def rest(seconds: float) -> None:
        rested.append(round(seconds, 6))

    monkeypatch.setattr(pacing.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pacing.asyncio, "sleep", rest)
    seen = []
    async for item in pacing.paced([1, 2, 3], share=0.2):
        seen.append(item)
        clock[0] += item
    assert seen == [1, 2, 3]
    assert rested == [4.0, 8.0], "none after the last"


async def test_nothing_is_nothing() -> None:
    async with asyncio.timeout(1):
        assert [item async for item in pacing.paced([])] == []
