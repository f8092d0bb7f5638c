"""Execution's store on a real PostgreSQL, under its own role and row security."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.execution.statements import MOVE
from services.execution.store import LEASE_SECONDS, SqlStore
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.execution.letter_promises import LetterPromises
from tests.unit.execution.store_promises import ExecutionStorePromises, job, mail

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("execution")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.EXECUTION) as made:
        yield made


class TestSqlStore(ExecutionStorePromises):
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
                return {row["id"] for row in await work.connection.fetch("select id from execution.outbox")}

        return ids


class TestSqlLetters(LetterPromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)


async def test_a_lease_ends_with_its_time(database: Database) -> None:
    store, asked = SqlStore(database), job(new_id())
    async with store.unit(asked.tenant_id) as unit:
        await unit.accept([asked], "replica-1")

    async def pass_by(seconds: float) -> None:
        async with database.batch() as work:
            await work.connection.execute(
                "update execution.work set lease_until = lease_until - $2::interval where action_id = $1",
                asked.action_id, timedelta(seconds=seconds),
            )  # fmt: skip

    await pass_by(LEASE_SECONDS - 5)
    assert asked.action_id not in {action for _, action, _, _ in await store.claim("replica-2", 100_000)}
    await pass_by(6)
    assert (asked.tenant_id, asked.action_id, 1, 0) in await store.claim("replica-2", 100_000)


async def test_a_batch_leaves_the_queue_by_its_ids_even_where_the_planner_supposes_it_empty(
    admin_url: str, database: Database
) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute("truncate execution.work; analyze execution.work")
    finally:
        await admin.close()
    async with database.batch(plans="kept") as work:
        await work.connection.execute(f"prepare move as {MOVE}")
        nothing = ", ".join(["'{}'"] * 19)
        rows = await work.connection.fetch(f"explain (costs off) execute move({nothing})")
        await work.connection.execute("deallocate move")
    plan = "\n".join(row[0] for row in rows)
    parts = re.findall(r"->  (?:Delete|Update) on work w.*?(?=\n  CTE|\Z)", plan, re.DOTALL)
    assert len(parts) == 2, plan
    for part in parts:
        assert "Index Cond: (action_id = ANY" in part, plan
        assert "Join" not in part and "Loop" not in part, plan


@pytest.mark.parametrize("table", ["dispatches", "sandbox"])
@pytest.mark.parametrize("change", ["delete from execution.{}", "update execution.{} set tenant_id = tenant_id"])
async def test_what_happened_cannot_be_changed_by_the_planes_role(database: Database, table: str, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.batch() as work:
            await work.connection.execute(change.format(table))


async def test_without_a_tenant_no_row_is_seen_and_nothing_fails(database: Database) -> None:
    tables = ["actions", "dispatches", "sandbox", "credentials"]
    asked = job(new_id())
    async with SqlStore(database).unit(asked.tenant_id) as unit:
        await unit.accept([asked], "replica-1")
        await unit.keep_sandbox([(asked.tenant_id, mail(asked))])
    async with database.batch() as work:
        counts = {t: await work.connection.fetchval(f"select count(*) from execution.{t}") for t in tables}
    assert counts == dict.fromkeys(tables, 0)
