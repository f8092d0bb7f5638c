"""Puts what imports wrote into the text to search in, in the background."""

from __future__ import annotations

import asyncio

from libs.runtime.plane import Runtime
from services.data.crm.search import SearchText

LOOK_SECONDS = 1.0
REST = 2.0
"""It rests so many times as long as a page took, and waits while an import is being written or assessed."""


class Indexer:
    """Works through the queue of tenants; what it did not finish stays in it."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def run(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            more = await self.some()
            # Searching may lag behind a long import; answering people and ranking what came may not.
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(took * REST if more else LOOK_SECONDS)

    async def some(self) -> bool:
        """Index one page of one tenant. False when there is nothing to do."""
        async with self._database.batch() as work:
            tenant = await work.connection.fetchval(
                "select tenant_id from data.search_queue where due_at <= now() and not exists (select 1 from data.import_queue where lease_until > now()) limit 1"
            )
        if tenant is None:
            return False
        async with self._database.batch(tenant) as work:
            # Off the queue first: an import that puts the tenant on again while this page is written is not lost.
            await work.connection.execute("delete from data.search_queue where tenant_id = $1", tenant)
            text = SearchText(work, tenant)
            if await text.index_some():
                await text.enqueue()
        return True
