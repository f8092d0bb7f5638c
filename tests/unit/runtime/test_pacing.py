"""Background work rests as long as it worked, several times over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.runtime import pacing


async def test_each_item_comes_once_and_work_is_followed_by_rest(monkeypatch: Any) -> None:
    clock, rested = [0.0], []

    async def rest(seconds: float) -> None:
        rested.append(round(seconds, 6))

    monkeypatch.setattr(pacing.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pacing.time, "process_time", lambda: 0.0)
    monkeypatch.setattr(pacing.asyncio, "sleep", rest)
    seen = []
    async for item in pacing.paced([1, 2, 3], share=0.2):
        seen.append(item)
        clock[0] += item
    assert seen == [1, 2, 3]
    assert rested == [4.0, 8.0], "none after the last"


@pytest.mark.parametrize(("core", "rests"), [(0.1, 1), (0.4, 1), (0.9, pacing.RESTS)])
async def test_a_busy_process_rests_longer_and_goes_on_all_the_same(monkeypatch: Any, core: float, rests: int) -> None:
    clock, rested = [0.0], []

    async def rest(seconds: float) -> None:
        rested.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(pacing.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pacing.time, "process_time", lambda: clock[0] * core)
    monkeypatch.setattr(pacing.asyncio, "sleep", rest)
    seen = []
    async for item in pacing.paced([1, 2]):
        seen.append(item)
        clock[0] += item
    assert seen == [1, 2]
    assert len(rested) == rests


async def test_nothing_is_nothing() -> None:
    async with asyncio.timeout(1):
        assert [item async for item in pacing.paced([])] == []
