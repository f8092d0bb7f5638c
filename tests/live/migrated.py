"""A PostgreSQL of the test's own, migrated as in production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from dev.postgres import EmbeddedPostgres
from libs.contracts.message import Plane
from libs.runtime.database import Database
from libs.runtime.migrate import migrate

PASSWORDS = {plane.value: "only-here" for plane in Plane}


@contextmanager
def bare_postgres(directory: Path) -> Iterator[tuple[EmbeddedPostgres, asyncio.Runner]]:
    """A server that runs, and what to run things beside it with. Enter it in the main thread."""
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # as root the server runs under another account
    postgres = EmbeddedPostgres(directory, sync_new_cluster=False)
    with asyncio.Runner() as runner:
        runner.run(postgres.start())
        try:
            yield postgres, runner
        finally:
            runner.run(postgres.stop())


@contextmanager
def migrated_postgres(directory: Path) -> Iterator[str]:
    """The superuser's URL of a database with every plane's tables. Enter it in the main thread."""
    with bare_postgres(directory) as (postgres, runner):
        runner.run(migrate(postgres.admin_url, PASSWORDS))
        yield postgres.admin_url


async def emptied(admin_url: str, plane: Plane) -> None:
    """Leave no row in a plane's tables."""
    admin = await asyncpg.connect(admin_url)
    try:
        tables = await admin.fetch(
            "select tablename from pg_tables where schemaname = $1 and tablename <> 'alembic_version'", plane.value
        )
        await admin.execute("truncate " + ", ".join(f"{plane.value}.{row['tablename']}" for row in tables))
    finally:
        await admin.close()


@asynccontextmanager
async def plane_database(admin_url: str, plane: Plane) -> AsyncIterator[Database]:
    """The database as the plane sees it, under its own role."""
    host = admin_url.rpartition("@")[2]
    made = Database(plane, f"postgresql://dealix_{plane.value}:only-here@{host}", pool_size=3)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
