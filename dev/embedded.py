"""Both embedded servers together, for live tests and for the supervisor.

async with embedded_servers(tmp_path, authorization=render_authorization(users)) as servers:
    await nats.connect(servers.nats_url); await asyncpg.connect(servers.admin_url)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.nats import EmbeddedNats
from dev.postgres import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Servers:
    """A running NATS server and a running PostgreSQL server."""

    nats: EmbeddedNats
    postgres: EmbeddedPostgres

    @property
    def nats_url(self) -> str:
        return self.nats.url

    @property
    def admin_url(self) -> str:
        """The superuser's asyncpg URL of the database `dealix`."""
        return self.postgres.admin_url


async def start_together(servers: Sequence[EmbeddedNats | EmbeddedPostgres]) -> None:
    """Start servers at the same time. When one fails the others are stopped and its error is raised."""
    outcomes = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if failures:
        await asyncio.gather(*(server.stop() for server in servers))
        raise failures[0]


@asynccontextmanager
async def embedded_servers(
    data_dir: Path, *, authorization: str = "", sync_interval: str = "2m", sync_new_cluster: bool = False
) -> AsyncIterator[Servers]:
    """Start both servers over `data_dir` (kept afterwards) and stop them at the end. A new directory takes about 1 s.

    `authorization` is a NATS configuration block, empty for an open server. Enter it in the main thread: the servers
    end with the thread that started them. Raises AlreadyRunning, StartFailed.
    """
    servers = Servers(
        EmbeddedNats(data_dir, authorization, sync_interval=sync_interval),
        EmbeddedPostgres(data_dir, sync_new_cluster=sync_new_cluster),
    )
    await start_together((servers.nats, servers.postgres))
    try:
        yield servers
    finally:
        await servers.nats.stop()
        await servers.postgres.stop()
