"""A plane ends when it is told to."""

from __future__ import annotations

import asyncio

import pytest

from libs.runtime.plane import ended

pytestmark = pytest.mark.asyncio


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await ended([task])
    assert task.cancelled()


async def test_nothing_to_end_is_ended_at_once() -> None:
    async with asyncio.timeout(10):
        await ended([])
