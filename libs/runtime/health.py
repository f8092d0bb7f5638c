"""A plane's own small HTTP door for what runs it: liveness, readiness, metrics. Nothing else, and nothing of any tenant.

Orchestrators ask here (`DEALIX_HEALTH_PORT`); people and clients go through the gateway. It listens as soon as the process does, so
that a plane that is still starting says so instead of refusing the connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from libs.runtime.settings import SettingsError

ASK_SECONDS = 5.0
"""How long a client may take over its request."""
_LONGEST_HEAD = 8 * 1024
_STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Checks = Callable[[], Awaitable[Mapping[str, str]]]
Metrics = Callable[[], Awaitable[str]]


class HealthServer:
    """`/healthz` (this process answers), `/readyz` (every check is ok; 503 otherwise, naming which), `/metrics`."""

    def __init__(self, host: str, port: int, *, checks: Checks, metrics: Metrics) -> None:
        self._host, self._port = host, port
        self._checks, self._metrics = checks, metrics
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises SettingsError when the port is taken."""
        try:
            self._server = await asyncio.start_server(self._answer, self._host, self._port, limit=_LONGEST_HEAD)
        except OSError as error:
            raise SettingsError(
                f"Port {self._port} is in use; choose another with DEALIX_HEALTH_PORT ({error.strerror or error})."
            ) from error

    @property
    def port(self) -> int:
        """The port that it listens on, also where any free one was asked for."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                status, kind, body = await self._respond(await reader.readuntil(b"\r\n\r\n"))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            status, kind, body = 400, "text/plain", b"unreadable request\n"
        head = (
            f"HTTP/1.1 {status} {_STATUS[status]}\r\ncontent-type: {kind}; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            writer.close()

    async def _respond(self, head: bytes) -> tuple[int, str, bytes]:
        parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(parts) != 3:
            return 400, "text/plain", b"unreadable request\n"
        method, path = parts[0], parts[1].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"GET only\n"
        if path == "/healthz":
            return 200, "application/json", b'{"status":"ok"}\n'
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4", (await self._metrics()).encode()
        if path == "/readyz":
            checks = dict(await self._checks())
            # No check is no health.
            ready = bool(checks) and all(value == "ok" for value in checks.values())
            return 200 if ready else 503, "application/json", json.dumps({"ready": ready, "checks": checks}).encode()
        return 404, "text/plain", b"not here\n"
