"""The gateway's in-memory store keeps every promise of the one on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.contracts.message import Plane
from libs.runtime.testing import FakeClock, MemoryHub
from services.gateway.memory import MemoryStore
from tests.unit.gateway.store_promises import Later, StorePromises


class TestMemoryStore(StorePromises):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(datetime.now(UTC))

    @pytest.fixture
    def store(self, clock: FakeClock) -> MemoryStore:
        return MemoryStore(MemoryHub().bus(Plane.GATEWAY).database, clock)

    @pytest.fixture
    def later(self, clock: FakeClock) -> Later:
        async def pass_by(time: timedelta) -> None:
            clock.advance(seconds=time.total_seconds())

        return pass_by
