"""The shipped in-memory store of execution keeps the promises of the real one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from libs.contracts.message import Plane, new_id
from libs.runtime.testing import FakeClock, MemoryHub
from services.execution.memory import MemoryStore
from services.execution.store import LEASE_SECONDS
from tests.unit.execution.letter_promises import LetterPromises
from tests.unit.execution.store_promises import ExecutionStorePromises, job


class TestMemoryStore(ExecutionStorePromises):
    @pytest.fixture
    def hub(self) -> MemoryHub:
        return MemoryHub()

    @pytest.fixture
    def store(self, hub: MemoryHub) -> MemoryStore:
        return MemoryStore(hub.bus(Plane.EXECUTION).database)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return PermissionError

    @pytest.fixture
    def published(self, hub: MemoryHub) -> Callable[[], Awaitable[set[UUID]]]:
        async def ids() -> set[UUID]:
            return {UUID(delivery.message_id) for delivery in hub.published}

        return ids


class TestMemoryLetters(LetterPromises):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(MemoryHub().bus(Plane.EXECUTION).database)


async def test_a_lease_ends_with_its_time() -> None:
    clock, asked = FakeClock(), job(new_id())
    store = MemoryStore(MemoryHub().bus(Plane.EXECUTION).database, now=clock)
    async with store.unit(asked.tenant_id) as unit:
        await unit.accept([asked], "replica-1")
    clock.at += timedelta(seconds=LEASE_SECONDS)
    assert await store.claim("replica-2", 10) == []
    clock.at += timedelta(seconds=1)
    assert await store.claim("replica-2", 10) == [(asked.tenant_id, asked.action_id, 1, 0)]
