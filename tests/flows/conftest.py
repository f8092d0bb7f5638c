from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.flows.world import World, world


@pytest_asyncio.fixture(name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made
