"""Documents, their pieces and memories in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.knowledge import Document, Memory, Passage, Remember
from libs.contracts.message import new_id
from libs.runtime.database import BatchWork
from services.data.knowledge.domain.chunks import Chunk

_DOCUMENT = (
    "select d.document_id, d.title, d.file_name, d.media, d.source, d.bytes, d.sha256, d.added_by, d.added_at, "
    "(select count(*) from data.chunks c where c.tenant_id = d.tenant_id and c.document_id = d.document_id) as chunks, "
    "(select count(*) from data.chunks c where c.tenant_id = d.tenant_id and c.document_id = d.document_id and c.model_id = $2) as embedded, "
    "exists (select 1 from data.chunks c where c.tenant_id = d.tenant_id and c.document_id = d.document_id and c.held) as held "
    "from data.documents d where d.tenant_id = $1"
)
_MEMORY = "select memory_id, subject, body as text, source, noted_by, noted_at, expires_at from data.memories where tenant_id = $1"


class Shelf:
    """One transaction's view of a tenant's documents and memories; `model_id` is the embedder of today."""

    def __init__(self, work: BatchWork, tenant_id: UUID, model_id: str = "") -> None:
        self._c = work.connection
        self._tenant_id = tenant_id
        self._model_id = model_id

    async def add(self, document: Document, chunks: Sequence[Chunk]) -> UUID:
        """Store a document, unless its content is there already. The id under which the content is."""
        d = document
        fresh = await self._c.fetchval(
            "insert into data.documents (tenant_id, document_id, title, file_name, media, source, bytes, sha256, added_by, added_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning document_id",
            self._tenant_id, d.document_id, d.title, d.file_name, d.media, d.source, d.bytes, d.sha256, d.added_by, d.added_at,
        )  # fmt: skip
        if fresh is None:
            found: UUID = await self._c.fetchval(
                "select document_id from data.documents where tenant_id = $1 and (sha256 = $2 or document_id = $3)",
                self._tenant_id, d.sha256, d.document_id,
            )  # fmt: skip
            return found
        await self._c.execute(
            "insert into data.chunks (tenant_id, chunk_id, document_id, position, heading, page, body, folded) "
            "select $1, i, $2, p, h, g, b, f from unnest($3::uuid[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[]) as t(i, p, h, g, b, f)",
            self._tenant_id, d.document_id, [new_id() for _ in chunks], [c.position for c in chunks], [c.heading for c in chunks],
            [c.page for c in chunks], [c.text for c in chunks], [c.folded for c in chunks],
        )  # fmt: skip
        await self._c.execute(
            "insert into data.embedding_queue (tenant_id) values ($1) on conflict do nothing", self._tenant_id
        )
        return d.document_id

    async def hold(self, document_id: UUID, held: bool) -> None:
        """Take a document out of every search, or put it back."""
        await self._c.execute(
            "update data.chunks set held = $3 where tenant_id = $1 and document_id = $2",
            self._tenant_id,
            document_id,
            held,
        )

    async def document(self, document_id: UUID) -> Document | None:
        row = await self._c.fetchrow(
            f"{_DOCUMENT} and d.document_id = $3", self._tenant_id, self._model_id, document_id
        )
        return Document(**dict(row)) if row else None

    async def documents(self, before: UUID | None, limit: int) -> list[Document]:
        rows = await self._c.fetch(
            f"{_DOCUMENT} and ($3::uuid is null or d.document_id < $3) order by d.document_id desc limit $4",
            self._tenant_id, self._model_id, before, limit,
        )  # fmt: skip
        return [Document(**dict(row)) for row in rows]

    async def drop(self, document_id: UUID) -> bool:
        done = await self._c.execute(
            "delete from data.documents where tenant_id = $1 and document_id = $2", self._tenant_id, document_id
        )
        return str(done) == "DELETE 1"

    async def unembedded(self, limit: int) -> list[Any]:
        rows = await self._c.fetch(
            "select c.chunk_id, c.heading, c.body, d.title from data.chunks c join data.documents d using (tenant_id, document_id) "
            "where c.tenant_id = $1 and c.model_id is distinct from $2 order by c.chunk_id limit $3",
            self._tenant_id, self._model_id, limit,
        )  # fmt: skip
        return list(rows)

    async def embed(self, ids: Sequence[UUID], vectors: Sequence[str], folded: Sequence[str]) -> None:
        await self._c.execute(
            "update data.chunks c set embedding = x.v::public.vector, model_id = $2, folded = x.f from unnest($3::uuid[], $4::text[], $5::text[]) as x(i, v, f) "
            "where c.tenant_id = $1 and c.chunk_id = x.i",
            self._tenant_id, self._model_id, list(ids), list(vectors), list(folded),
        )  # fmt: skip

    async def search(self, words: Sequence[str], vector: str | None, limit: int, now: datetime) -> list[Passage]:
        rows = await self._c.fetch(
            "select k.*, c.document_id, c.position, c.heading, c.page, c.body, d.title, d.file_name, d.source, d.added_at "
            "from data.knowledge_search($2::text[], $3::text::public.vector, $4, $5) k join data.chunks c on c.tenant_id = $1 and c.chunk_id = k.chunk_id "
            "join data.documents d on d.tenant_id = c.tenant_id and d.document_id = c.document_id order by k.score desc, k.chunk_id",
            self._tenant_id, list(words), vector, self._model_id, limit,
        )  # fmt: skip
        return [_passage(row, now) for row in rows]

    async def remember(self, who: str, request: Remember, now: datetime) -> Memory:
        await self._c.execute(
            "insert into data.memories (tenant_id, memory_id, subject, body, source, noted_by, noted_at, expires_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
            self._tenant_id, request.memory_id, request.subject, request.text, request.source, who, now, request.expires_at,
        )  # fmt: skip
        row = await self._c.fetchrow(f"{_MEMORY} and memory_id = $2", self._tenant_id, request.memory_id)
        return Memory(**dict(row))

    async def memories(self, subject: str | None, before: UUID | None, limit: int, now: datetime) -> list[Memory]:
        rows = await self._c.fetch(
            f"{_MEMORY} and ($2::text is null or subject = $2) and ($3::uuid is null or memory_id < $3) "
            "and (expires_at is null or expires_at > $4) order by memory_id desc limit $5",
            self._tenant_id, subject, before, now, limit,
        )  # fmt: skip
        return [Memory(**dict(row)) for row in rows]

    async def forget(self, *, memory_id: UUID | None = None, subject: str | None = None) -> int:
        """Erase one memory, or all of a subject. How many."""
        done = await self._c.execute(
            "delete from data.memories where tenant_id = $1 and (memory_id = $2 or subject = $3)",
            self._tenant_id, memory_id, subject,
        )  # fmt: skip
        return int(str(done).split()[-1])

    async def expire(self, now: datetime) -> int:
        done = await self._c.execute(
            "delete from data.memories where tenant_id = $1 and expires_at <= $2", self._tenant_id, now
        )
        return int(str(done).split()[-1])


def _passage(row: Any, now: datetime) -> Passage:
    ways = (("words", row["by_words"]), ("spelling", row["by_spelling"]), ("meaning", row["by_meaning"]))
    return Passage(
        chunk_id=row["chunk_id"], document_id=row["document_id"], title=row["title"], file_name=row["file_name"], source=row["source"],
        heading=row["heading"], page=row["page"], position=row["position"], text=row["body"], score=round(row["score"], 6),
        found_by=tuple(name for name, found in ways if found), added_at=row["added_at"],
        age_hours=round(max(0.0, (now - row["added_at"]).total_seconds() / 3600), 2),
    )  # fmt: skip
