"""NATS and PostgreSQL as somebody else's servers: processes of their own with TLS required, reached by address and authority alone.

NATS ends TLS itself; PostgreSQL has a door in front (`tls_door`).

With `DEALIX_TEST_SERVERS=tls` every live test that asks the harness for servers runs against these (`make tls-test`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

from dev.embedded import Servers, start_together
from dev.nats import EmbeddedNats
from dev.postgres import EmbeddedPostgres
from tests.deploy.certificates import Issued, authority
from tests.live.tls_door import TlsDoor

CHOSEN = "DEALIX_TEST_SERVERS"


class TlsNats(EmbeddedNats):
    """A server that talks TLS only, under a certificate of the test's authority."""

    def __init__(self, data_dir: Path, authorization: str, issued: Issued) -> None:
        super().__init__(data_dir, f"{authorization}\n{_tls_block(issued)}", sync_interval="2m")

    async def _launch(self, port: int) -> bool:
        started = await super()._launch(port)
        self.url = self.url.replace("nats://", "tls://")
        return started


class TlsPostgres(EmbeddedPostgres):
    """A server behind a door that lets nobody in without TLS: the wheel's build has no TLS of its own."""

    def __init__(self, data_dir: Path, issued: Issued) -> None:
        super().__init__(data_dir, sync_new_cluster=False)
        self._issued = issued
        self._door: TlsDoor | None = None

    def url(self, database: str) -> str:
        plain = super().url(database)
        if self._door is None:
            return plain
        options = urlencode({"sslmode": "verify-full", "sslrootcert": str(self._issued.authority)})
        return f"{plain.replace(f':{self.port}/', f':{self._door.port}/')}?{options}"

    async def start(self) -> None:
        await super().start()
        if self._door is None:
            door = TlsDoor(self._issued.certificate, self._issued.key, self.port)
            door.open()
            self._door = door
        self._door.behind = self.port

    def close_door(self) -> None:
        if self._door is not None:
            self._door.close()


def _tls_block(issued: Issued) -> str:
    return f'tls {{\n  cert_file: "{issued.certificate}"\n  key_file: "{issued.key}"\n}}\n'


@asynccontextmanager
async def tls_servers(
    data_dir: Path, *, authorization: str = "", nats: Issued | None = None, postgres: Issued | None = None
) -> AsyncIterator[tuple[Servers, Path]]:
    """Both servers, and the file of the authority that signed their certificates, which are for 127.0.0.1 where none is given."""
    issued = authority(data_dir / "tls").issue("127.0.0.1", "localhost")
    postgres_server = TlsPostgres(data_dir, postgres or issued)
    servers = Servers(TlsNats(data_dir, authorization, nats or issued), postgres_server)
    await start_together((servers.nats, servers.postgres))
    try:
        yield servers, issued.authority
    finally:
        await servers.nats.stop()
        postgres_server.close_door()
        await servers.postgres.stop()


def chosen(environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get(CHOSEN) == "tls"
