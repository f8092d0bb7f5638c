"""Trust's store on a real PostgreSQL, under its own role and row security."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.trust.ledger.domain.records import EntryFilter
from services.trust.ledger.store import SqlLedgerStore
from services.trust.store import SqlStore
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.trust.desk_promises import DeskPromises
from tests.unit.trust.store_promises import TrustStorePromises, facts

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("trust")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


class TestSqlStore(TrustStorePromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return asyncpg.InsufficientPrivilegeError

    @pytest.fixture
    def published(self, database: Database) -> Callable[[], Awaitable[set[UUID]]]:
        async def ids() -> set[UUID]:
            async with database.batch() as work:
                return {row["id"] for row in await work.connection.fetch("select id from trust.outbox")}

        return ids

    @pytest.fixture
    def recorded(self, database: Database) -> Callable[[UUID], Awaitable[list[str]]]:
        async def kinds(tenant: UUID) -> list[str]:
            async with database.batch(tenant) as work:
                entries = await SqlLedgerStore(work.connection).entries(EntryFilter(tenant), 100)
            return [entry.kind for entry in entries]

        return kinds


class TestSqlDesk(DeskPromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)


async def test_facts_of_yesterday_are_unknown(database: Database) -> None:
    tenant, contact = new_id(), new_id()
    store = SqlStore(database)
    async with store.unit(tenant) as unit:
        await unit.project(tenant, [facts(contact)], [("e", None)])
    async with database.batch(tenant) as work:
        await work.connection.execute(
            "update trust.contact_facts set refreshed_at = now() - $1::interval", timedelta(hours=24)
        )
    async with store.unit(tenant) as unit:
        assert await unit.stale(tenant, [contact]) == [contact]
        assert await unit.states(tenant, [contact]) == {}


@pytest.mark.parametrize("table", ["decisions", "grant_closures", "approval_steps"])
@pytest.mark.parametrize("change", ["delete from trust.{}", "update trust.{} set tenant_id = tenant_id"])
async def test_what_happened_cannot_be_changed_by_the_planes_role(database: Database, table: str, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.batch() as work:
            await work.connection.execute(change.format(table))


async def test_without_a_tenant_no_row_is_seen_and_nothing_fails(database: Database) -> None:
    tables = [
        "decisions", "grant_closures", "approvals", "approval_steps", "contact_facts", "consents", "suppressions", "caps",
    ]  # fmt: skip
    tenant = new_id()
    async with SqlStore(database).unit(tenant) as unit:
        await unit.project(tenant, [facts(new_id())], [("e", None)])
    async with database.batch() as work:
        assert {table: await work.connection.fetchval(f"select count(*) from trust.{table}") for table in tables} == (
            dict.fromkeys(tables, 0)
        )
