"""What the plane's own connections say about themselves: whether they are encrypted, how, and whether they leave this host at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import FactsReported, LinkSeen
from libs.contracts.subjects import OBSERVED
from libs.runtime.database import BatchWork
from libs.runtime.tls import nats_tls

if TYPE_CHECKING:
    from libs.runtime.plane import Runtime

EVERY_SECONDS = 3600.0
_DATABASE = """
select coalesce(s.ssl, false) as encrypted, coalesce(s.version, '') as version,
  inet_client_addr() is null or inet_client_addr() = inet_server_addr() or inet_client_addr() <<= '127.0.0.0/8' as local
from (select 1) one left join pg_stat_ssl s on s.pid = pg_backend_pid()
"""
Tell = Callable[[BatchWork, FactsReported], None]


def is_local(host: str | None) -> bool:
    """Whether an address is this host's own."""
    if host in (None, "", "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


class Links:
    """Reports a plane's connections, once at the start and then every hour. `more` are those that the plane alone knows."""

    def __init__(self, runtime: Runtime, more: Callable[[], Sequence[LinkSeen]] = tuple) -> None:
        self._runtime = runtime
        self._more = more

    async def run(self) -> None:
        """Report, for ever."""
        while True:
            async with self._runtime.database.batch(PLATFORM) as work:
                work.emit(OBSERVED[self._runtime.plane], await self.read(work))
            await asyncio.sleep(EVERY_SECONDS)

    async def read(self, work: BatchWork) -> FactsReported:
        plane = self._runtime.plane
        now = await work.connection.fetchval("select now()")
        row = await work.connection.fetchrow(_DATABASE)
        database = LinkSeen(subject=f"{plane.value}/database", **row)
        return FactsReported(
            tenant_id=PLATFORM, at=now, facts=(database, self._bus(plane), *self._more()), whole=("link",)
        )

    def _bus(self, plane: Plane) -> LinkSeen:
        settings = self._runtime.settings
        context = nats_tls(settings.nats_url, settings.nats_ca)
        hosts = [urlsplit(one.strip()).hostname for one in settings.nats_url.split(",")]
        return LinkSeen(
            subject=f"{plane.value}/bus", encrypted=context is not None,
            version=context.minimum_version.name.replace("_", ".") if context is not None else "",
            local=all(is_local(host) for host in hosts),
        )  # fmt: skip
