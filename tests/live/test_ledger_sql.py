"""The ledger on a real PostgreSQL, under row security, with the role of a plane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from dev.postgres import EmbeddedPostgres
from libs.contracts.message import new_id
from libs.runtime.migrate import row_security
from services.trust.ledger.proofs import prove
from services.trust.ledger.sequencer import Sequencer, run
from services.trust.ledger.store import EntryFilter, SqlLedgerStore, connect
from services.trust.ledger.tables import BELONGING, TABLES
from tests.live.migrated import bare_postgres
from tests.unit.trust.ledger_promises import KEY, ORIGIN, LedgerPromises, entries, record

ROLE = "ledger_owner"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with bare_postgres(tmp_path_factory.mktemp("ledger")) as (postgres, _):
        yield postgres


@pytest_asyncio.fixture
async def url(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database with the ledger's tables; the URL signs in a role without any privilege beyond these tables."""
    admin_url = await server.create_database(f"ledger_{new_id().hex}")
    admin = await asyncpg.connect(admin_url)
    try:
        if not await admin.fetchval("select 1 from pg_roles where rolname = $1", ROLE):
            await admin.execute(f"create role {ROLE} login nosuperuser nobypassrls password 'only-here'")
        await admin.execute("create schema trust")
        for statement in (*TABLES, BELONGING, row_security("trust", "ledger_entries")):
            await admin.execute(statement)
        await admin.execute(f"grant usage on schema trust to {ROLE}")
        await admin.execute(f"grant select, insert, update, delete on all tables in schema trust to {ROLE}")
    finally:
        await admin.close()
    yield f"postgresql://{ROLE}:only-here@127.0.0.1:{server.port}/{admin_url.rpartition('/')[2]}"


@pytest_asyncio.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


class TestSqlLedger(LedgerPromises):
    @pytest.fixture
    def store(self, connection: asyncpg.Connection) -> SqlLedgerStore:
        return SqlLedgerStore(connection)


pytestmark = pytest.mark.asyncio


async def test_a_unit_of_work_records_and_reads_its_own_tenants_entries_only(connection: asyncpg.Connection) -> None:
    mine, other = new_id(), new_id()
    store = SqlLedgerStore(connection)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.transaction([mine]):
            await store.append(entries(other, 1))
    await record(store, [*entries(mine, 1), *entries(other, 2)])
    async with store.transaction([mine]):
        assert await store.entries(EntryFilter(other), 10) == []
    assert await store.entries(EntryFilter(other), 10) == []


@pytest.mark.parametrize("table", ["ledger_leaves", "ledger_nodes", "ledger_checkpoints"])
@pytest.mark.parametrize("change", ["delete from trust.{}", "update trust.{} set log_id = log_id"])
async def test_history_cannot_be_changed_in_place(connection: asyncpg.Connection, table: str, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(change.format(table))


async def test_entries_are_never_deleted_only_erased(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute("delete from trust.ledger_entries")


async def test_a_hundred_entries_are_recorded_in_one_statement(connection: asyncpg.Connection) -> None:
    tenant = new_id()
    store = SqlLedgerStore(connection)
    await record(store, entries(tenant, 1))  # the driver asks for the types once a connection
    statements: list[str] = []
    async with connection.transaction():
        await connection.execute(f"set local dealix.tenants = '{tenant}'")
        with connection.query_logger(lambda query: statements.append(query.query)):
            await store.append(entries(tenant, 100))
            await asyncio.sleep(0)  # loggers are called by the event loop
    assert len(statements) == 1
    assert await connection.fetchval("select sum(cardinality(entry_ids)) from trust.ledger_pending") == 101


async def test_only_one_connection_leads_and_leadership_ends_with_it(url: str) -> None:
    async with connect(url) as second:
        async with connect(url) as first:
            assert await first.try_lead()
            assert not await second.try_lead()
        for _ in range(100):  # the server notices the closed connection in its own time
            if await second.try_lead():
                return
            await asyncio.sleep(0.02)
    raise AssertionError("leadership was never released")


async def test_writers_never_wait_for_the_sequencer_and_no_entry_is_lost(url: str) -> None:
    tenants = [new_id() for _ in range(3)]

    async def write(tenant: UUID) -> None:
        async with connect(url) as store:
            for _ in range(10):
                await record(store, entries(tenant, 20))

    stop = asyncio.Event()
    running = asyncio.create_task(run(lambda: connect(url), KEY, origin=ORIGIN, stop=stop, interval=0.05, poll=0.01))
    await asyncio.gather(*(write(tenant) for tenant in tenants))
    stop.set()
    await running
    async with connect(url) as store:
        heads = await store.heads(tenants)
        assert {tenant: head.size for tenant, head in heads.items()} == dict.fromkeys(tenants, 200)
        for tenant in tenants:
            await prove(store, tenant, 199)


async def test_the_sequencer_survives_the_loss_of_its_connection(url: str) -> None:
    tenant = new_id()
    stop = asyncio.Event()
    stores: list[SqlLedgerStore] = []

    def tracked() -> AbstractAsyncContextManager[SqlLedgerStore]:
        context = connect(url)
        stores.append(context)  # type: ignore[arg-type]  # only counted
        return context

    running = asyncio.create_task(run(tracked, KEY, origin=ORIGIN, stop=stop, interval=0.05, poll=0.01))
    async with connect(url) as store:
        await record(store, entries(tenant, 1))
        await until_placed(store, tenant, 1)
        ended = (
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = user"
        )
        await store._connection.execute(ended)
        await record(store, entries(tenant, 1))
        await until_placed(store, tenant, 2)
    stop.set()
    await running
    assert len(stores) >= 2


async def until_placed(store: SqlLedgerStore, tenant: UUID, size: int) -> None:
    for _ in range(500):
        head = (await store.heads([tenant])).get(tenant)
        if head is not None and head.size >= size:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the entry was never placed")


async def test_a_sequencer_that_dies_between_steps_leaves_nothing_half_done(url: str) -> None:
    tenant = new_id()

    class Dying(SqlLedgerStore):
        async def extend(self, extensions: object) -> None:
            raise ConnectionResetError

    async with connect(url) as store:
        await record(store, entries(tenant, 3))
        with pytest.raises(ConnectionResetError):
            await Sequencer(Dying(store._connection), KEY, origin=ORIGIN).drain()
        assert await store.heads([tenant]) == {}
        assert await Sequencer(store, KEY, origin=ORIGIN).drain() == 3
