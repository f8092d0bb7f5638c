"""Runs of agents have a budget of the day, on a real PostgreSQL: at 100 % nobody runs, whoever asks at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.decision.consumption.budget import Budget, BudgetSpent
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("budget")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.DECISION) as made:
        yield made


async def test_many_at_once_get_exactly_the_days_runs_and_the_rest_is_counted(database: Database) -> None:
    tenant, other, budget = new_id(), new_id(), Budget(database, 5)
    came = await asyncio.gather(*(budget.take(tenant) for _ in range(12)), return_exceptions=True)
    spent = [one for one in came if isinstance(one, BudgetSpent)]
    assert (len(spent), came.count(None)) == (7, 5)
    assert all(one.status == 429 and one.code == "agent_budget_spent" and one.ar for one in spent)
    await budget.take(other)
    async with database.batch(tenant) as work:
        row = await work.connection.fetchrow("select runs, refused, budget from decision.agent_usage")
    assert tuple(row) == (5, 7, 5)


async def test_without_a_budget_nobody_runs_and_a_raised_one_counts_at_once(database: Database) -> None:
    tenant = new_id()
    with pytest.raises(BudgetSpent):
        await Budget(database, 0).take(tenant)
    await Budget(database, 1).take(tenant)
    with pytest.raises(BudgetSpent):
        await Budget(database, 1).take(tenant)
    await Budget(database, 2).take(tenant)
