"""The gateway's store on a real PostgreSQL, migrated as in production and under the plane's own role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.gateway.store import SqlStore
from tests.live.migrated import emptied, migrated_postgres, plane_database
from tests.unit.gateway.store_promises import LEASE, OURS, Later, StorePromises, added, session_of, slot, user

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("gateway")) as url:
        yield url


@pytest_asyncio.fixture
async def database(migrated: str) -> AsyncIterator[Database]:
    """The gateway's database with empty tables."""
    await emptied(migrated, Plane.GATEWAY)
    async with plane_database(migrated, Plane.GATEWAY) as made:
        yield made


class TestSqlStore(StorePromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)

    @pytest.fixture
    def later(self, migrated: str) -> Later:
        async def pass_by(time: timedelta) -> None:
            """PostgreSQL's clock cannot be moved: everything on record moves back instead."""
            admin = await asyncpg.connect(migrated)
            try:
                for table, columns in {
                    "attempts": ("last_at", "locked_until"),
                    "sessions": ("created_at", "seen_at", "expires_at"),
                    "idempotency": ("created_at", "locked_until"),
                }.items():
                    moved = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
                    await admin.execute(f"update gateway.{table} set {moved}", time)
            finally:
                await admin.close()

        return pass_by


async def test_no_row_of_any_tenant_is_seen_where_no_tenant_is_named(database: Database) -> None:
    store = SqlStore(database)
    one = await added(store, user())
    await session_of(store, one)
    await store.reserve(slot(), b"body", new_id(), LEASE)
    async with database.batch() as work:
        counts = [
            await work.connection.fetchval(f"select count(*) from {t}")
            for t in ("users", "sessions", "api_keys", "idempotency")
        ]
    assert counts == [0, 0, 0, 0]
    async with database.batch(OURS) as work:
        assert await work.connection.fetchval("select count(*) from users") == 1


async def test_a_row_cannot_be_written_for_a_tenant_that_is_not_named(database: Database) -> None:
    one = user(new_id())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.batch(OURS) as work:
            await work.connection.execute(
                "insert into users (tenant_id, user_id, email, name, roles, password_hash, created_by) values ($1, $2, '', '', '{}', '', '')",
                one.tenant_id,
                one.user_id,
            )


async def test_the_table_of_doors_names_nobody(database: Database) -> None:
    """It has no row security, so it may hold keyed hashes and ids only; every table that knows people has it."""
    async with database.batch() as work:
        rows = await work.connection.fetch(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'gateway' and table_name = any($1)",
            ["doors", "attempts"],
        )
        bare = await work.connection.fetch(
            "select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'gateway' "
            "and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)"
        )
    columns = {(r["table_name"], r["column_name"]): r["data_type"] for r in rows}
    assert {name for (_, name), kind in columns.items() if kind == "text"} == {"kind"}
    assert {row["relname"] for row in bare} == {
        "doors",
        "attempts",
        "brief_turns",
        "alembic_version",
        "outbox",
        "inbox",
    }
