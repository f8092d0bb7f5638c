"""The ways from one process to the servers, which a test may slow down and cut: a small TCP proxy each."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

CHUNK = 64 * 1024


@dataclass
class Link:
    """One way to one server. `cut` drops what is connected and refuses what comes; `slow` delays every piece of data."""

    host: str
    port: int
    random: random.Random
    delay: float = 0.0
    down: bool = False
    local: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.local = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.drop()
        if self._server is not None:
            self._server.close()

    def through(self, url: str) -> str:
        """The same URL by this link."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self.local}"))

    def drop(self) -> None:
        """Break every connection at once, without a goodbye."""
        for writer in list(self._open):
            writer.transport.abort()
        self._open.clear()

    async def cut(self, seconds: float) -> None:
        self.down = True
        self.drop()
        await asyncio.sleep(seconds)
        self.down = False

    async def slow(self, seconds: float, delay: float) -> None:
        """Every piece of data in both directions takes up to `delay` seconds more for a while."""
        self.delay = delay
        await asyncio.sleep(seconds)
        self.delay = 0.0

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()  # the server itself is away
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                self._open.discard(one)
                one.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.random.uniform(0, self.delay))
                writer.write(data)
                await writer.drain()
        # One end is gone: the other hears it at once, as when a cable is pulled.
        writer.close()


def link(url: str, chance: random.Random) -> Link:
    """A link to the server that a URL names."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError("the server's address has no host and port")
    return Link(parts.hostname, parts.port, chance)
