"""Backups and restores on record, on a real PostgreSQL, up to the control that reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from dev.backup.copy import DUMP, record
from libs.contracts.errors import DealixError, Forbidden
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.recoveries import RecoveriesRequest, ReportRestore
from libs.runtime.database import Database
from services.operating.recoveries.desk import Recoveries
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("recoveries")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.OPERATING) as made:
        yield made


def who(*roles: str) -> Principal:
    return Principal(id="user:1", kind="user", tenant_id=new_id(), roles=roles)


def manifest() -> dict[str, Any]:
    """As `dealix backup` seals it."""
    return {
        "files": {DUMP: {"bytes": 9, "sha256": new_id().hex * 2}},
        "rows": {"a.b": 7, "a.c": 5},
        "ledger": {"x": {"size": 3}},
    }


def restored(made: dict[str, Any], **changes: Any) -> ReportRestore:
    told = {
        "principal": who("owner"),
        "digest": made["files"][DUMP]["sha256"],
        "restored_at": NOW,
        "rows": 12,
        "leaves": 3,
    }
    return ReportRestore(**{**told, **changes})


async def told(database: Database) -> list[Any]:
    async with database.batch() as work:
        return list(
            await work.connection.fetch(
                "delete from outbox where subject = 'operating.facts_reported.v2' returning body"
            )
        )


async def test_a_restore_of_a_backup_that_we_made_is_on_record_and_told_to_trust(
    admin_url: str, database: Database
) -> None:
    made, desk = manifest(), Recoveries(database)
    await record(admin_url, "backup", made, NOW - timedelta(hours=1))
    first = await desk.report(restored(made))
    assert await desk.report(restored(made)) == first, "the same report again changes nothing"
    listed = (await desk.list(RecoveriesRequest(principal=who("auditor")))).items
    assert [(one.kind, one.rows, one.leaves, one.by) for one in listed if one.digest == made["files"][DUMP]["sha256"]] == [
        ("restore_test", 12, 3, "user:1"), ("backup", 12, 3, "system:command_line"),
    ]  # fmt: skip
    bodies = await told(database)
    assert len(bodies) == 2
    assert all(b'"kind":"restore_test"' in row["body"] and b'"kind":"backup"' in row["body"] for row in bodies)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digest": "0" * 64}, "unknown_backup"),
        ({"rows": 11}, "restore_not_whole"),
        ({"leaves": 4}, "restore_not_whole"),
        ({"restored_at": NOW - timedelta(hours=2)}, "restore_time"),
        ({"restored_at": NOW + timedelta(days=1)}, "restore_time"),
    ],
)
async def test_a_report_that_proves_nothing_is_refused_and_told_to_nobody(
    admin_url: str, database: Database, changes: dict[str, Any], code: str
) -> None:
    made, desk = manifest(), Recoveries(database)
    await record(admin_url, "backup", made, NOW - timedelta(hours=1))
    with pytest.raises(DealixError) as refused:
        await desk.report(restored(made, **changes))
    assert (refused.value.code, bool(refused.value.ar)) == (code, True)
    assert await told(database) == []


async def test_only_who_runs_the_system_reports(admin_url: str, database: Database) -> None:
    made, desk = manifest(), Recoveries(database)
    await record(admin_url, "backup", made, NOW - timedelta(hours=1))
    for role in ("auditor", "member", "api_client"):
        with pytest.raises(Forbidden):
            await desk.report(restored(made, principal=who(role)))
    with pytest.raises(Forbidden):
        await desk.list(RecoveriesRequest(principal=who("member")))
