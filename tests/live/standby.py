"""A standby of an embedded PostgreSQL, from the same binaries: made by `pg_basebackup`, replaying by streaming replication."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from dev.directory import any_free_port
from dev.postgres import postgres_binaries
from dev.processes import Child, spawn, unprivileged_account, without_dealix

SECONDS = 30.0


@dataclass
class Standby:
    """A running copy. `url` turns any address of the primary into the same login here."""

    port: int
    admin_url: str
    child: Child

    def url(self, primary: str) -> str:
        parts = urlsplit(primary)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{self.port}"))

    async def pause(self) -> None:
        """Go on receiving, and replay nothing more: a copy that falls behind."""
        await self._execute("select pg_wal_replay_pause()")
        for _ in range(100):
            if await self._execute("select pg_get_wal_replay_pause_state()") == "paused":
                return
            await asyncio.sleep(0.05)
        raise TimeoutError("the standby goes on replaying")

    async def resume(self) -> None:
        await self._execute("select pg_wal_replay_resume()")

    async def promote(self) -> None:
        await self._execute("select pg_promote()")

    async def stop(self) -> None:
        await self.child.stop(signal.SIGINT, grace=10)

    async def _execute(self, statement: str) -> object:
        connection = await asyncpg.connect(self.admin_url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def standby(admin_url: str, folder: Path) -> AsyncIterator[Standby]:
    """A copy of the server at `admin_url` (a superuser's, on 127.0.0.1)."""
    folder.mkdir(parents=True, mode=0o700)
    binaries, data, port = postgres_binaries(), folder / "data", any_free_port("127.0.0.1")
    account = unprivileged_account(data, binaries / "postgres")
    if account is not None:
        os.chown(folder, account.uid, account.gid)

    def begin(program: str, *arguments: str) -> Child:
        with (folder / "log").open("ab") as log:
            return spawn(
                [binaries / program, *arguments], owner=folder, environ=without_dealix(os.environ), output=log,
                death_signal=signal.SIGINT, run_as=account, cwd="/",
            )  # fmt: skip

    base = begin("pg_basebackup", "-d", admin_url, "-D", str(data), "-R", "-X", "stream", "-c", "fast", "--no-sync")
    if await base.wait(SECONDS) != 0:
        raise RuntimeError((folder / "log").read_text(errors="replace")[-800:])
    options = {"port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200",
               "hot_standby": "on", "timezone": "UTC"}  # fmt: skip
    child = begin(
        "postgres", "-D", str(data), *(part for key, value in options.items() for part in ("-c", f"{key}={value}"))
    )
    made = Standby(port, "", child)
    made.admin_url = made.url(admin_url)
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                await (await asyncpg.connect(made.admin_url, timeout=2)).close()
                break
            except (OSError, asyncpg.PostgresError, TimeoutError):
                if time.monotonic() > until or child.exit_code is not None:
                    raise
                await asyncio.sleep(0.05)
        yield made
    finally:
        await made.stop()
