"""A door that speaks PostgreSQL's TLS negotiation in front of a server whose build has none, as a managed database's proxy does.

The client's side is real: SSLRequest, the server's certificate, verification. Behind the door is loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from pathlib import Path

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL documentation, "Message Formats": SSLRequest."""
_REFUSAL = b"SFATAL\0VFATAL\0C28000\0Mconnections without TLS are refused\0\0"


class TlsDoor:
    """Listens on `port` of 127.0.0.1 in a thread of its own, so that a test may block its own loop."""

    def __init__(self, certificate: Path, key: Path, behind: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.behind = behind
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            first = await reader.readexactly(8)
            if first != SSL_REQUEST:
                writer.write(b"E" + struct.pack("!i", len(_REFUSAL) + 4) + _REFUSAL)
                await writer.drain()
                return
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
            inner, outer = await asyncio.open_connection("127.0.0.1", self.behind)
            await asyncio.wait(
                {asyncio.create_task(_pour(reader, outer)), asyncio.create_task(_pour(inner, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
            outer.close()
        writer.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
