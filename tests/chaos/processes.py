"""Planes as real processes that a test may kill, stop and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from dev.embedded import Servers
from dev.environment import Addresses, plane_environment
from dev.secrets import Secrets
from tests.chaos.links import Link


@dataclass
class Replica:
    """One process of a plane. `start` again after a kill is the same replica with a new pid."""

    plane: str
    number: int
    servers: Servers
    secrets: Secrets
    data_dir: Path
    links: tuple[Link, Link] | None = None
    """The ways to NATS and to PostgreSQL that may be slowed down and cut; without them the replica goes straight."""
    process: asyncio.subprocess.Process | None = field(default=None)

    @property
    def clock(self) -> Path:
        """Seconds that this replica's clock is off."""
        return self.data_dir / f"{self.plane}-{self.number}.clock"

    async def start(self) -> None:
        nats_url, admin_url = self.servers.nats_url, self.servers.admin_url
        if self.links is not None:
            for one in self.links:
                if not one.local:
                    await one.start()
            nats_url, admin_url = self.links[0].through(nats_url), self.links[1].through(admin_url)
        addresses = Addresses(nats_url, admin_url, "127.0.0.1", 0, self.data_dir)
        environment = plane_environment(self.plane, os.environ, self.secrets, addresses)
        environment |= {"DEALIX_TRACE_RATIO": "0.01", "DEALIX_LOG_LEVEL": "ERROR"}
        log = (self.data_dir / f"{self.plane}-{self.number}.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.clocked",
            self.plane,
            str(self.clock),
            env=environment,
            stdout=log,
            stderr=log,
        )
        log.close()

    async def kill(self) -> None:
        """SIGKILL, and start again at once: what a supervisor does."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()
        await self.start()

    async def freeze(self, seconds: float) -> None:
        """SIGSTOP for a while: leases end, replies come too late, and then the zombie wakes up."""
        self._signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._signal(signal.SIGCONT)

    async def jump(self, offset: float, seconds: float) -> None:
        """A clock that is wrong for a while, without the process noticing why."""
        self.clock.write_text(str(offset))
        await asyncio.sleep(seconds)
        self.clock.write_text("0")

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
