"""Tenants' business hours as trust keeps them: asked for where a flow waits by them, and remembered for a minute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.business_time import Opening
from libs.contracts.errors import DealixError
from libs.contracts.subjects import TENANT_HOURS
from libs.contracts.tenant_hours import HoursRequest
from libs.runtime.bus import Bus

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)
KEPT = timedelta(hours=1)
"""How long hours count while trust is silent; after that nobody knows them, and what waits by them waits on."""


class Hours:
    def __init__(self, bus: Bus, now: Callable[[], datetime]) -> None:
        self._bus = bus
        self._now = now
        self._known: dict[UUID, tuple[datetime, Opening]] = {}
        self._wanted: set[UUID] = set()

    def want(self, tenant_id: UUID) -> None:
        """Ask for a tenant's hours before its next turn, and keep them fresh from then on."""
        self._wanted.add(tenant_id)

    def of(self, tenant_id: UUID) -> Opening | None:
        found = self._known.get(tenant_id)
        return found[1] if found is not None and self._now() - found[0] < KEPT else None

    async def learn(self, tenants: Collection[UUID]) -> None:
        """Ask for what is wanted and not fresh. Silence changes nothing."""
        now = self._now()
        stale = [
            one for one in self._wanted & set(tenants) if one not in self._known or now - self._known[one][0] >= FRESH
        ]
        if stale:
            await asyncio.gather(*(self._ask(one, now) for one in stale))

    async def _ask(self, tenant_id: UUID, now: datetime) -> None:
        try:
            self._known[tenant_id] = now, await self._bus.call(TENANT_HOURS, HoursRequest(tenant_id=tenant_id))
        except DealixError as error:
            log.warning("business hours could not be read: %s", error.code)
