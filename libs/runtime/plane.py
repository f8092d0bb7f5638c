"""Runs a plane: settings, telemetry, database, bus, the plane's own `build`, heartbeat, clean stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import uvloop

from libs.contracts.message import Plane
from libs.contracts.operating import HealthReported, PingReply, PingRequest, SpanRecord, SpansExported
from libs.contracts.subjects import HEALTH, OBSERVED, OWN_CREDENTIALS, PINGS, SPANS, TAKE_EVENT
from libs.runtime import telemetry
from libs.runtime.bus import NatsBus
from libs.runtime.database import Database
from libs.runtime.dead_events import Retaking
from libs.runtime.delivery import Consumer, Relay
from libs.runtime.health import HealthServer
from libs.runtime.links import Links
from libs.runtime.metering import exposition
from libs.runtime.objectives import Objectives
from libs.runtime.own_credentials import own_credentials
from libs.runtime.preflight import check_plugins, preflight
from libs.runtime.replica import Replica
from libs.runtime.settings import VERSION, PlaneSettings, SettingsError, adopt_secret_files, load

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Runtime:
    """What a plane's composition root gets to build with."""

    plane: Plane
    settings: PlaneSettings
    bus: NatsBus
    database: Database
    instance: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    now: Callable[[], datetime] = utc_now
    checks: dict[str, Callable[[], Awaitable[str]]] = field(default_factory=dict)
    """Named health checks of the plane; anything but `ok` makes it unhealthy."""
    gauges: dict[str, Callable[[], Awaitable[float]]] = field(default_factory=dict)
    """Values for `/metrics` by full metric name, e.g. `dealix_due_backlog`; read when asked."""
    expositions: list[Callable[[], str]] = field(default_factory=list)
    """Further text for `/metrics`, in the Prometheus text format."""
    on_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    after_start: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _loops: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)

    def loop(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """A background task for as long as the plane lives; restarted a second after it fails."""
        self._loops.append((name, run))

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
                return
            except Exception:  # a loop is for ever: what it meets once must not end it
                log.exception("a background loop failed and starts again", extra={"ids": {"loop": name}})
                await asyncio.sleep(1)

    async def health(self) -> dict[str, str]:
        """Every check's answer. A check that raises answers with the error's name."""
        checks = {"bus": "ok" if self.bus.connected else "disconnected", "database": await self._database_check()}
        for name, check in self.checks.items():
            try:
                checks[name] = await asyncio.wait_for(check(), 2)
            except Exception as error:  # not logged: probes ask every second, and the answer carries it
                checks[name] = type(error).__name__
        return checks

    async def metrics(self) -> str:
        """What `/metrics` shows. A gauge that can't be read is left out: absent is what alerts look for, and 0 would be a claim."""
        values = {}
        for name, read in {"dealix_outbox_unpublished": self._unpublished, **self.gauges}.items():
            try:
                values[name] = await asyncio.wait_for(read(), 2)
            except Exception as error:  # one gauge must not take the others from whoever watches
                log.warning("a gauge can't be read: %s", type(error).__name__, extra={"ids": {"gauge": name}})
        own = exposition(self.plane.value, VERSION, await self.health(), values)
        return own + "".join(more() for more in self.expositions)

    async def _unpublished(self) -> float:
        async with self.database.batch() as work:
            return float(await work.connection.fetchval("select count(*) from outbox where published_at is null"))

    async def _database_check(self) -> str:
        try:
            async with asyncio.timeout(2), self.database.batch() as work:
                await work.connection.fetchval("select 1")
            return "ok"
        except Exception as error:  # not logged, as above
            return type(error).__name__


async def ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end. Once is not always enough: before Python 3.12 `wait_for` swallows a cancellation that
    arrives together with its result, and the task goes on."""
    running: Collection[asyncio.Task[Any]] = tasks
    while running := [task for task in running if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=1)


Build = Callable[[Runtime], Awaitable[None]]


class RunningPlane:
    """One plane in this process; `run` has one, `--one-process` has six."""

    def __init__(self, plane: Plane, build: Build, settings: PlaneSettings) -> None:
        self.build = build
        bus = NatsBus(plane, settings.nats_url, settings.nats_seed, ca=settings.nats_ca)
        replica = None
        if settings.read_database_url:
            replica = Replica(plane, settings.read_database_url, limit=settings.read_max_age_seconds)
        database = Database(plane, settings.database_url, pool_size=settings.database_pool, replica=replica)
        self.runtime = Runtime(plane, settings, bus, database)

        self.serving = False
        self._door: HealthServer | None = None

    async def start(self) -> None:
        """Listen for health, check what must hold, then serve.

        Raises SettingsError with one sentence when the plane must not serve here.
        """
        runtime = self.runtime
        if runtime.settings.health_port is not None:
            self._door = HealthServer(
                runtime.settings.health_host,
                runtime.settings.health_port,
                checks=self._readiness,
                metrics=runtime.metrics,
            )
            await self._door.start()
        check_plugins()
        await preflight(runtime.settings, runtime.now)
        await runtime.database.start()
        if (replica := runtime.database.replica) is not None:
            runtime.loop("read-only copy", partial(replica.run, runtime.database.position))
            runtime.expositions.append(lambda: "\n".join(replica.lines()) + "\n")
        await self.build(runtime)
        runtime.bus.serve(PINGS[runtime.plane], self._ping)
        if (credentials := OWN_CREDENTIALS.get(runtime.plane)) is not None:
            runtime.bus.serve(credentials, partial(own_credentials, runtime))
        if (retake := TAKE_EVENT.get(runtime.plane)) is not None:
            runtime.bus.serve(retake, Retaking(runtime.bus, runtime.database).take)
        await runtime.bus.start()
        loop = asyncio.get_running_loop()

        def sink(plane: Plane, spans: tuple[SpanRecord, ...]) -> None:
            message = SpansExported(plane=plane, spans=spans)
            loop.call_soon_threadsafe(lambda: loop.create_task(runtime.bus.signal(SPANS, message)))

        telemetry.route_spans(runtime.plane, sink)
        relay = Relay(runtime.database, runtime.bus)
        if runtime.plane in OBSERVED:
            runtime.loop("own connections", Links(runtime).run)
        loops: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("relay", relay.run), ("sweep", relay.sweep), ("heartbeat", self._heartbeat), ("objectives", Objectives(runtime).run),
            *runtime._loops,
        ]  # fmt: skip
        loops += [
            (event.subject, Consumer(event, handler, runtime.database, runtime.bus).run)
            for event, handler in runtime.bus.events
        ]
        runtime._tasks = [asyncio.create_task(runtime._keep(name, run), name=name) for name, run in loops]
        for hook in runtime.after_start:
            await hook()
        self.serving = True
        log.info("serving", extra={"ids": {"plane": runtime.plane.value, "version": VERSION}})

    async def _readiness(self) -> dict[str, str]:
        return await self.runtime.health() if self.serving else {"start": "starting"}

    async def stop(self) -> None:
        """Say that no more should come, finish what is in hand, end."""
        self.serving = False
        for hook in reversed(self.runtime.on_stop):
            await hook()
        await ended(self.runtime._tasks)
        telemetry.flush()
        await self.runtime.bus.stop()
        await self.runtime.database.stop()
        if self._door is not None:
            await self._door.stop()

    async def _ping(self, _: PingRequest) -> PingReply:
        return PingReply(
            plane=self.runtime.plane,
            version=VERSION,
            instance=self.runtime.instance,
            checks=await self.runtime.health(),
        )

    async def _heartbeat(self) -> None:
        while True:
            checks = await self.runtime.health()
            await self.runtime.bus.signal(
                HEALTH,
                HealthReported(
                    plane=self.runtime.plane,
                    instance=self.runtime.instance,
                    version=VERSION,
                    at=self.runtime.now(),
                    healthy=all(value == "ok" for value in checks.values()) and bool(checks),
                    checks=checks,
                ),
            )
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _spare_collections() -> None:
    """Keep what was loaded at the start out of the garbage collector, and let it look rarely at the rest.

    With Python's defaults a batch of a hundred actions makes it walk everything dozens of times: half of a plane's CPU (measured).
    Messages are trees without cycles, which reference counting frees at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _serve(planes: list[tuple[Plane, Build]]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    adopt_secret_files(os.environ, *(plane for plane, _ in planes))
    settings = [load(plane) for plane, _ in planes]
    telemetry.start(ratio=settings[0].trace_ratio, level=settings[0].log_level)
    running = [RunningPlane(plane, build, s) for (plane, build), s in zip(planes, settings, strict=True)]
    if len(running) > 1 and settings[0].health_port:
        raise SettingsError("DEALIX_HEALTH_PORT names one port and this process runs several planes: leave it unset.")
    await asyncio.gather(*(one.start() for one in running))
    _spare_collections()
    if settings[0].ready_file is not None:
        settings[0].ready_file.write_text(f'{{"pid": {os.getpid()}, "version": "{VERSION}"}}', encoding="utf-8")
    await stop.wait()
    # The gateway first, so that nothing new enters while the others finish.
    for one in reversed(running):
        await one.stop()


def run(*planes: tuple[Plane, Build]) -> None:
    """Run planes in this process until SIGTERM or Ctrl-C; exit code 2 with one sentence when settings are unusable."""
    try:
        uvloop.run(_serve(list(planes)))
    except SettingsError as error:
        print(f"dealix: {error}", file=sys.stderr)
        sys.exit(2)
