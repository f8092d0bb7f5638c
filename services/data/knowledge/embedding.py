"""Gives every piece its vector, in the background; again when the model has changed."""

from __future__ import annotations

import asyncio

from libs.runtime.plane import Runtime
from services.data.crm.domain.text import fold_words
from services.data.knowledge.domain.chunks import passage_text
from services.data.knowledge.embedder import Embedder
from services.data.knowledge.store import Shelf

LOOK_SECONDS = 1.0
PAGE = 8
"""Pieces at a time: a question that comes meanwhile waits for so many."""


class Embedding:
    """Works through the queue of tenants; what it did not finish stays in it."""

    def __init__(self, runtime: Runtime, embedder: Embedder) -> None:
        self._database = runtime.database
        self._embedder = embedder

    async def run(self) -> None:
        while True:
            if not await self.some():
                await asyncio.sleep(LOOK_SECONDS)

    async def some(self) -> bool:
        """Embed one page of one tenant. False when there is nothing to do."""
        async with self._database.batch() as work:
            tenant = await work.connection.fetchval("select tenant_id from data.embedding_queue limit 1")
        if tenant is None:
            return False
        async with self._database.batch(tenant) as work:
            # Off the queue with the same commit that found nothing left: a document added meanwhile waits for this row.
            await work.connection.execute("delete from data.embedding_queue where tenant_id = $1", tenant)
            rows = await Shelf(work, tenant, self._embedder.model_id).unembedded(PAGE)
            if rows:
                await work.connection.execute(
                    "insert into data.embedding_queue (tenant_id) values ($1) on conflict do nothing", tenant
                )
        if rows:
            vectors = await self._embedder.passages(
                [passage_text(row["title"], row["heading"], row["body"]) for row in rows]
            )
            folded = [fold_words(f"{row['title']} {row['heading']} {row['body']}") for row in rows]
            async with self._database.batch(tenant) as work:
                shelf = Shelf(work, tenant, self._embedder.model_id)
                await shelf.embed([row["chunk_id"] for row in rows], vectors, folded)
        return True

    async def all_again(self) -> None:
        """Put every tenant on the queue once at the start: the model may be another one since."""
        async with self._database.batch() as work:
            await work.connection.execute(
                "insert into data.embedding_queue (tenant_id) select tenant_id from data.slugs on conflict do nothing"
            )
