"""Look-ups by id in a tenant that the database's statistics have not heard of: the planner must not take it to have no rows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import new_id
from tests.live.harness import prepared_servers

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FILLED = """
insert into data.leads (tenant_id, import_id, lead_id, account_id, contact_id, source, collected_directly, cold, outcome, reasons)
select $1, $2, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'own_crm', true, false, 'created', '[]' from generate_series(1, 20000)"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[asyncpg.Connection]:
    directory = tmp_path_factory.mktemp("tenants")
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o011)  # as root the database runs under another account
    async with prepared_servers(directory) as (servers, _):
        connection = await asyncpg.connect(servers.admin_url)
        try:
            yield connection
        finally:
            await connection.close()


def _conditions(plan: Any) -> list[str]:
    """The index conditions of a plan."""
    below = [condition for part in plan.get("Plans", ()) for condition in _conditions(part)]
    return [plan["Index Cond"], *below] if "Index Cond" in plan else below


@pytest.mark.parametrize("column", ["contact_id", "account_id", "lead_id"])
async def test_an_id_leads_to_its_row_and_not_through_the_whole_tenant(
    database: asyncpg.Connection, column: str
) -> None:
    await database.execute(FILLED, new_id(), new_id())
    await database.execute("analyze data.leads")
    asked = f"select contactability from data.leads where tenant_id = '{new_id()}' and {column} = '{new_id()}' and deleted_at is null"
    found = json.loads(await database.fetchval(f"explain (format json) {asked}"))
    assert any(column in condition for condition in _conditions(found[0]["Plan"])), found
