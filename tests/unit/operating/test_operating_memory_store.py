"""Operating's in-memory store keeps every promise of the one on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libs.contracts.message import Plane
from libs.runtime.testing import FakeClock, MemoryHub
from services.operating.memory import MemoryStore
from services.operating.store import RETRY
from tests.unit.operating.store_promises import PastRetry, StorePromises


class TestMemoryStore(StorePromises):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(datetime.now(UTC))

    @pytest.fixture
    def store(self, clock: FakeClock) -> MemoryStore:
        return MemoryStore(MemoryHub().bus(Plane.OPERATING).database, now=clock)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return PermissionError

    @pytest.fixture
    def past_retry(self, clock: FakeClock) -> PastRetry:
        async def wait() -> None:
            clock.advance(seconds=RETRY.total_seconds())

        return wait
