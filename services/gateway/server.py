"""The HTTP server inside the plane's own event loop: uvicorn with httptools, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from libs.runtime.settings import SettingsError

STOP_SECONDS = 4
"""How long requests in work may take after the stop began; a live stream ends at once by itself."""


def bind(host: str, port: int) -> socket.socket:
    """Take the address, so that a taken one stops the start.

    Raises SettingsError, one sentence that says what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"DEALIX_HTTP_HOST is unusable: {host} is no address of this machine.") from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        # Listening as well: without it a second process could bind the same address.
        made.listen(1024)
        made.setblocking(False)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {port} on {host} is in use; stop what uses it or choose another with DEALIX_HTTP_PORT (`dealix up --port`)."
            ) from error
        raise SettingsError(
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}); choose another DEALIX_HTTP_HOST or DEALIX_HTTP_PORT."
        ) from error
    return made


class _Quiet(uvicorn.Server):
    """The plane's runner has the signals; uvicorn's handlers would take them away from it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an application on a bound socket until `stop`."""

    def __init__(self, app: ASGIApp, listening: socket.socket, *, trusted_proxies: str = "") -> None:
        self._socket = listening
        # Its start and stop are told by the plane's runner.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._server = _Quiet(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=trusted_proxies or None,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, also where any free one was asked for."""
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Return once it accepts connections. Raises whatever ended it before that."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="http")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise RuntimeError("the HTTP server ended before it began")
            await asyncio.sleep(0.005)

    async def check(self) -> str:
        return "ok" if self._server.started and self._task is not None and not self._task.done() else "stopped"

    async def stop(self) -> None:
        """Accept nothing more, let what is in work finish, close."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()
