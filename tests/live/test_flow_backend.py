"""Flows on a real PostgreSQL, under the plane's own role and row security."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from libs.runtime.settings import SettingsError
from libs.runtime.testing import MemoryHub
from services.execution.flows.app import carry
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.sql import SqlBackend
from services.execution.router import catalogue_router
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.execution.flows.backend_promises import FlowBackendPromises
from tests.unit.execution.flows.declared import OneV1, OneV2, definitions

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("flows")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.EXECUTION) as made:
        yield made


class TestSqlBackend(FlowBackendPromises):
    @pytest_asyncio.fixture
    async def backend(self, database: Database) -> SqlBackend:
        async with database.batch() as work:  # what other tests left in the queue is not theirs to hand out
            await work.connection.execute("delete from execution.flow_due")
        return SqlBackend(database)

    @pytest.fixture
    def refusal(self) -> type[Exception]:
        return asyncpg.InsufficientPrivilegeError

    @pytest.fixture
    def later(self, database: Database) -> Callable[[], Awaitable[None]]:
        async def ends() -> None:
            async with database.batch() as work:
                await work.connection.execute("update execution.flow_due set lease_until = now() - interval '1 second'")

        return ends


async def test_the_plane_refuses_to_start_when_a_live_flows_version_is_missing(database: Database) -> None:
    backend = SqlBackend(database)
    await TestSqlBackend().started(backend, new_id(), "versions")
    router, bus = catalogue_router(), MemoryHub().bus(Plane.EXECUTION)
    older = carry(backend, bus, router, "replica-1", lambda _: None, Definitions((OneV1,)))
    with pytest.raises(SettingsError, match=r"versions@2"):
        await older.check()
    newer = carry(backend, MemoryHub().bus(Plane.EXECUTION), router, "replica-1", lambda _: None, definitions())
    await newer.check()
    both = carry(
        backend, MemoryHub().bus(Plane.EXECUTION), router, "replica-1", lambda _: None, Definitions((OneV1, OneV2))
    )
    with pytest.raises(SettingsError, match="waits@1"):
        async with backend.unit() as unit:
            del unit
        await TestSqlBackend().started(backend, new_id(), "waits")
        await both.check()


async def test_thousands_of_sleeping_flows_are_rows_and_only_the_due_one_is_claimed(database: Database) -> None:
    backend = SqlBackend(database)
    async with database.batch() as work:
        await work.connection.execute(
            "delete from execution.flow_due; insert into execution.flow_due (tenant_id, flow_id, flow, version, wake_at) "
            "select gen_random_uuid(), gen_random_uuid(), 'sleeps', 1, now() + make_interval(mins => n) from generate_series(1, 5000) n"
        )
    assert await backend.claim("replica-1", 100) == []
    flow_id = await TestSqlBackend().started(backend, new_id())
    assert [one.flow_id for one in await backend.claim("replica-1", 100)] == [flow_id]
    assert (await backend.counts())["live"] == 5001
