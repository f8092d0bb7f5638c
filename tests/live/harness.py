"""Planes on real embedded servers, in the test's own process: the same permissions, roles and streams as in production."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dev.embedded import Servers, embedded_servers
from dev.prepare import authorization
from dev.secrets import MIGRATOR, Secrets, load_or_create
from libs.contracts.message import Plane
from libs.runtime import telemetry
from libs.runtime.bus import NatsBus
from libs.runtime.migrate import ensure_streams, migrate
from libs.runtime.plane import RunningPlane, Runtime
from libs.runtime.settings import load
from tests.live.tls_servers import chosen, tls_servers


@dataclass
class System:
    """Running planes, and a bus as any plane would have it."""

    servers: Servers
    secrets: Secrets
    planes: Mapping[Plane, RunningPlane]

    def runtime(self, plane: Plane) -> Runtime:
        return self.planes[plane].runtime

    def database_url(self, plane: Plane) -> str:
        return self.secrets.database_url(plane.value, self.servers.admin_url)

    @asynccontextmanager
    async def bus(self, plane: Plane) -> AsyncIterator[NatsBus]:
        """Another connection with `plane`'s own credentials."""
        bus = NatsBus(plane, self.servers.nats_url, self.secrets.nats_seeds[plane.value])
        await bus.start()
        try:
            yield bus
        finally:
            await bus.stop()


@asynccontextmanager
async def _servers(data_dir: Path, rights: str) -> AsyncIterator[Servers]:
    """Embedded servers, or with DEALIX_TEST_SERVERS=tls those of `tls_servers`, whose authority this process then believes."""
    if not chosen():
        async with embedded_servers(data_dir, authorization=rights) as servers:
            yield servers
        return
    async with tls_servers(data_dir, authorization=rights) as (servers, ca):
        before = {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "DEALIX_NATS_CA")}
        os.environ.update(SSL_CERT_FILE=str(ca), DEALIX_NATS_CA=str(ca))
        try:
            yield servers
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


@asynccontextmanager
async def prepared_servers(data_dir: Path) -> AsyncIterator[tuple[Servers, Secrets]]:
    """Embedded servers with users, roles, tables and streams, and no plane."""
    data_dir.mkdir(parents=True, exist_ok=True)
    secrets = load_or_create(data_dir / "secrets.json")
    async with _servers(data_dir, authorization(secrets.nats_public_keys())) as servers:
        await migrate(servers.admin_url, secrets.database_passwords)
        await ensure_streams(servers.nats_url, secrets.nats_seeds[MIGRATOR])
        yield servers, secrets


@asynccontextmanager
async def system(data_dir: Path, *planes: Plane) -> AsyncIterator[System]:
    """The planes, started; all six when none is named."""
    async with prepared_servers(data_dir) as (servers, secrets):
        environment = {"DEALIX_NATS_URL": servers.nats_url, "DEALIX_DATA_DIR": str(data_dir)}
        # As `dealix up` does over servers of its own; what holds in production has tests that say so.
        environment.setdefault("DEALIX_ENVIRONMENT", os.environ.get("DEALIX_ENVIRONMENT", "development"))
        environment |= {"DEALIX_SECRET_KEY": secrets.secret_key, "DEALIX_TRUST_KEYS": secrets.trust_keys_json()}
        for plane in Plane:
            prefix = f"DEALIX_{plane.value.upper()}_"
            environment[f"{prefix}NATS_SEED"] = secrets.nats_seeds[plane.value]
            environment[f"{prefix}DATABASE_URL"] = secrets.database_url(plane.value, servers.admin_url)
        before = dict(os.environ)
        os.environ.update(environment)
        telemetry.start()
        running: dict[Plane, RunningPlane] = {}
        try:
            for plane in planes or tuple(Plane):
                build = import_module(f"services.{plane.value}.app").build
                running[plane] = RunningPlane(plane, build, load(plane))
                await running[plane].start()
            yield System(servers, secrets, running)
        finally:
            for one in reversed(running.values()):
                await one.stop()
            os.environ.clear()
            os.environ.update(before)
