"""Metrics are read from a standby while it is fresh, say of when they are, and come from the primary as soon as it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from dev.embedded import Servers
from dev.secrets import Secrets
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.metrics import MetricGet
from libs.runtime.database import Database
from libs.runtime.metrics import Metrics
from libs.runtime.plane import utc_now
from libs.runtime.replica import Replica
from tests.live.harness import prepared_servers
from tests.live.standby import Standby, standby

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

LIMIT = 2.0


@dataclass
class Pair:
    """A primary and its copy, and data's own access to both."""

    admin_url: str
    secrets: Secrets
    copy: Standby

    @property
    def primary_url(self) -> str:
        return self.secrets.database_url("data", self.admin_url)

    @asynccontextmanager
    async def database(self, url: str = "", *, limit: float = LIMIT) -> AsyncIterator[Database]:
        replica = Replica(Plane.DATA, url or self.copy.url(self.primary_url), limit=limit)
        database = Database(Plane.DATA, self.primary_url, replica=replica)
        await database.start()
        watch = asyncio.create_task(replica.run(database.position))
        try:
            yield database
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await database.stop()

    async def add(self, tenant: UUID, name: str) -> None:
        connection = await asyncpg.connect(self.primary_url)
        try:
            async with connection.transaction():
                await connection.execute(f"set local dealix.tenants = '{tenant}'")
                await connection.execute(
                    "insert into data.tenants (tenant_id, slug, profile) values ($1, $2, '{}')", tenant, name
                )
        finally:
            await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Servers, Secrets]]:
    async with prepared_servers(tmp_path_factory.mktemp("primary") / "servers") as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def pair(servers: tuple[Servers, Secrets], tmp_path: Path) -> AsyncIterator[Pair]:
    """Each test has a copy of its own: some do not survive it."""
    async with standby(servers[0].admin_url, tmp_path / "standby") as copy:
        yield Pair(servers[0].admin_url, servers[1], copy)


async def until(what: Any, seconds: float = 20.0) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.05)


async def in_recovery(database: Database) -> tuple[bool, float]:
    answer = await database.read(lambda connection: connection.fetchval("select pg_is_in_recovery()"))
    return bool(answer.value), answer.age


async def seen(database: Database, *tenants: UUID) -> int:
    answer = await database.read(lambda connection: connection.fetchval("select count(*) from data.tenants"), *tenants)
    return int(answer.value)


async def test_a_fresh_copy_answers_and_one_that_falls_behind_does_not(pair: Pair) -> None:
    async with pair.database() as database:
        assert database.replica is not None
        assert (await in_recovery(database)) == (False, 0.0), "nothing is known of the copy yet"
        await until(lambda: database.replica is not None and database.replica.pool is not None)
        copied, age = await in_recovery(database)
        assert copied and 0 <= age <= LIMIT
        await pair.copy.pause()
        tenant = new_id()
        await pair.add(tenant, "late")
        await until(lambda: database.replica is not None and database.replica.pool is None)
        assert (await in_recovery(database)) == (False, 0.0)
        assert await seen(database, tenant) == 1, "the primary has what the copy has not"
        await pair.copy.resume()
        await until(lambda: database.replica is not None and database.replica.pool is not None)
        assert (await in_recovery(database))[0]
        assert database.replica.answered["replica"] >= 2 and database.replica.answered["primary"] >= 3


async def test_row_security_holds_on_the_copy_and_nothing_can_be_written(pair: Pair) -> None:
    async with pair.database(limit=60) as database:
        mine, other = new_id(), new_id()
        await pair.add(mine, "mine")
        await pair.add(other, "other")
        await asyncio.sleep(2.5)  # a note after the second row, and the copy past it
        assert (await in_recovery(database))[0]
        assert (await seen(database), await seen(database, mine), await seen(database, mine, other)) == (0, 1, 2)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await database.read(lambda connection: connection.execute("delete from data.tenants"), mine)


async def test_what_is_no_copy_of_this_primary_is_never_asked(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    wrong = {
        "it is no standby": pair.primary_url,
        "it logs in as postgres": pair.copy.url(pair.admin_url),
        "it can't be asked": pair.primary_url.replace("127.0.0.1", "127.0.0.2"),
    }
    for said, url in wrong.items():
        caplog.clear()
        async with pair.database(url) as database:
            await until(lambda said=said: said in caplog.text)
            assert (await in_recovery(database)) == (False, 0.0)
    async with pair.database() as database:
        await until(lambda: database.replica is not None and database.replica.pool is not None)
        await pair.copy.promote()
        await until(lambda: "it is no standby" in caplog.text)
        assert database.replica is not None and database.replica.pool is None
        assert (await in_recovery(database)) == (False, 0.0)


async def test_a_copy_that_dies_in_the_middle_costs_no_answer(pair: Pair) -> None:
    async with pair.database(limit=60) as database:
        await until(lambda: database.replica is not None and database.replica.pool is not None)
        asked: list[bool] = []

        async def question(connection: Any) -> int:
            copied = bool(await connection.fetchval("select pg_is_in_recovery()"))
            asked.append(copied)
            if copied:
                pair.copy.child.kill_group()
                await connection.fetchval("select pg_sleep(5)")
            return 7

        assert (await database.read(question)).value == 7
        assert asked == [True, False], "asked again, of the primary"


async def test_a_metric_says_of_when_it_is(pair: Pair) -> None:
    async with pair.database(limit=60) as database:
        await until(lambda: database.replica is not None and database.replica.pool is not None)
        tenant = new_id()
        await pair.copy.pause()
        await pair.add(tenant, "shop")
        await asyncio.sleep(1.2)
        runtime: Any = type("Bare", (), {"plane": Plane.DATA, "database": database, "now": staticmethod(utc_now)})()
        name = next(name for name, rule in metrics().items() if rule.plane is Plane.DATA)
        who = Principal(id="u", tenant_id=tenant, kind=PrincipalKind.USER, roles=("member",))
        value = await Metrics(runtime).value(MetricGet(principal=who, name=name))
        assert value.as_of < utc_now() - timedelta(seconds=1), "not now: the copy has stood still since before"
