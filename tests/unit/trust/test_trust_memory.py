"""The shipped in-memory store of trust keeps the promises of the real one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from libs.contracts.message import Plane, new_id
from libs.runtime.testing import FakeClock, MemoryHub
from services.trust.ledger.domain.records import EntryFilter
from services.trust.memory import MemoryStore
from tests.unit.trust.contradiction_promises import ContradictionPromises
from tests.unit.trust.desk_promises import DeskPromises
from tests.unit.trust.store_promises import NOW, TrustStorePromises, facts


class TestMemoryStore(TrustStorePromises):
    @pytest.fixture
    def hub(self) -> MemoryHub:
        return MemoryHub()

    @pytest.fixture
    def store(self, hub: MemoryHub) -> MemoryStore:
        return MemoryStore(hub.bus(Plane.TRUST).database)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return PermissionError

    @pytest.fixture
    def published(self, hub: MemoryHub) -> Callable[[], Awaitable[set[UUID]]]:
        async def ids() -> set[UUID]:
            return {UUID(delivery.message_id) for delivery in hub.published}

        return ids

    @pytest.fixture
    def recorded(self, store: MemoryStore) -> Callable[[UUID], Awaitable[list[str]]]:
        async def kinds(tenant: UUID) -> list[str]:
            return [entry.kind for entry in await store.ledger.entries(EntryFilter(tenant), 100)]

        return kinds


class TestMemoryDesk(DeskPromises):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(MemoryHub().bus(Plane.TRUST).database)


async def test_facts_of_yesterday_are_unknown() -> None:
    clock, tenant, contact = FakeClock(NOW), new_id(), new_id()
    store = MemoryStore(MemoryHub().bus(Plane.TRUST).database, now=clock)
    async with store.unit(tenant) as unit:
        await unit.project(tenant, [facts(contact)], [("e", None)])
    clock.at += timedelta(hours=24)
    async with store.unit(tenant) as unit:
        assert await unit.stale(tenant, [contact]) == [contact]
        assert await unit.states(tenant, [contact]) == {}


class TestMemoryContradictions(ContradictionPromises):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(MemoryHub().bus(Plane.TRUST).database)
