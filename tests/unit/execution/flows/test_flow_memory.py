"""The shipped in-memory backend of flows keeps the promises of the real one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from libs.contracts.message import Plane
from libs.runtime.testing import FakeClock, MemoryHub
from services.execution.flows.backend import LEASE_SECONDS
from services.execution.flows.memory import MemoryBackend
from services.execution.memory import MemoryStore
from tests.unit.execution.flows.backend_promises import FlowBackendPromises


class TestMemoryBackend(FlowBackendPromises):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def backend(self, clock: FakeClock) -> MemoryBackend:
        database = MemoryHub().bus(Plane.EXECUTION).database
        return MemoryBackend(database, MemoryStore(database, now=clock), clock)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return PermissionError

    @pytest.fixture
    def later(self, clock: FakeClock) -> Callable[[], Awaitable[None]]:
        async def ends() -> None:
            clock.advance(seconds=LEASE_SECONDS + 1)

        return ends
