"""Knowledge and memories as people and agents use them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

import nats.js.errors

from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.knowledge import (
    AddDocument,
    Document,
    DocumentGet,
    DocumentsReply,
    DocumentsRequest,
    Erased,
    EraseSubject,
    ForgetMemory,
    KnowledgeReply,
    KnowledgeSearch,
    MemoriesReply,
    MemoriesRequest,
    Memory,
    Remember,
)
from libs.contracts.message import Ok, Principal, new_id
from libs.contracts.observed import DocumentFact
from libs.contracts.screening import FindingDecided
from libs.contracts.subjects import AUDITED, IMPORT_FILES
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork, SessionWork
from libs.runtime.plane import Runtime
from services.data.claims.telling import suggest
from services.data.knowledge.child import extract_apart
from services.data.knowledge.domain.chunks import chunked, query_words
from services.data.knowledge.domain.extract import MAX_BYTES, Extracted, Refused
from services.data.knowledge.embedder import Embedder
from services.data.knowledge.errors import BadExpiry, DocumentRefused
from services.data.knowledge.store import Shelf
from services.data.screening.domain.identity import identity_of
from services.data.screening.domain.texts import of_document
from services.data.screening.telling import of_record, tell
from services.data.telling import tell_facts

log = logging.getLogger(__name__)

WRITERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
QUERY_SECONDS = 3.0
"""How long a question waits for its vector; after that words alone answer."""


class Knowledge:
    """Documents, questions about them, and memories."""

    def __init__(self, runtime: Runtime, embedder: Embedder) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._embedder = embedder

    def _shelf(self, work: BatchWork, tenant: UUID) -> Shelf:
        return Shelf(work, tenant, self._embedder.model_id)

    async def add(self, request: AddDocument) -> Document:
        """Read, cut and store a document; found by its words at once, by its meaning soon. Raises DocumentRefused."""
        _require(request.principal)
        tenant = request.principal.tenant_id
        extracted, content, sha256 = await self._read(request)
        size = len(content)
        found = await asyncio.to_thread(of_document, [block.text for block in extracted.blocks], content)
        identity = identity_of([block.text for block in extracted.blocks])
        title = request.title.strip() or request.file_name
        chunks = await asyncio.to_thread(lambda: chunked(extracted.blocks, title))
        if not chunks:
            raise DocumentRefused("empty")
        document = Document(
            document_id=request.document_id, title=title, file_name=request.file_name, media=extracted.media, source=request.source, bytes=size,
            sha256=sha256, chunks=len(chunks), embedded=0, added_by=request.principal.id, added_at=self._runtime.now(),
        )  # fmt: skip
        async with self._database.batch(tenant) as work:
            shelf = self._shelf(work, tenant)
            stored = await shelf.add(document, chunks)
            if stored == request.document_id:
                self._audit(
                    work,
                    request.principal,
                    "document.added",
                    f"document:{stored}",
                    {"chunks": len(chunks), "sha256": sha256},
                )
                if found:
                    await shelf.hold(stored, True)
                elif request.about:
                    text = "\n".join(block.text for block in extracted.blocks)
                    suggest(work, tenant, f"document:{stored}", request.about, text, self._runtime.now())
                tell(work, tenant, "document", of_record("document", stored, {}, found), self._runtime.now())
                tell_facts(work, tenant, [DocumentFact(subject=stored, identity=identity)], self._runtime.now())
            shown = await shelf.document(stored)
        if shown is None:
            raise NotFound
        return shown

    async def _read(self, request: AddDocument) -> tuple[Extracted, bytes, str]:
        bucket = await self._runtime.bus.client.jetstream(timeout=10).object_store(IMPORT_FILES.name)
        try:
            info = await bucket.get_info(request.object_name)
            if (info.size or 0) > MAX_BYTES:
                raise DocumentRefused("too_large")
            content = (await bucket.get(request.object_name)).data or b""
        except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
            raise DocumentRefused("gone") from error
        finally:
            await self._forget_upload(bucket, request.object_name)
        with tempfile.TemporaryDirectory(prefix="dealix-document-") as directory:
            file = Path(directory) / "file"
            await asyncio.to_thread(file.write_bytes, content)
            try:
                extracted = await extract_apart(file, request.file_name)
            except Refused as refused:
                raise DocumentRefused(refused.why) from refused
        return extracted, content, hashlib.sha256(content).hexdigest()

    @staticmethod
    async def _forget_upload(bucket: Any, name: str) -> None:
        try:
            await bucket.delete(name)
        except nats.js.errors.Error as error:
            log.warning("an uploaded document stays until its time is over: %s", type(error).__name__)

    async def list(self, request: DocumentsRequest) -> DocumentsReply:
        tenant, limit = request.principal.tenant_id, request.page.limit
        before = UUID(request.page.cursor) if request.page.cursor else None
        async with self._database.batch(tenant) as work:
            found = await self._shelf(work, tenant).documents(before, limit + 1)
        cursor = str(found[limit - 1].document_id) if len(found) > limit else None
        return DocumentsReply(items=tuple(found[:limit]), next_cursor=cursor)

    async def get(self, request: DocumentGet) -> Document:
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            found = await self._shelf(work, tenant).document(request.document_id)
        if found is None:
            raise NotFound
        return found

    async def decided(self, work: SessionWork, event: FindingDecided) -> None:
        """A person decided on what the security gate found: a document that nothing holds any more can be found again."""
        kind, _, id = event.subject.partition(":")
        if kind == "document":
            await self._shelf(await work.batch(), event.tenant_id).hold(UUID(id), event.held)

    async def drop(self, request: DocumentGet) -> Ok:
        """Erase a document with all its pieces and vectors."""
        _require(request.principal)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            if not await self._shelf(work, tenant).drop(request.document_id):
                raise NotFound
            gone = DocumentFact(subject=request.document_id, erased=True)
            tell_facts(work, tenant, [gone], self._runtime.now())
            self._audit(work, request.principal, "document.erased", f"document:{request.document_id}", {})
        return Ok()

    async def search(self, request: KnowledgeSearch) -> KnowledgeReply:
        tenant = request.principal.tenant_id
        words = query_words(request.q)
        if not words:
            return KnowledgeReply(items=(), model_id="")
        vector: str | None = None
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                vector = await self._embedder.query(request.q)
        except TimeoutError:
            log.warning("a question was answered by words alone: the embedder is busy")
        async with self._database.batch(tenant) as work:
            found = await self._shelf(work, tenant).search(words, vector, request.limit, self._runtime.now())
        return KnowledgeReply(items=tuple(found), model_id=self._embedder.model_id if vector else "")

    async def remember(self, request: Remember) -> Memory:
        """Note something of a subject. Raises BadExpiry."""
        _require(request.principal)
        tenant, now = request.principal.tenant_id, self._runtime.now()
        if request.expires_at is not None and request.expires_at <= now:
            raise BadExpiry
        async with self._database.batch(tenant) as work:
            found = await self._shelf(work, tenant).remember(request.principal.id, request, now)
            self._audit(work, request.principal, "memory.noted", f"memory:{request.memory_id}", {})
        return found

    async def memories(self, request: MemoriesRequest) -> MemoriesReply:
        tenant, limit = request.principal.tenant_id, request.page.limit
        before = UUID(request.page.cursor) if request.page.cursor else None
        async with self._database.batch(tenant) as work:
            shelf = self._shelf(work, tenant)
            await shelf.expire(self._runtime.now())
            found = await shelf.memories(request.subject, before, limit + 1, self._runtime.now())
        cursor = str(found[limit - 1].memory_id) if len(found) > limit else None
        return MemoriesReply(items=tuple(found[:limit]), next_cursor=cursor)

    async def forget(self, request: ForgetMemory) -> Ok:
        if not (await self._erase(request.principal, memory_id=request.memory_id)).erased:
            raise NotFound
        return Ok()

    async def erase(self, request: EraseSubject) -> Erased:
        return await self._erase(request.principal, subject=request.subject)

    async def _erase(self, who: Principal, *, memory_id: UUID | None = None, subject: str | None = None) -> Erased:
        _require(who)
        async with self._database.batch(who.tenant_id) as work:
            count = await self._shelf(work, who.tenant_id).forget(memory_id=memory_id, subject=subject)
            if count:
                target = f"memory:{memory_id}" if memory_id else str(subject)
                self._audit(work, who, "memory.erased", target, {"erased": count})
        return Erased(erased=count)

    def _audit(self, work: BatchWork, who: Principal, kind: str, target: str, data: dict[str, Any]) -> None:
        entry = AuditRecorded(
            entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=self._runtime.now(), data=data,
            trace_id=telemetry.trace_id(),
        )  # fmt: skip
        work.emit(AUDITED[self._runtime.plane], entry)


def _require(principal: Principal) -> None:
    if not WRITERS & set(principal.roles):
        raise Forbidden
