"""Operating's store on a real PostgreSQL, migrated as in production and under the plane's own role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from dev.postgres import EmbeddedPostgres
from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from libs.runtime.migrate import migrate
from services.operating.store import SqlStore
from tests.unit.operating.store_promises import PastRetry, StorePromises

PASSWORDS = {plane.value: "only-here" for plane in Plane}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    directory: Path = tmp_path_factory.mktemp("operating")
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # as root the server runs under another account
    postgres = EmbeddedPostgres(directory, sync_new_cluster=False)
    with asyncio.Runner() as runner:
        runner.run(postgres.start())
        yield postgres
        runner.run(postgres.stop())


@pytest.fixture(scope="module")
def migrated(server: EmbeddedPostgres) -> str:
    """The database with every plane's tables; the superuser's URL."""
    asyncio.run(migrate(server.admin_url, PASSWORDS))
    return server.admin_url


@pytest_asyncio.fixture
async def database(migrated: str) -> AsyncIterator[Database]:
    """Operating's database with empty tables."""
    admin = await asyncpg.connect(migrated)
    try:
        tables = await admin.fetch(
            "select tablename from pg_tables where schemaname = 'operating' and tablename <> 'alembic_version'"
        )
        await admin.execute("truncate " + ", ".join(f"operating.{row['tablename']}" for row in tables))
    finally:
        await admin.close()
    host = migrated.rpartition("@")[2]
    made = Database(Plane.OPERATING, f"postgresql://dealix_operating:only-here@{host}", pool_size=3)
    await made.start()
    yield made
    await made.stop()


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
