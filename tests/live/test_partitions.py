"""Tables that only grow lie in months; the roll-over makes the next ones, loses nothing, and planes notice nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.partitions import bound, partitions, roll_over
from tests.live.harness import prepared_servers

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[2]
KEPT = {"execution.actions", "trust.decisions", "trust.grant_closures", "trust.ledger_entries"}
NEXT = datetime.now(UTC).year + 5
"""A year whose months nobody has made yet."""
_CLOSE = (
    "insert into trust.grant_closures (tenant_id, grant_id, action_id, attempt, outcome, closed_at)"
    " values ($1, $2, $3, 1, 'succeeded', now())"
)


class Ground:
    def __init__(self, servers: Any, secrets: Any) -> None:
        self.servers, self.secrets = servers, secrets

    async def owner(self) -> Any:
        return await asyncpg.connect(self.servers.admin_url)

    async def plane(self, plane: Plane) -> Any:
        return await asyncpg.connect(self.secrets.database_url(plane.value, self.servers.admin_url))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    directory: Path = tmp_path_factory.mktemp("partitions")
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    async with prepared_servers(directory) as (servers, secrets):
        yield Ground(servers, secrets)


def key_in(year: int, month: int, day: int) -> UUID:
    """A UUIDv7 as it would be made at noon of that day."""
    moment = datetime(year, month, day, 12, tzinfo=UTC)
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (new_id().int & ((1 << 80) - 1)))


async def where(owner: Any, grant: UUID) -> str:
    found: str = await owner.fetchval(
        "select tableoid::regclass::text from trust.grant_closures where grant_id = $1", grant
    )
    return found


async def close(plane: Any, tenant: UUID, *grants: UUID) -> None:
    async with plane.transaction():
        await plane.execute(f"set local dealix.tenants = '{tenant}'")
        for grant in grants:
            await plane.execute(_CLOSE, tenant, grant, new_id())


async def test_the_next_months_are_ready_in_every_table_that_only_grows(ground: Ground) -> None:
    owner = await ground.owner()
    found = await partitions(owner)
    assert {each.table for each in found} == KEPT
    for table in KEPT:
        mine = [each for each in found if each.table == table]
        assert mine[-1].until is None, "what has no month yet has a place"
        assert mine[-2].until is not None and (mine[-2].until - datetime.now(UTC)).days >= 80
    assert await roll_over(owner, datetime.now(UTC).date()) == [], "made once"
    await owner.close()


async def test_the_roll_over_takes_what_waited_for_its_month_and_planes_see_one_table(ground: Ground) -> None:
    owner, trust, tenant = await ground.owner(), await ground.plane(Plane.TRUST), new_id()
    now, early, late, random = new_id(), key_in(NEXT, 3, 4), key_in(NEXT, 5, 6), UUID(int=(1 << 128) - 1)
    await close(trust, tenant, now, early, late, random)
    assert await where(owner, early) == await where(owner, late) == "trust_months.grant_closures_default"
    made = await roll_over(owner, date(NEXT, 2, 11), ahead=1)
    assert f"trust_months.grant_closures_{NEXT}_03" in made and f"execution_months.actions_{NEXT}_03" in made
    assert await where(owner, early) == f"trust_months.grant_closures_{NEXT}_03"
    assert await where(owner, late) == await where(owner, random) == "trust_months.grant_closures_default"
    await roll_over(owner, date(NEXT, 5, 1), ahead=0)
    assert await where(owner, late) == f"trust_months.grant_closures_{NEXT}_05"
    async with trust.transaction():
        await trust.execute(f"set local dealix.tenants = '{tenant}'")
        assert await trust.fetchval("select count(*) from trust.grant_closures") == 4
    assert await trust.fetchval("select count(*) from trust.grant_closures") == 0, "row security holds over all months"
    await owner.close()
    await trust.close()


async def test_a_key_stays_single_in_whatever_month_it_is(ground: Ground) -> None:
    trust, tenant = await ground.plane(Plane.TRUST), new_id()
    grant = new_id()
    await close(trust, tenant, grant)
    with pytest.raises(asyncpg.UniqueViolationError):
        await close(trust, tenant, grant)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with trust.transaction():
            await trust.execute(f"set local dealix.tenants = '{new_id()}'")
            await trust.execute(_CLOSE, tenant, new_id(), new_id())
    await trust.close()


async def test_no_plane_reaches_a_month_by_itself(ground: Ground) -> None:
    owner = await ground.owner()
    names = await owner.fetch(
        "select schemaname || '.' || tablename as name from pg_tables where schemaname like '%\\_months'"
    )
    assert len(names) >= len(KEPT) * 5
    for plane in Plane:
        connection = await ground.plane(plane)
        for row in names:
            for statement in (
                f"select 1 from {row['name']}",
                f"delete from {row['name']}",
                f"drop table {row['name']}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        await connection.close()
    await owner.close()


async def test_a_query_by_key_reads_one_month(ground: Ground) -> None:
    owner = await ground.owner()
    plan = await owner.fetch(
        f"explain select 1 from trust.decisions where tenant_id = '{new_id()}' and action_id = '{bound(date(NEXT, 3, 9))}'"
    )
    touched = {line for row in plan for line in [row[0]] if " on " in line}
    assert len(touched) == 1 and f"decisions_{NEXT}_03" in touched.pop()
    await owner.close()


async def test_the_daily_job_makes_the_months_and_says_which(ground: Ground, tmp_path: Path) -> None:
    owner = await ground.owner()
    mine = [each.name for each in await partitions(owner) if each.table == "trust.decisions" and each.until]
    made = rolls_over(tmp_path, ground.servers.admin_url)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"made": []}, "the last month is years ahead"
    await owner.execute("drop table " + ", ".join(f"trust_months.{name}" for name in mine[1:]))
    made = rolls_over(tmp_path, ground.servers.admin_url)
    assert json.loads(made.stdout)["made"] == [f"trust_months.{name}" for name in mine[1:4]]
    await owner.close()


async def test_the_daily_job_says_in_a_sentence_that_the_database_is_not_there(tmp_path: Path) -> None:
    done = rolls_over(tmp_path, "postgresql://nobody@127.0.0.1:1/dealix")
    assert done.returncode == 2
    [said] = done.stderr.strip().splitlines()
    assert said.startswith("dealix: Partitions could not be made:")


def rolls_over(folder: Path, admin_url: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DEALIX_")}
    given = {"PYTHONPATH": str(ROOT), "DEALIX_DATABASE_URL": admin_url, "DEALIX_MIGRATOR_NATS_SEED": "unused"}
    command = [sys.executable, "-m", "libs.runtime.migrator", "--roll-over"]
    return subprocess.run(
        command, env=clean | given, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
