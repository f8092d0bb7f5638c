"""Whether the whole system can work: every plane answers, and says that it is well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from libs.contracts.errors import DealixError
from libs.contracts.message import Plane
from libs.contracts.operating import PingRequest
from libs.contracts.subjects import PINGS
from libs.runtime.bus import Bus
from libs.runtime.settings import VERSION

BELIEVED_SECONDS = 1.0
"""How long an answer of the planes is given again: asking costs a call to each of them, and anybody may ask."""


class PlaneReady(BaseModel):
    ready: bool
    version: str | None = None
    checks: dict[str, str] = {}


class Ready(BaseModel):
    ready: bool
    version: str
    planes: dict[str, PlaneReady]


class Readiness:
    """Pings every plane, at most once a second."""

    def __init__(self, bus: Bus, own: Callable[[], Awaitable[dict[str, str]]]) -> None:
        self._bus = bus
        self._own = own
        self._last: tuple[float, Ready] | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> Ready:
        async with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > BELIEVED_SECONDS:
                self._last = (time.monotonic(), await self._ask())
            return self._last[1]

    async def _ask(self) -> Ready:
        others = [plane for plane in Plane if plane is not Plane.GATEWAY]
        answers = await asyncio.gather(*(self._ping(plane) for plane in others))
        own = await self._own()
        planes = {plane.value: answer for plane, answer in zip(others, answers, strict=True)}
        planes[Plane.GATEWAY.value] = PlaneReady(ready=_fine(own), version=VERSION, checks=own)
        return Ready(ready=all(p.ready for p in planes.values()), version=VERSION, planes=planes)

    async def _ping(self, plane: Plane) -> PlaneReady:
        try:
            reply = await self._bus.call(PINGS[plane], PingRequest())
        except DealixError as error:
            return PlaneReady(ready=False, checks={"ping": error.code})
        return PlaneReady(ready=_fine(reply.checks), version=reply.version, checks=reply.checks)


def _fine(checks: dict[str, str]) -> bool:
    """No check is no health."""
    return bool(checks) and all(value == "ok" for value in checks.values())
