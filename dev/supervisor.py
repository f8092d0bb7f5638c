"""The supervisor: one process that owns the data directory and runs everything else.

Start: lock → NATS and PostgreSQL together → migrations → planes together → all ready. Stop: planes, NATS, PostgreSQL.
A server or plane that dies is started again. When the supervisor itself is killed, the kernel ends its children
(`dev.processes`), and the next start sweeps up what might be left.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from dev.directory import any_free_port, open_directory, port_refusal, running_lock, unusable
from dev.embedded import start_together
from dev.environment import ONE_PROCESS, Addresses, plane_environment
from dev.logs import Terminal
from dev.messages import BadSetting, DealixError, PortInUse, Sentence, StartInterrupted
from dev.nats import EmbeddedNats
from dev.planes import FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, PlaneProcess
from dev.postgres import EmbeddedPostgres
from dev.processes import belonging_to, sweep
from dev.secrets import PLANES, Secrets, load_or_create
from dev.settings import SystemSettings
from dev.state import ProcessState, SystemState, dealix_version, write_state

WATCH_SECONDS = 0.2

Authorization = Callable[[Mapping[str, str]], str]
"""From public NKEYs by user to the authorization block of the NATS server."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a preparation may use: the admin's ways in, and every secret."""

    nats_url: str
    admin_url: str = field(repr=False)
    secrets: Secrets
    data_dir: Path
    nats_ca: Path | None = None


Prepare = Callable[[Prepared], Awaitable[Sequence[Sentence]]]
"""Migrations and everything else that must be there before a plane starts; returns what to tell the operator once."""

Settle = Callable[[SystemState], Awaitable[None]]
"""Waits until a system whose planes all run can be used: some of them still have to hear from each other."""


async def no_settling(_: SystemState) -> None:
    """For systems that can be used as soon as their planes run."""


