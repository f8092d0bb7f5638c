"""Work that several ask for at once."""

from __future__ import annotations

import asyncio

import pytest

from services.decision.targeting.turns import Turns

pytestmark = pytest.mark.asyncio


async def test_all_who_ask_while_one_is_under_way_share_the_next() -> None:
    turns: Turns[str, int] = Turns()
    begun, gate = [0], asyncio.Event()

    async def work() -> int:
        begun[0] += 1
        number = begun[0]
        await gate.wait()
        return number

    first = asyncio.create_task(turns.take("a", work))
    await asyncio.sleep(0)
    others = [asyncio.create_task(turns.take("a", work)) for _ in range(5)]
    elsewhere = asyncio.create_task(turns.take("b", work))
    await asyncio.sleep(0)
    gate.set()
    assert await first == 1
    assert await elsewhere == 2
    assert await asyncio.gather(*others) == [3] * 5  # what began before they asked may not have seen what they saw
    assert await turns.take("a", work) == 4


async def test_who_waits_tries_again_where_another_failed() -> None:
    turns: Turns[str, str] = Turns()

    async def fails() -> str:
        await asyncio.sleep(0)
        raise ValueError

    async def works() -> str:
        return "done"

    failing = asyncio.create_task(turns.take("a", fails))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(turns.take("a", works))
    with pytest.raises(ValueError):
        await failing
    assert await waiting == "done"
