"""The gateway's composition root: the only file that wires."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from pydantic import ValidationError

from libs.contracts.catalogue.roles import roles
from libs.contracts.subjects import EVIDENCE_FILES
from libs.runtime.bus import Bus
from libs.runtime.plane import Runtime
from libs.runtime.settings import SettingsError
from services.gateway.authentication import Authentication, Hasher
from services.gateway.bootstrap import Bootstrap
from services.gateway.briefs.sender import BriefSender
from services.gateway.domain.keyring import Keyring
from services.gateway.files import BusFiles, ImportFiles
from services.gateway.http.context import Gateway
from services.gateway.http.site import application, surround
from services.gateway.idempotency import Idempotency
from services.gateway.metrics import Meter
from services.gateway.oidc.build import single_sign_on
from services.gateway.people import People
from services.gateway.pulse import Pulse
from services.gateway.readiness import Readiness
from services.gateway.reporting.people import PeopleReports
from services.gateway.server import HttpServer, bind
from services.gateway.settings import GatewaySettings
from services.gateway.store import SqlStore, Store
from services.gateway.webhooks.desk import Hooks

SWEEP_SECONDS = 3600.0


async def build(runtime: Runtime) -> None:
    """Wire the plane onto its runtime.

    Raises SettingsError when a setting is unusable or the port is taken.
    """
    settings = read_settings()
    listening = bind(settings.http_host, settings.http_port)
    checks: dict[str, Callable[[], Awaitable[str]]] = {}

    async def health() -> dict[str, str]:
        # The first owner is no matter of this plane's health, but nothing can be used before there is one.
        return {**await runtime.health(), **{name: await check() for name, check in checks.items()}}

    gateway = wire(
        runtime.bus,
        SqlStore(runtime.database),
        settings,
        BusFiles(runtime.bus),
        health=health,
        now=runtime.now,
        hasher=Hasher(),
    )
    gateway.evidence = BusFiles(runtime.bus, EVIDENCE_FILES)
    bootstrap = Bootstrap(gateway, runtime.settings.data_dir)
    server = HttpServer(surround(application(), gateway), listening, trusted_proxies=settings.gateway_trusted_proxies)
    checks["first_owner"] = bootstrap.check
    runtime.checks["http"] = server.check
    runtime.expositions.append(lambda: gateway.meter.text({"dealix_streams_open": float(gateway.pulse.listeners)}))

    async def sweep() -> None:
        while True:
            await gateway.idempotency.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    async def stop() -> None:
        # Streams first: the server waits for what is in work, and a stream would be in work for ever.
        await gateway.pulse.close()
        await server.stop()

    runtime.loop("first owner", bootstrap.run)
    runtime.loop("reports about people", PeopleReports(runtime.database, settings).run)
    runtime.loop("forgetting", sweep)
    sender = BriefSender(gateway.store, gateway.keyring, runtime.bus, runtime.now)
    runtime.loop("briefs", sender.run)
    runtime.after_start.append(server.start)
    runtime.on_stop.append(stop)


def wire(
    bus: Bus,
    store: Store,
    settings: GatewaySettings,
    files: ImportFiles,
    *,
    health: Callable[[], Awaitable[dict[str, str]]],
    now: Callable[[], datetime],
    hasher: Hasher,
) -> Gateway:
    """What the surface works with, over any bus and any store."""
    roles()  # a wrong catalogue stops the start
    keyring = Keyring(settings.secret_key.get_secret_value())
    authentication = Authentication(store, keyring, hasher, settings, now)
    return Gateway(
        bus=bus,
        store=store,
        settings=settings,
        keyring=keyring,
        authentication=authentication,
        people=People(store, keyring, authentication),
        idempotency=Idempotency(store, keyring),
        files=files,
        pulse=Pulse(bus),
        meter=Meter(),
        now=now,
        readiness=Readiness(bus, health),
        hooks=Hooks(store, keyring, authentication, bus),
        single_sign_on=single_sign_on(settings, store, keyring, authentication, now),
    )


def read_settings() -> GatewaySettings:
    """Raises SettingsError naming the first setting that is missing or unusable."""
    try:
        return GatewaySettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DEALIX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is missing or unusable: {first['msg']}.") from error
