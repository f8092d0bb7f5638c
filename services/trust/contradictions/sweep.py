"""The sweep: what writing did not see. Facts that arrived side by side, and keys whose rules are stricter since."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from libs.contracts.claims import Contradiction
from services.trust.contradictions.watching import of_people, write
from services.trust.store import Store

PAGE = 200
"""Subjects compared in one transaction."""
EVERY = 60.0

Tenants = Callable[[], Awaitable[list[UUID]]]


class Sweep:
    def __init__(self, store: Store, tenants: Tenants, *, every: float = EVERY) -> None:
        self._store = store
        self._tenants = tenants
        self._every = every

    async def run(self) -> None:
        """Sweep every tenant, for ever."""
        while True:
            await self.run_once()
            await asyncio.sleep(self._every)

    async def run_once(self) -> None:
        for tenant in await self._tenants():
            await self.tenant(tenant)

    async def tenant(self, tenant_id: UUID) -> list[Contradiction]:
        """Compare everything that is current about one tenant's subjects. Returns what was opened."""
        async with self._store.unit(tenant_id) as unit:
            await of_people(unit, tenant_id, None, found_by="sweep")
        opened: list[Contradiction] = []
        after = ""
        while True:
            async with self._store.unit(tenant_id) as unit:
                subjects = await unit.contradictions.crowded(tenant_id, after, PAGE)
                if not subjects:
                    return opened
                current = await unit.contradictions.current([(tenant_id, subject) for subject in subjects])
                opened += await write(unit, current, found_by="sweep")
            after = subjects[-1]
