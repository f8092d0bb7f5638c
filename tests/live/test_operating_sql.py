"""Operating's store on a real PostgreSQL, migrated as in production and under the plane's own role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.operating.store import SqlStore
from tests.live.migrated import emptied, migrated_postgres, plane_database
from tests.unit.operating.store_promises import PastRetry, StorePromises


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("operating")) as url:
        yield url


@pytest_asyncio.fixture
async def database(migrated: str) -> AsyncIterator[Database]:
    """Operating's database with empty tables."""
    await emptied(migrated, Plane.OPERATING)
    async with plane_database(migrated, Plane.OPERATING) as made:
        yield made


class TestSqlStore(StorePromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return asyncpg.InsufficientPrivilegeError

    @pytest.fixture
    def past_retry(self, database: Database) -> PastRetry:
        async def wait() -> None:
            async with database.batch() as work:
                await work.connection.execute("update control_deliveries set due_at = due_at - interval '1 second'")

        return wait


@pytest.mark.asyncio
async def test_two_replicas_never_take_the_same_delivery_at_once(database: Database) -> None:
    tenant = new_id()
    async with database.batch() as work:
        await work.connection.executemany(
            "insert into control_deliveries (control_id, plane, tenant_id, version, due_at) values ($1, 'execution', $2, 1, now())",
            [(new_id(), tenant) for _ in range(30)],
        )
    taken = await asyncio.gather(*(SqlStore(database).due(20) for _ in range(3)))
    ids = [each.control_id for some in taken for each in some]
    assert len(ids) == len(set(ids)) == 30
