"""The rig: embedded servers, trust and execution as processes of their own, the floor's two processes, a client."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import nats
from nats.aio.client import Client

from benchmarks.processes import cpu_seconds, show_logs, start_module
from dev.embedded import Servers, embedded_servers
from dev.environment import Addresses, plane_environment
from dev.prepare import authorization
from dev.processes import Child
from dev.secrets import MIGRATOR, Secrets, load_or_create
from libs.runtime.migrate import ensure_streams, migrate

FLOOR_DATABASE = "floor"
PEER_DATABASE = "peer"
TRACE_RATIO = "0.01"


@dataclass
class Rig:
    """Everything that runs during a benchmark."""

    data_dir: Path
    servers: Servers
    secrets: Secrets
    gateway: Client
    """Connected with the gateway's own credentials: it may submit actions and read them."""
    execution: Client
    """Connected with execution's credentials: it may ask trust."""
    anyone: Client
    """May say anything: the floor has no permissions to check."""
    ours: Any
    """asyncpg connection of the superuser, to see whether everything is done."""
    floor: Any
    children: dict[str, Child] = field(default_factory=dict)

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, by process."""
        used = {name: cpu_seconds(child.pid) for name, child in self.children.items()}
        nats_child, postgres = self.servers.nats.child, self.servers.postgres.child
        if nats_child is not None and postgres is not None:
            used["nats"] = cpu_seconds(nats_child.pid)
            used["postgres"] = cpu_seconds(postgres.pid, family=True)
        used["client"] = cpu_seconds(os.getpid())
        return used

    async def plane(self, name: str, replica: int = 1) -> None:
        """Start a plane's process as the supervisor would, or one more of them."""
        child = name if replica == 1 else f"{name}-{replica}"
        addresses = Addresses(self.servers.nats_url, self.servers.admin_url, "127.0.0.1", 0, self.data_dir)
        ready = self.data_dir / f"{child}.ready"
        environ = plane_environment(name, {**os.environ, "DEALIX_TRACE_RATIO": TRACE_RATIO}, self.secrets, addresses)
        environ["DEALIX_READY_FILE"] = str(ready)
        self.children[child] = await start_module(
            f"services.{name}", environ=environ, data_dir=self.data_dir, ready=ready
        )

    async def floor_process(self, role: str) -> None:
        ready = self.data_dir / f"floor-{role}.ready"
        environ = {
            **os.environ,
            "FLOOR_NATS": self.servers.nats_url,
            "FLOOR_SEED": self.secrets.nats_seeds[MIGRATOR],
            "FLOOR_DATABASE": self.servers.postgres.url(FLOOR_DATABASE),
            "FLOOR_READY": str(ready),
        }
        self.children[f"floor-{role}"] = await start_module(
            "benchmarks.floor", role, environ=environ, data_dir=self.data_dir, ready=ready
        )

    async def stop(self) -> None:
        for child in self.children.values():
            await child.stop()
        for client in (self.gateway, self.execution, self.anyone):
            await client.close()
        await self.ours.close()
        await self.floor.close()


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    """Servers, planes and floor, up and idle; a temporary directory holds their data."""
    with tempfile.TemporaryDirectory(prefix="dealix-bench-", ignore_cleanup_errors=True) as directory:
        data_dir = Path(directory)
        secrets = load_or_create(data_dir / "secrets.json")
        async with embedded_servers(data_dir, authorization=authorization(secrets.nats_public_keys())) as servers:
            await migrate(servers.admin_url, secrets.database_passwords)
            await ensure_streams(servers.nats_url, secrets.nats_seeds[MIGRATOR])
            floor_url = await servers.postgres.create_database(FLOOR_DATABASE)
            await servers.postgres.create_database(PEER_DATABASE)
            one = Rig(
                data_dir,
                servers,
                secrets,
                await _client(servers, secrets, "gateway"),
                await _client(servers, secrets, "execution"),
                await _client(servers, secrets, MIGRATOR),
                await asyncpg.connect(servers.admin_url),
                await asyncpg.connect(floor_url),
            )
            try:
                await one.floor_process("trust")
                await asyncio.gather(one.plane("trust"), one.floor_process("execution"))
                await one.plane("execution")
                yield one
            except BaseException:  # interrupted as well: what the planes said last is what helps
                show_logs(data_dir)
                raise
            finally:
                await one.stop()


async def _client(servers: Servers, secrets: Secrets, user: str) -> Client:
    return await nats.connect(
        servers.nats_url, nkeys_seed_str=secrets.nats_seeds[user], inbox_prefix=f"_INBOX_{user}".encode()
    )