def plane_commands(*, one_process: bool) -> dict[str, list[str]]:
    """How each plane is started, by name."""
    if one_process:
        return {ONE_PROCESS: [sys.executable, "-m", "dev.one_process"]}
    return {plane: [sys.executable, "-m", f"services.{plane}"] for plane in PLANES}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a supervisor needs to know."""

    settings: SystemSettings
    operator: Mapping[str, str] = field(repr=False)
    commands: Mapping[str, Sequence[str]]
    authorization: Authorization
    prepare: Prepare
    settle: Settle = no_settling


class Supervisor:
    """Runs one system. `run` returns after `request_stop` (or a signal); `on_ready` is called once when all serve."""

    def __init__(self, plan: Plan, terminal: Terminal, on_progress: Callable[[Sentence], None]) -> None:
        self._plan = plan
        self._terminal = terminal
        self._progress = on_progress
        self._stop = asyncio.Event()
        self._servers: dict[str, EmbeddedNats | EmbeddedPostgres] = {}
        self._planes: list[PlaneProcess] = []
        self._addresses: Addresses | None = None
        self._secrets: Secrets | None = None
        self.state = SystemState()
        self.was_ready = False

    def request_stop(self) -> None:
        """Stop everything in order; asked a second time, stop waiting for the planes."""
        if self._stop.is_set():
            for plane in self._planes:
                plane.kill()
        self._stop.set()

    async def run(self, on_ready: Callable[[SystemState, Sequence[Sentence]], None]) -> None:
        """Start everything, run until stopped, stop everything. Raises DealixError when the start fails."""
        settings = self._plan.settings
        if settings.health_ports is not None and ONE_PROCESS in self._plan.commands:
            raise BadSetting(
                "DEALIX_HEALTH_PORTS gives each plane a port of its own, and --one-process has one process for all; leave one of them out.",
                "يعطي DEALIX_HEALTH_PORTS كل خدمة منفذًا، بينما يجمعها ‎--one-process في عملية واحدة؛ احذف أحدهما.",
            )
        data_dir = open_directory(settings.data_dir)
        with running_lock(data_dir):
            port = _console_port(settings)
            self.state = SystemState(
                state="starting",
                data_dir=str(data_dir),
                pid=os.getpid(),
                version=dealix_version(),
                started_at=datetime.now(UTC).isoformat(timespec="seconds"),
                console=console_address(settings.http_host, port),
            )
            self._write()
            try:
                await self._until_stopped(self._start(data_dir, port, on_ready))
            except OSError as error:
                # Disk full half-way, files of another account. A network's refusal names no file.
                if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise unusable(Path(error.filename or data_dir), error) from error
            finally:
                await self._shut_down(data_dir)

    async def _until_stopped(self, start: Awaitable[None]) -> None:
        """Run the start and then wait; a stop request in the middle of the start cancels it."""
        starting = asyncio.ensure_future(start)
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return
        try:
            await starting
            watching = asyncio.create_task(self._watch_servers())
            await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        finally:
            stopping.cancel()

    # -- start ---------------------------------------------------------------------------------------------------

    async def _start(
        self, data_dir: Path, port: int, on_ready: Callable[[SystemState, Sequence[Sentence]], None]
    ) -> None:
        await sweep(lambda: belonging_to(data_dir))
        settings = self._plan.settings
        self._secrets = secrets = load_or_create(data_dir / "secrets.json").overridden_by(self._plan.operator)
        await self._start_servers(data_dir, secrets)
        self._addresses = Addresses(
            nats_url=settings.nats_url or self._servers["nats"].address,
            admin_url=(
                settings.database_url.get_secret_value() if settings.database_url else self._postgres().admin_url
            ),
            http_host=settings.http_host,
            http_port=port,
            data_dir=data_dir,
            health_ports=settings.health_ports,
        )
        self._progress(Sentence("Applying migrations …", "تحديث قاعدة البيانات …"))
        prepared = Prepared(self._addresses.nats_url, self._addresses.admin_url, secrets, data_dir, settings.nats_ca)
        notes = await self._plan.prepare(prepared)
        self._progress(Sentence("Starting the planes …", "تشغيل الخدمات …"))
        for name, argv in self._plan.commands.items():
            plane = PlaneProcess(name, argv, data_dir, self._environment_of(name), self._terminal, self._write)
            self._planes.append(plane)
            self.state.planes[name] = plane.state
            plane.start()
        await _all_ready(self._planes, settings.start_seconds)
        await self._plan.settle(self.state)
        self.state.state = "ready"
        self.was_ready = True
        self._write()
        on_ready(self.state, notes)

    async def _start_servers(self, data_dir: Path, secrets: Secrets) -> None:
        settings = self._plan.settings
        if settings.nats_url is None:
            self._servers["nats"] = EmbeddedNats(data_dir, self._plan.authorization(secrets.nats_public_keys()))
        if settings.database_url is None:
            self._servers["postgres"] = EmbeddedPostgres(data_dir)
        if self._servers:
            self._progress(Sentence("Starting NATS and PostgreSQL …", "تشغيل NATS وPostgreSQL …"))
            await start_together(list(self._servers.values()))
        for name, external in (("nats", settings.nats_url), ("postgres", settings.database_url)):
            if external is not None:
                self.state.servers[name] = ProcessState(health="ready", address="external")
        self._describe_servers(data_dir)

    def _describe_servers(self, data_dir: Path) -> None:
        for name, server in self._servers.items():
            known = self.state.servers.setdefault(name, ProcessState(log=str(data_dir / "logs" / f"{name}.log")))
            known.health = "ready"
            known.pid = server.child.pid if server.child else None
            known.address = server.address
        self._write()

    def _postgres(self) -> EmbeddedPostgres:
        server = self._servers["postgres"]
        assert isinstance(server, EmbeddedPostgres)
        return server

    def _environment_of(self, name: str) -> Callable[[], Mapping[str, str]]:
        operator = self._plan.operator
        if self._plan.settings.database_url is None:
            # What runs on servers of its own, from one directory, is for trying things out unless somebody says otherwise.
            operator = {"DEALIX_ENVIRONMENT": "development", **operator}

        def environ() -> Mapping[str, str]:
            assert self._secrets is not None
            assert self._addresses is not None
            return plane_environment(name, operator, self._secrets, self._addresses)

        return environ

    # -- run -----------------------------------------------------------------------------------------------------

    async def _watch_servers(self) -> None:
        while True:
            for name, server in self._servers.items():
                if server.child is None or server.child.exit_code is not None:
                    await self._revive(name, server)
            await asyncio.sleep(WATCH_SECONDS)

    async def _revive(self, name: str, server: EmbeddedNats | EmbeddedPostgres) -> None:
        """Start a dead server again, on the same port; where that is taken, the planes learn the new one."""
        state = self.state.servers[name]
        state.health, state.pid, state.restarts = "restarting", None, state.restarts + 1
        self._write()
        self._terminal.line(name, "ended; starts again")
        before, backoff = server.address, FIRST_BACKOFF_SECONDS
        while True:
            try:
                await server.restart()
                break
            except DealixError as error:
                self._terminal.line(name, f"{error}")
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        assert self._addresses is not None
        self._describe_servers(self._addresses.data_dir)
        if server.address != before:
            await self._move(server)

    async def _move(self, server: EmbeddedNats | EmbeddedPostgres) -> None:
        assert self._addresses is not None
        if isinstance(server, EmbeddedNats):
            self._addresses = replace(self._addresses, nats_url=server.url)
        else:
            self._addresses = replace(self._addresses, admin_url=server.admin_url)
        await asyncio.gather(*(plane.restart() for plane in self._planes))

    # -- stop ----------------------------------------------------------------------------------------------------

    async def _shut_down(self, data_dir: Path) -> None:
        self.state.state = "stopping"
        self._write()
        self._progress(Sentence("Stopping …", "جارٍ الإيقاف …"))
        await asyncio.gather(*(plane.stop() for plane in self._planes))
        for server in self._servers.values():  # NATS first, PostgreSQL last
            await server.stop()
        await sweep(lambda: belonging_to(data_dir))
        self.state.state, self.state.pid = "stopped", None
        for process in self.state.servers.values():
            process.health, process.pid = "stopped", None
        self._write()

    def _write(self) -> None:
        if self.state.state in ("ready", "degraded"):
            processes = (*self.state.servers.values(), *self.state.planes.values())
            self.state.state = "ready" if all(p.health == "ready" for p in processes) else "degraded"
        # The state file is for `dealix status`; a full disk must not end what it describes.
        with contextlib.suppress(OSError):
            write_state(self.state)


async def _all_ready(planes: Sequence[PlaneProcess], timeout: float) -> None:
    """Wait for all; the first that fails ends the wait."""
    waits = [asyncio.create_task(plane.wait_ready(timeout)) for plane in planes]
    try:
        for finished in asyncio.as_completed(waits):
            await finished
    finally:
        for wait in waits:
            wait.cancel()


def _console_port(settings: SystemSettings) -> int:
    """The port for the console. Raises PortInUse with a free one to try, BadSetting for an address not of ours."""
    host, port = settings.http_host, settings.http_port
    if port == 0:
        return any_free_port(host)
    refusal = port_refusal(host, port)
    if refusal is None:
        return port
    if refusal == errno.EADDRNOTAVAIL:
        raise BadSetting(
            f"DEALIX_HTTP_HOST ({host}) is not an address of this machine; use 127.0.0.1 or 0.0.0.0.",
            f"قيمة DEALIX_HTTP_HOST ({host}) ليست عنوانًا لهذا الجهاز؛ استخدم 127.0.0.1 أو 0.0.0.0.",
        )
    if refusal == errno.EACCES:
        raise PortInUse(
            f"Port {port} is reserved for root; use a port from 1024 up: dealix up --port 8080",
            f"المنفذ {port} محجوز لحساب root؛ استخدم منفذًا من 1024 فأعلى: dealix up --port 8080",
        )
    other = next((p for p in range(port + 1, min(port + 100, 65536)) if port_refusal(host, p) is None), None)
    other = other or any_free_port(host)
    raise PortInUse(
        f"Port {port} is in use by another program; stop it, or use another port: dealix up --port {other}",
        f"المنفذ {port} مشغول ببرنامج آخر؛ أوقفه أو استخدم منفذًا آخر: dealix up --port {other}",
    )


def console_address(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


async def supervise(
    plan: Plan,
    *,
    terminal: Terminal,
    on_progress: Callable[[Sentence], None],
    on_ready: Callable[[SystemState, Sequence[Sentence]], None],
) -> None:
    """Run the system until SIGINT, SIGTERM or SIGHUP. Raises DealixError when it does not get as far as ready."""
    supervisor = Supervisor(plan, terminal, on_progress)
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sig, supervisor.request_stop)
    await supervisor.run(on_ready)
    if not supervisor.was_ready:
        raise StartInterrupted(
            "The start was stopped before everything was ready; start again with `dealix up`.",
            "أُوقف التشغيل قبل أن يجهز كل شيء؛ شغّله من جديد بالأمر dealix up.",
        )
