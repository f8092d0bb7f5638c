from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.gateway.fake_site import Site, open_site


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    made = await open_site()
    yield made
    await made.client.aclose()
    await made.planes.hub.stop()
